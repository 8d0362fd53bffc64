"""What a gradient costs beside a prediction, in headless Chromium and without a browser, on one thread.

    python benchmarks/gradients.py [--rounds 20] [--slow-rounds 3] [--browsers 5] [--json FILE] [--chart FILE]

The network is DenseNet-121 with one channel, 224 x 224, 18 outputs and random weights. All engines have the same ones,
and what they compute is compared before it is timed. In each round every condition runs once, so that a drift of the
machine meets all alike; ratios are taken within a round. TensorFlow.js sits out most rounds where a gradient takes it
many seconds. Afterwards each arrangement of sessions gets fresh browsers: how long does making it take, and how much
memory does it hold?
"""

import argparse
import json
import os
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import onnxruntime
import torch
from browser_engines import IDENTITY, LAYERS, copy_engines, fresh_page, served
from densenet_files import (
    FloatArray,
    Tree,
    WeightFile,
    random_densenet,
    random_feeds,
    tensorflow_layers,
    write_graphs,
    write_identity,
)
from gradient_conditions import TENSORFLOW, Condition, all_conditions, disagreements
from gradient_report import chart, sessions_table, times_table
from rich.console import Console
from rich.progress import Progress
from samples import Rounds
from session_memory import ARRANGEMENTS, Run, measure_sessions, measure_tensorflow

from sitegen.networks.densenet import DenseNet

CHART = Path(__file__).with_suffix(".svg")


def prepare(folder: Path) -> tuple[DenseNet, Tree, dict[str, str]]:
    """Fill a folder with page, engines and networks; return the network, TensorFlow.js's layers, and versions."""
    network = random_densenet()
    write_graphs(network, folder)
    write_identity(folder / IDENTITY)
    weights = WeightFile()
    layers = tensorflow_layers(network, weights)
    (folder / LAYERS).write_bytes(b"".join(weights.parts))
    versions = copy_engines(folder)
    return network, layers, versions | {"ONNX Runtime": onnxruntime.__version__, "PyTorch": torch.__version__}


def run_rounds(conditions: Sequence[Condition], rounds: int, slow_rounds: int) -> dict[str, Rounds]:
    """Return the milliseconds of each condition in each round; slow ones take part in the first few."""
    times: dict[str, list[float | None]] = {condition.name: [] for condition in conditions}
    with Progress(console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("Rounds", total=rounds * len(conditions))
        for number in range(-1, rounds):  # one before the first: engines compile again what is used a lot
            for condition in conditions:
                sits_out = condition.slow and not 0 <= number < slow_rounds
                milliseconds = None if sits_out else condition.time()
                if number >= 0:
                    times[condition.name].append(milliseconds)
                    progress.advance(bar)
    return dict(times)


def run_sessions(url: str, feeds: dict[str, FloatArray], layers: Tree, browsers: int) -> dict[str, list[Run]]:
    """Return the runs of each arrangement of sessions, which take turns."""
    measures: dict[str, Callable[[], Run]] = {
        name: partial(measure_sessions, url, feeds, sessions) for name, sessions in ARRANGEMENTS.items()
    }
    measures[TENSORFLOW["wasm"]] = partial(measure_tensorflow, url, feeds, layers)
    found: dict[str, list[Run]] = {name: [] for name in measures}
    with Progress(console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("Browsers", total=browsers * len(measures))
        for _ in range(browsers):
            for name, measure in measures.items():
                found[name].append(measure())
                progress.advance(bar)
    return found


def benchmark(options: argparse.Namespace, console: Console) -> dict[str, Any]:
    """Return everything that was measured, and print it on the way."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        network, layers, versions = prepare(folder)
        feeds = random_feeds()
        with served(folder) as url:
            with fresh_page(url) as driver:
                versions["Chromium"] = str(driver.capabilities["browserVersion"])
                started = all_conditions(driver, folder, network, feeds, layers)
                conditions = [condition for condition in started if options.slow_rounds or not condition.slow]
                details = {condition.engine: condition.detail for condition in conditions if condition.detail}
                distances = disagreements(conditions)
                times = run_rounds(conditions, options.rounds, options.slow_rounds)
            console.print(times_table(times))
            sessions = run_sessions(url, feeds, layers, options.browsers) if options.browsers else {}
    if sessions:
        console.print(sessions_table(sessions))
    machine = {"processors": os.cpu_count(), "versions": versions, "engines": details}
    return {"machine": machine, "distance from PyTorch": distances, "ms": times, "sessions": sessions}


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--slow-rounds", type=int, default=3, help="rounds with WebGL and plain JavaScript")
    parser.add_argument("--browsers", type=int, default=5, help="fresh browsers for each arrangement of sessions")
    parser.add_argument("--json", type=Path, help="also write all runs here")
    parser.add_argument("--chart", type=Path, default=CHART, help="where the bar chart goes")
    options = parser.parse_args()
    console = Console(width=170)
    measured = benchmark(options, console)
    machine = measured["machine"]
    console.print(", ".join(f"{name} {version}" for name, version in machine["versions"].items()))
    for engine, detail in machine["engines"].items():
        console.print(f"{engine}: {detail}", highlight=False)
    place = f"{machine['processors']} processors, Chromium {machine['versions']['Chromium'].split('.')[0]}"
    options.chart.write_text(chart(measured["ms"], place), encoding="utf-8")
    if options.json:
        options.json.write_text(json.dumps(measured, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
