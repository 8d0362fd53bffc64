"""ONNX Runtime Web and TensorFlow.js in workers of one page, driven from here."""

import contextlib
import functools
import http.server
import json
import shutil
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from densenet_files import FloatArray, Tree

from sitegen.browser.chromium import Chromium, chromium
from sitegen.errors import BrowserError
from sitegen.site.cache import cached_folder, key_of
from sitegen.site.engines.classic import classic_ort
from sitegen.site.engines.files import install_engines
from sitegen.site.engines.node import find_node

PAGE = Path(__file__).parent / "gradient_page"
IDENTITY, WEIGHTS, LAYERS = "identity.onnx", "forward.weights", "layers.weights"
THREADS = "ort.mjs"  # what each further thread of ONNX Runtime Web loads
_SECONDS = 600  # for one answer: software WebGL and plain JavaScript need most of a minute
_CALL = "const done = arguments[1]; callWorker(arguments[0]).then(done);"


def install_tensorflow() -> Path:
    """Return node_modules with TensorFlow.js as package-lock.json pins it, from the cache or from the registry."""
    names = ("package.json", "package-lock.json")

    def install(folder: Path) -> None:
        for name in names:
            shutil.copy(PAGE / name, folder / name)
        arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        find_node().run_npm(arguments, folder=folder, what="Installing TensorFlow.js with npm")

    key = key_of((PAGE / name).read_bytes() for name in names)
    return cached_folder("benchmarks", key, install) / "node_modules"


def copy_onnx_runtime(folder: Path) -> str:
    """Put the page and ONNX Runtime Web into a folder; return its version."""
    for path in (*PAGE.glob("*.html"), *PAGE.glob("*.js")):
        shutil.copy(path, folder)
    ort = install_engines()
    module = ort.read("onnxruntime-web", "dist/ort.wasm.bundle.min.mjs").decode()
    (folder / "ort.js").write_text(classic_ort(module), encoding="utf-8")
    (folder / THREADS).write_text(module, encoding="utf-8")
    wasm = "ort-wasm-simd-threaded.wasm"
    (folder / wasm).write_bytes(ort.read("onnxruntime-web", f"dist/{wasm}"))
    return ort.version("onnxruntime-web")


def copy_engines(folder: Path) -> dict[str, str]:
    """Put the page and both engines into a folder; return the engines' versions."""
    version = copy_onnx_runtime(folder)
    tensorflow = install_tensorflow() / "@tensorflow"
    shutil.copy(tensorflow / "tfjs" / "dist" / "tf.min.js", folder)
    for path in (tensorflow / "tfjs-backend-wasm" / "dist").glob("*.wasm"):
        shutil.copy(path, folder)
    shutil.copy(tensorflow / "tfjs-backend-wasm" / "dist" / "tf-backend-wasm.min.js", folder)
    package = json.loads((tensorflow / "tfjs" / "package.json").read_text("utf-8"))
    return {"ONNX Runtime Web": version, "TensorFlow.js": package["version"]}


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def end_headers(self) -> None:
        """Isolate the page, which threads need."""
        self.send_header("Cross-Origin-Opener-Policy", "same-origin")
        self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """Yield the address of a folder's page on a loopback server."""
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/index.html"
        finally:
            server.shutdown()


@contextlib.contextmanager
def fresh_page(url: str) -> Iterator[Chromium]:
    """Open a page in a browser of its own."""
    with chromium() as driver:
        driver.set_script_timeout(_SECONDS)
        driver.get(url)
        yield driver


@dataclass(frozen=True)
class Worker:
    """A worker of the page, started with its first call."""

    driver: Chromium
    name: str
    script: str

    def call(self, method: str, **parameters: object) -> Any:
        """Return what a method of the worker answers. Raises BrowserError with its error."""
        call = {"name": self.name, "script": self.script, "method": method, "parameters": parameters}
        answer = self.driver.execute_async_script(_CALL, call)
        if "error" in answer:
            raise BrowserError(f"{self.name}, {method}: {answer['error']}")
        return answer.get("value")


def start_ort(driver: Chromium, feeds: Mapping[str, FloatArray]) -> Worker:
    """Return a worker in which ONNX Runtime Web runs, without any of the graphs yet."""
    worker = Worker(driver, "ONNX Runtime Web", "ort_worker.js")
    worker.call("start", identity=IDENTITY, **as_json(feeds))
    return worker


def create_sessions(worker: Worker, graphs: Sequence[str]) -> dict[str, float]:
    """Make a session of each graph; return the milliseconds that each took."""
    return {graph: worker.call("create", graph=graph, weights=WEIGHTS) for graph in graphs}


def start_tensorflow(driver: Chromium, backend: str, layers: Tree, feeds: Mapping[str, FloatArray]) -> Worker:
    """Return a worker in which TensorFlow.js has the network on one of its backends."""
    worker = Worker(driver, f"TensorFlow.js, {backend}", "tfjs_worker.js")
    worker.call("start", backend=backend, layers=layers, weights=LAYERS, **as_json(feeds))
    return worker


def results(worker: Worker, **parameters: object) -> dict[str, FloatArray]:
    """Return the outputs of one run, flat; those without elements are left out."""
    given = worker.call("results", **parameters)
    return {name: np.asarray(values, np.float32) for name, values in given.items() if values}


def as_json(feeds: Mapping[str, FloatArray]) -> dict[str, object]:
    """Write arrays so that a worker can make tensors of them."""
    return {name: {"values": array.ravel().tolist(), "shape": list(array.shape)} for name, array in feeds.items()}
