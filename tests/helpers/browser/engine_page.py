"""ONNX Runtime Web alone in a page: runs any model in a real browser, on WebAssembly or WebGPU."""

import base64
import contextlib
import functools
import http.server
import shutil
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import onnx
from selenium.webdriver.support.ui import WebDriverWait

from sitegen.browser.chromium import Chromium
from sitegen.site.engines.files import install_engines

SOFTWARE_ADAPTER = "--enable-unsafe-webgpu"
_KINDS = {"float32": np.float32, "float16": np.float16, "bool": np.bool_, "int64": np.int64}
_PAGE = """<!doctype html><meta charset="utf-8"><title>engine</title><script type="module">
import * as ort from "./ort.webgpu.bundle.min.mjs";
ort.env.wasm.numThreads = 1;
ort.env.logLevel = "error";
const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const views = { float32: Float32Array, float16: Uint16Array, bool: Uint8Array, int64: BigInt64Array };
const text = (array) => {
  const content = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  let all = "";
  for (let at = 0; at < content.length; at += 8192) all += String.fromCharCode(...content.subarray(at, at + 8192));
  return btoa(all);
};
window.adapter = navigator.gpu ? Boolean(await navigator.gpu.requestAdapter()) : false;
window.run = async (model, feeds, provider) => {
  // With WebGPU, a session that would leave an operator to the CPU is not created at all.
  const extra = provider === "webgpu" ? { session: { disable_cpu_ep_fallback: "1" } } : {};
  const session = await ort.InferenceSession.create(bytes(model), { executionProviders: [provider], extra });
  const tensors = Object.fromEntries(Object.entries(feeds).map(([name, { type, shape, data }]) =>
    [name, new ort.Tensor(type, new views[type](bytes(data).buffer), shape)]));
  const results = await session.run(tensors);
  const answer = Object.entries(results).map(([name, tensor]) =>
    [name, { type: tensor.type, shape: [...tensor.dims], data: text(tensor.data) }]);
  await session.release();
  return Object.fromEntries(answer);
};
window.loaded = true;
</script>"""


class EnginePage:
    """A page in which models can be run."""

    def __init__(self, driver: Chromium) -> None:
        self._driver = driver
        self.has_adapter = bool(driver.execute_script("return window.adapter"))

    def run(
        self, model: onnx.ModelProto, feeds: Mapping[str, np.ndarray[Any, Any]], provider: str = "wasm"
    ) -> dict[str, np.ndarray[Any, Any]]:
        """All outputs. Raises AssertionError with the engine's message where it refuses the model."""
        content = base64.b64encode(model.SerializeToString()).decode()
        given = {
            name: {"type": array.dtype.name, "shape": array.shape, "data": base64.b64encode(array.tobytes()).decode()}
            for name, array in feeds.items()
        }
        script = (
            "const done = arguments[3];"
            "run(arguments[0], arguments[1], arguments[2])"
            ".then((found) => done({found}), (error) => done({error: String(error)}))"
        )
        answer = self._driver.execute_async_script(script, content, given, provider)
        assert "error" not in answer, answer["error"]
        return {
            name: np.frombuffer(base64.b64decode(part["data"]), _KINDS[part["type"]]).reshape(part["shape"])
            for name, part in answer["found"].items()
        }


class _Quiet(http.server.SimpleHTTPRequestHandler):
    extensions_map: ClassVar = {  # type: ignore[misc]
        **http.server.SimpleHTTPRequestHandler.extensions_map,
        ".mjs": "text/javascript",
    }

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextlib.contextmanager
def engine_page(driver: Chromium, folder: Path) -> Iterator[EnginePage]:
    """Serve the engine that sites are built with from an empty folder, and open a page that holds it."""
    source = install_engines().modules / "onnxruntime-web" / "dist"
    for name in (
        "ort.webgpu.bundle.min.mjs",
        "ort-wasm-simd-threaded.asyncify.mjs",
        "ort-wasm-simd-threaded.asyncify.wasm",
    ):
        shutil.copyfile(source / name, folder / name)
    (folder / "index.html").write_text(_PAGE, "utf-8")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        driver.get(f"http://127.0.0.1:{server.server_port}/index.html")
        WebDriverWait(driver, 60).until(lambda d: d.execute_script("return window.loaded === true"))
        yield EnginePage(driver)
        driver.get("about:blank")
        server.shutdown()
