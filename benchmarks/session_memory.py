"""What sessions of ONNX Runtime Web cost: the time to make them, and memory, each arrangement in a fresh browser."""

from collections.abc import Mapping

from browser_engines import create_sessions, fresh_page, start_ort, start_tensorflow
from densenet_files import FORWARD, GRADIENT, SWITCH, FloatArray, Tree
from renderer_memory import renderer_memory

from sitegen.browser.chromium import Chromium

Run = dict[str, float]
_RUNS = 3

ARRANGEMENTS: dict[str, tuple[tuple[str, bool], ...]] = {
    "forward session alone": ((FORWARD, False),),
    "gradient session alone": ((GRADIENT, True),),
    "both sessions": ((FORWARD, False), (GRADIENT, True)),
    "one session, switch never on": ((SWITCH, False),),
    "one session, switch on": ((SWITCH, True),),
}
"""What is kept, and whether its gradient is asked for."""


def measure_sessions(url: str, feeds: Mapping[str, FloatArray], sessions: tuple[tuple[str, bool], ...]) -> Run:
    """Return the milliseconds of making the sessions, and megabytes after a few runs of each."""
    with fresh_page(url) as driver:
        worker = start_ort(driver, feeds)
        created = create_sessions(worker, [graph for graph, _ in sessions])
        for _ in range(_RUNS):
            for graph, explain in sessions:
                worker.call("time", graph=graph, explain=explain)
        return {"making, ms": sum(created.values()), "engine's heap, MB": worker.call("heap"), **_memory(driver)}


def measure_tensorflow(url: str, feeds: Mapping[str, FloatArray], layers: Tree) -> Run:
    """Return megabytes after a few runs forward and back."""
    with fresh_page(url) as driver:
        worker = start_tensorflow(driver, "wasm", layers, feeds)
        for _ in range(_RUNS):
            for gradient in (False, True):
                worker.call("time", gradient=gradient)
        return _memory(driver)


def _memory(driver: Chromium) -> Run:
    memory = renderer_memory(driver)
    return {"renderer, MB": memory.resident, "peak, MB": memory.peak} if memory else {}
