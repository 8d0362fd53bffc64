"""What each way of running networks in the page consists of, as assets: a browser loads the one that it uses.

WebAssembly runs everywhere. WebGPU's build of ONNX Runtime Web is larger, and only browsers with a graphics card that
they offer to pages load it. It is the build called `asyncify`: `jsep` makes code of text, which the page's policy
forbids, and `jspi` runs in some browsers only.
"""

from sitegen.site.engines.classic import ORT, ORT_WEBGPU, classic_webgpu_ort
from sitegen.site.engines.files import EngineFiles
from sitegen.site.packing import Asset

WEBGPU_FOLDER = "webgpu"  # among the assets: what those can leave out who keep a site for use without a network
_WASM, _ASYNCIFY = "ort-wasm-simd-threaded.wasm", "ort-wasm-simd-threaded.asyncify.wasm"


def provider_assets(engines: EngineFiles) -> dict[str, tuple[Asset, ...]]:
    """Return the assets of each provider. Scripts of `webgpu` follow the worker's own, in whose place they come."""
    return {
        "wasm": (
            Asset(_WASM, _dist(engines, _WASM)),
            Asset("ort-thread.mjs", _dist(engines, ORT)),
        ),
        "webgpu": (
            Asset(f"{WEBGPU_FOLDER}/ort.js", classic_webgpu_ort(_dist(engines, ORT_WEBGPU).decode()).encode()),
            Asset(f"{WEBGPU_FOLDER}/{_ASYNCIFY}", _dist(engines, _ASYNCIFY)),
        ),
    }


def _dist(engines: EngineFiles, name: str) -> bytes:
    return engines.read("onnxruntime-web", f"dist/{name}")
