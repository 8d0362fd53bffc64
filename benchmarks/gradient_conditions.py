"""Who computes what in the benchmark of gradients, and whether they compute the same."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from browser_engines import Worker, create_sessions, results, start_ort, start_tensorflow
from densenet_files import FORWARD, GRADIENT, SWITCH, FloatArray, Tree
from native_engines import NativeOnnxRuntime, PyTorch

from sitegen.browser.chromium import Chromium
from sitegen.networks.densenet import DenseNet

PREDICT, EXPLAIN = "forward", "forward + gradient"
ORT_WEB, ONE_SESSION = "ONNX Runtime Web", "ONNX Runtime Web, switch"
ORT, TORCH = "ONNX Runtime, native", "PyTorch, native"
TENSORFLOW = {"wasm": "TensorFlow.js, WASM", "webgl": "TensorFlow.js, WebGL", "cpu": "TensorFlow.js, JavaScript"}
_SOFTWARE_WEBGL = ("SwiftShader", "llvmpipe")
_LOGITS = 1e-3
# Where the input of a Relu is zero but for rounding, engines may disagree on its sign, and each such unit shows.
_SLOPES = 5e-2

Results = dict[str, FloatArray]


@dataclass(frozen=True)
class Condition:
    """One engine doing one task.

    `time` runs it once and returns milliseconds; `slow` ones sit out most rounds; `detail` says what runs below.
    """

    engine: str
    task: str
    time: Callable[[], float]
    results: Callable[[], Results]
    slow: bool = False
    detail: str = ""

    @property
    def name(self) -> str:
        """Engine and task."""
        return f"{self.engine}: {self.task}"


def all_conditions(
    driver: Chromium, folder: Path, network: DenseNet, feeds: Mapping[str, FloatArray], layers: Tree
) -> Iterator[Condition]:
    """Start every engine, and give what is to be timed in the order of the table."""
    yield from _ort_web(start_ort(driver, feeds))
    for backend, engine in TENSORFLOW.items():
        yield from _tensorflow(start_tensorflow(driver, backend, layers, feeds), engine, fast=backend == "wasm")
    for task, graph in ((PREDICT, FORWARD), (EXPLAIN, GRADIENT)):
        session = NativeOnnxRuntime(folder / graph, feeds)
        yield Condition(ORT, task, session.time, session.results)
    for task in (PREDICT, EXPLAIN):
        module = PyTorch(network, feeds, gradient=task == EXPLAIN)
        yield Condition(TORCH, task, module.time, module.results)


def _ort_web(worker: Worker) -> Iterator[Condition]:
    create_sessions(worker, (FORWARD, GRADIENT, SWITCH))
    yield _in_worker(worker, ORT_WEB, PREDICT, graph=FORWARD, explain=False)
    yield _in_worker(worker, ORT_WEB, EXPLAIN, graph=GRADIENT, explain=False)
    yield _in_worker(worker, ONE_SESSION, PREDICT, graph=SWITCH, explain=False)
    yield _in_worker(worker, ONE_SESSION, EXPLAIN, graph=SWITCH, explain=True)


def _tensorflow(worker: Worker, engine: str, *, fast: bool) -> Iterator[Condition]:
    detail = worker.call("facts")
    if any(name in detail for name in _SOFTWARE_WEBGL):
        engine += " in software"
    if fast:
        yield replace(_in_worker(worker, engine, PREDICT, gradient=False), detail=detail)
    yield replace(_in_worker(worker, engine, EXPLAIN, gradient=True), detail=detail, slow=not fast)


def _in_worker(worker: Worker, engine: str, task: str, **parameters: object) -> Condition:
    timed = partial(worker.call, "time", **parameters)
    return Condition(engine, task, timed, partial(results, worker, **parameters))


def disagreements(conditions: Sequence[Condition]) -> dict[str, dict[str, float]]:
    """Run each condition once; return how far its outputs are from PyTorch's, as relative L2 distances.

    Raises ValueError where that is too far: timings of different computations are not to be compared.
    """
    found = {condition.name: condition.results() for condition in conditions}
    reference = found[f"{TORCH}: {EXPLAIN}"]
    distances: dict[str, dict[str, float]] = {}
    for condition in conditions:
        given = found[condition.name]
        expected = {"logits": _LOGITS} | ({"grad_image": _SLOPES} if condition.task == EXPLAIN else {})
        distances[condition.name] = {name: relative_distance(given[name], reference[name]) for name in expected}
        for name, allowed in expected.items():
            distance = distances[condition.name][name]
            if not distance <= allowed:
                raise ValueError(f"{condition.name}: {name} is {distance:.1e} from PyTorch's, more than {allowed}")
    return distances


def relative_distance(values: FloatArray, reference: FloatArray) -> float:
    """Return the L2 distance of two arrays with as many elements, in units of the reference's norm."""
    difference = values.ravel().astype(np.float64) - reference.ravel()
    return float(np.linalg.norm(difference) / np.linalg.norm(reference))
