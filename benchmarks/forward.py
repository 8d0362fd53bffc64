"""Forward runs of six networks in a page, beside TensorFlow.js and native ONNX Runtime, and what passes make of them.

    python benchmarks/forward.py [--rounds 7] [--threads 1] [--network NAME …] [--json FILE]

The networks are five with random weights, one channel and 224 x 224 pixels, and the classifier that ships. In a round
every condition has a turn of about 0.25 s, in alternate orders; ratios are taken within a round. Counted is
processor time, of the page's process or of this one, which other work on the machine hardly changes; with `--threads`
above 1 it is the time that passes. Nothing is timed before all logits are found to agree with native ONNX Runtime's.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from browser_engines import IDENTITY, Worker, as_json, copy_engines, fresh_page, results, served
from densenet_files import FloatArray, write_identity
from forward_networks import BEFORE, BUNDLED, GRADIENT, LAYERS, NETWORKS, PAGE, SHIPPED, Prepared, prepare
from median_interval import median_interval
from native_engines import NativeOnnxRuntime
from renderer_memory import running_seconds
from samples import ratios, summarise

from sitegen.browser.chromium import Chromium

TENSORFLOW, NATIVE = "TensorFlow.js", "native"
_TURN = 250.0  # milliseconds
_LOGITS = 1e-3  # relative L2 distance
Turn = Callable[[int], float]


class Timed:
    """One engine with one graph; `run` runs it so many times and returns milliseconds, of the clock."""

    def __init__(self, run: Turn, driver: Chromium | None, wall: bool) -> None:
        """With a driver the time is that of its page."""
        self._run, self._driver, self._wall = run, driver, wall
        self._runs = 2
        self.turn()
        self._runs = max(1, round(_TURN / self.turn()))

    def turn(self) -> float:
        """Return the milliseconds of one run, the mean of a turn."""
        begin = self._seconds()
        passed = self._run(self._runs)
        return (passed if self._wall else 1000 * (self._seconds() - begin)) / self._runs

    def _seconds(self) -> float:
        if self._driver is None:
            return time.process_time()
        return running_seconds(self._driver) or time.perf_counter()


def conditions(
    prepared: Prepared, driver: Chromium, ort: Worker, tensorflow: Worker, wall: bool
) -> tuple[dict[str, Timed], dict[str, float]]:
    """Make all sessions of a network; return what is to be timed, and how far logits are from native ONNX Runtime's."""
    given: dict[str, Timed] = {}
    logits: dict[str, FloatArray] = {}
    for form in prepared.forms:
        graph = prepared.graph(form).relative_to(prepared.folder.parent).as_posix()
        weights = graph.replace(".onnx", ".weights")
        ort.call("create", graph=graph, weights=weights, own=as_json(prepared.feeds))
        logits[form] = results(ort, graph=graph)["logits"]
        if form != BUNDLED:
            given[form] = Timed(partial(_in_worker, ort, graph), driver, wall)
    places = {"name": prepared.name, "network": prepared.steps, "weights": f"{prepared.folder.name}/{LAYERS}"}
    tensorflow.call("create", **places, image=as_json(prepared.feeds)["image"])
    logits[TENSORFLOW] = results(tensorflow, graph=prepared.name)["logits"]
    given[TENSORFLOW] = Timed(partial(_in_worker, tensorflow, prepared.name), driver, wall)
    native = NativeOnnxRuntime(prepared.graph(BUNDLED), prepared.feeds)
    given[NATIVE] = Timed(lambda runs: sum(native.time() for _ in range(runs)), None, wall)
    return given, _distances(logits, native.results()["logits"].ravel())


def _in_worker(worker: Worker, graph: str, runs: int) -> float:
    return float(worker.call("time", graph=graph, runs=runs))


def _distances(logits: dict[str, FloatArray], reference: FloatArray) -> dict[str, float]:
    found = {
        name: float(np.linalg.norm(values.ravel() - reference) / np.linalg.norm(reference))
        for name, values in logits.items()
    }
    if wrong := {name: distance for name, distance in found.items() if not distance <= _LOGITS}:
        raise ValueError(f"not the same network: {wrong}")
    return found


def rounds_of(timed: dict[str, Timed], rounds: int) -> dict[str, list[float]]:
    """Return milliseconds a run, by condition, of each round; one round beforehand does not count."""
    times: dict[str, list[float]] = {name: [] for name in timed}
    for number in range(-1, rounds):
        for name in timed if number % 2 else reversed(timed):
            milliseconds = timed[name].turn()
            if number >= 0:
                times[name].append(milliseconds)
    return times


def row(name: str, times: dict[str, list[float]]) -> str:
    """Return a row of the table, in Markdown."""
    columns = [summarise(times[key]).text(1) for key in (BEFORE, PAGE, TENSORFLOW, NATIVE)]
    pairs = ((PAGE, BEFORE), (PAGE, TENSORFLOW), (PAGE, NATIVE), (GRADIENT, PAGE))
    columns += [median_interval(ratios(times[key], times[other])).text() for key, other in pairs]
    return f"| {name} | {' | '.join(columns)} |"


def measure(names: list[str], rounds: int, threads: int) -> dict[str, Any]:
    """Return all times and distances, by network; print a row of each on the way."""
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary:
        folder = Path(temporary)
        versions = copy_engines(folder)
        write_identity(folder / IDENTITY)
        with served(folder) as url:
            for number, name in enumerate(names):
                prepared = prepare(name, folder / str(number))
                with fresh_page(url) as driver:
                    ort = Worker(driver, "ONNX Runtime Web", "ort_worker.js")
                    ort.call("start", identity=IDENTITY, threads=threads)
                    tensorflow = Worker(driver, TENSORFLOW, "steps_worker.js")
                    tensorflow.call("start", threads=threads)
                    timed, distances = conditions(prepared, driver, ort, tensorflow, wall=threads > 1)
                    times = rounds_of(timed, rounds)
                    versions["Chromium"] = str(driver.capabilities["browserVersion"])
                print(row(name, times), flush=True)
                found[name] = {"ms": times, "distance from native": distances}
    return {"versions": versions, "processors": os.cpu_count(), "threads": threads, "networks": found}


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--network", action="append", choices=[*NETWORKS, SHIPPED])
    parser.add_argument("--json", type=Path, help="also write all rounds here")
    given = parser.parse_args()
    print(
        "| network | before, ms | in the page, ms | TensorFlow.js, ms | native, ms | page / before | "
        "page / TensorFlow.js | page / native | with gradient / page |\n" + "|---" * 9 + "|"
    )
    measured = measure(given.network or [*NETWORKS, SHIPPED], given.rounds, given.threads)
    print(measured["versions"])
    if given.json:
        given.json.write_text(json.dumps(measured, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
