"""What each method of explanation costs, in predictions, on one thread: in headless Chromium, and natively in Python.

    python benchmarks/explanations.py [--rounds 20] [--native-rounds 5] [--json FILE]

The networks are the bundle that ships and DenseNet-121 with one channel and random weights, 224 x 224. In each round
every graph runs once, so that a drift of the machine meets all alike; ratios to the prediction are taken within a
round. The browser runs the graphs, which is nearly all of the work; natively the whole of an explanation is timed, its
arithmetic in Python included, beside the classifier's own run. At the end: does memory grow over 200 explanations?
"""

import argparse
import json
import os
import resource
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from browser_engines import IDENTITY, Worker, copy_onnx_runtime, fresh_page, served, start_ort
from densenet_files import FloatArray, random_densenet, random_feeds, write_identity
from median_interval import median_interval
from rich.console import Console
from rich.table import Table

from sitegen.bundle import Label, Licence, load_bundle
from sitegen.export.final_weights import write_final_weights
from sitegen.export.golden import write_golden
from sitegen.export.gradient_graph import export_cam, export_gradient, export_guided, last_feature_map
from sitegen.export.onnx_export import export_onnx
from sitegen.export.write_bundle import Draft, write_bundle
from sitegen.prediction import Predictor
from sitegen.resources import default_bundle
from sitegen_runtime.bundle.model import NetworkInput
from sitegen_runtime.maps.methods import MANY_RUNS, METHODS

GRAPHS = ("classifier", "gradient", "cam", "guided")
EXPLANATIONS = 200
Times = dict[str, list[float]]


def write_densenet(folder: Path) -> None:
    """Write a bundle of DenseNet-121 without a gate."""
    image = NetworkInput("image", (1, 1, 224, 224), "grey", 1.0, (-1.0, 1.0), (0.0,), (1.0,))
    network = random_densenet()
    export_onnx(network, image.shape, "logits", folder / "classifier.onnx")
    features = last_feature_map(folder / "classifier.onnx")
    export_gradient(folder, features)
    export_cam(folder, features)
    export_guided(folder)
    feature_map = write_final_weights(folder, network, features)
    (folder / "card.md").write_text("# DenseNet-121\n", encoding="utf-8")
    write_golden(folder, image)
    labels = [Label(name=f"finding {number}", operating_point=0.5) for number in range(18)]
    licence = Licence(weights="Apache-2.0", data="none")
    write_bundle(folder, Draft("densenet121", "1", "", licence, labels, None, True, feature_map), {"classifier": image})


def time_graphs(bundle: Path, rounds: int) -> Times:
    """Return the milliseconds of each graph of a bundle in ONNX Runtime Web, in each round."""
    labels = len(load_bundle(bundle).description.labels)
    feeds: Mapping[str, FloatArray] = random_feeds(labels=labels)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        for path in bundle.iterdir():
            shutil.copy(path, folder / path.name)
        write_identity(folder / IDENTITY)
        copy_onnx_runtime(folder)
        with served(folder) as url, fresh_page(url) as driver:
            worker = start_ort(driver, feeds)
            for graph in GRAPHS:
                worker.call("create", graph=f"{graph}.onnx", weights="classifier.weights")
            return _rounds({graph: _call(worker, f"{graph}.onnx") for graph in GRAPHS}, rounds)


def _call(worker: Worker, graph: str) -> Callable[[], float]:
    return lambda: float(worker.call("time", graph=graph))


def time_methods(bundle: Path, rounds: int) -> Times:
    """Return the milliseconds of each method in Python, and of a prediction's run of the classifier."""
    predictor = Predictor(load_bundle(bundle))
    image, finding = bundle / "golden.png", predictor.model.labels[0].name
    seen = predictor.explain(image, [], force=True).seen

    def predict() -> float:
        return float(predictor.predict(image, force=True)["timings"]["classifier"])

    def explain(method: str) -> float:
        wanted = [{"finding": finding, "method": method}]
        return float(predictor.explain(image, wanted, force=True, seen=seen).document["timings"]["explanation"])

    calls: dict[str, Callable[[], float]] = {"classifier": predict}
    for method in [name for name, row in METHODS.items() if row.runs < MANY_RUNS]:  # others: causal_effects.py
        calls[method] = lambda method=method: explain(method)  # type: ignore[misc]
    return _rounds(calls, rounds)


def _rounds(calls: Mapping[str, Callable[[], float]], rounds: int) -> Times:
    times: Times = {name: [] for name in calls}
    for number in range(-1, rounds):  # one before the first, which makes sessions and warms caches
        for name, call in calls.items():
            milliseconds = call()
            if number >= 0:
                times[name].append(milliseconds)
    return times


def memory_growth(bundle: Path) -> float:
    """Return by how many megabytes what this process holds grows in the second half of many explanations (Linux).

    What is held now is read, not the high-water mark, which larger networks have set before.
    """
    predictor = Predictor(load_bundle(bundle))
    image, finding = bundle / "golden.png", predictor.model.labels[0].name
    seen, held = predictor.explain(image, [], force=True).seen, []
    for number in range(EXPLANATIONS):
        method = ("saliency", "cam", "grad-cam", "guided-grad-cam")[number % 4]
        predictor.explain(image, [{"finding": finding, "method": method}], force=True, seen=seen)
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
        held.append(pages * resource.getpagesize() / 1e6)
    return held[-1] - held[EXPLANATIONS // 2]


def table(title: str, times: Times) -> Table:
    """Show medians, and ratios to the classifier's run of the same round with their 95 % intervals."""
    shown = Table("", "median, ms", "predictions (95 % interval of the median)", title=title)
    for name, values in times.items():
        ratios = [value / base for value, base in zip(values, times["classifier"], strict=True)]
        shown.add_row(name, f"{statistics.median(values):.0f}", median_interval(ratios).text())
    return shown


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20, help="in the browser")
    parser.add_argument("--native-rounds", type=int, default=5, help="in Python")
    parser.add_argument("--json", type=Path, help="also write all times here")
    options = parser.parse_args()
    console, measured = Console(width=120), dict[str, Any]()
    with tempfile.TemporaryDirectory() as name:
        write_densenet(Path(name))
        for title, bundle in (("the bundle that ships", default_bundle()), ("DenseNet-121", Path(name))):
            measured[title] = {}
            for place, rounds, measure in (
                ("in Chromium", options.rounds, time_graphs),
                ("natively, whole explanations", options.native_rounds, time_methods),
            ):
                if rounds:
                    measured[title][place] = measure(bundle, rounds)
                    console.print(table(f"{title}, {place}", measured[title][place]))
    measured["memory"] = memory_growth(default_bundle())
    console.print(f"{EXPLANATIONS} explanations: memory grows by {measured['memory']:.1f} MB over the second half")
    console.print(f"{os.cpu_count()} processors, {time.strftime('%Y-%m-%d')}")
    if options.json:
        options.json.write_text(json.dumps(measured, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
