"""Static int8 beside float in the page: time, differences from float, and whether page and native engine agree.

    python benchmarks/quantised_in_page.py      # --bundle DIR, --images DIR, --rounds N, --only NAME, --json FILE

Quantised as `--weights static-int8` does it (`sitegen.export.variants.static`), calibrated on images of `--images` or
on drawn radiographs. Each round runs float and int8 in turn, in alternate order, in one worker of headless Chromium,
WebAssembly on one thread; ratios are taken within a round.
"""

import argparse
import json
import shutil
import statistics
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnx
from browser_engines import IDENTITY, Worker, copy_onnx_runtime, fresh_page, results, served, start_ort
from densenet_files import FORWARD, SIDE, FloatArray, random_densenet, write_graphs, write_identity
from median_interval import median_interval
from onnx import TensorProto, helper, numpy_helper

from sitegen import resources
from sitegen.bundle import load_bundle
from sitegen.export.variants.static import quantise
from sitegen.graphs.session import open_session
from sitegen.importing.proof.sample_images import sample_images

FLOAT, INT8 = "float.onnx", "int8.onnx"


@dataclass(frozen=True)
class Case:
    """A network as it is, what it is calibrated on, and what it is compared on: both [N, 1, side, side]."""

    name: str
    graph: Path
    calibration: FloatArray
    shown: FloatArray


def cases(folder: Path, bundle_folder: Path, images: Path | None, names: list[str]) -> Iterator[Case]:
    """Yield the networks; the random one sees what normalised images are like."""
    if "bundle" in names:
        bundle = load_bundle(bundle_folder)
        (image,) = bundle.model.graphs["classifier"].images
        tensors = sample_images([images] if images else [], image).tensors
        yield Case(bundle.description.name, bundle.path("classifier.onnx"), tensors[::2], tensors[1::2])
    if "densenet" in names:
        write_graphs(random_densenet(), folder)
        noise = np.random.default_rng(1).standard_normal((12, 1, SIDE, SIDE)).astype(np.float32)
        yield Case("DenseNet-121, random", folder / FORWARD, noise[:8], noise[8:])
    if "layers" in names:
        yield from _layers(folder)


def _layers(folder: Path) -> Iterator[Case]:
    """Yield eight equal convolutions in a row, of the kinds that networks are made of; each with 96 channels."""
    images = np.random.default_rng(3).standard_normal((10, 96, 56, 56)).astype(np.float32)
    for name, size, groups in (("3 x 3 by channel", 3, 96), ("1 x 1", 1, 1), ("3 x 3", 3, 1)):
        kernels = {
            f"kernel{at}": np.random.default_rng(at).standard_normal((96, 96 // groups, size, size)).astype(np.float32)
            * (2 / (96 // groups * size**2)) ** 0.5
            for at in range(8)
        }
        pads, last = [size // 2] * 4, "image"
        nodes = []
        for at, kernel in enumerate(kernels):
            made = (f"map{at}", f"positive{at}")
            nodes.append(helper.make_node("Conv", [last, kernel], [made[0]], group=groups, pads=pads, name=f"conv{at}"))
            nodes.append(helper.make_node("Relu", [made[0]], [made[1]], name=f"relu{at}"))
            last = made[1]
        nodes += [
            helper.make_node("GlobalAveragePool", [last], ["mean"], name="mean"),
            helper.make_node("Flatten", ["mean"], ["logits"], name="flat"),
        ]
        ends = [
            helper.make_tensor_value_info(end, TensorProto.FLOAT, shape)
            for end, shape in (("image", [1, 96, 56, 56]), ("logits", [1, 96]))
        ]
        stored = [numpy_helper.from_array(value, kernel) for kernel, value in kernels.items()]
        graph = helper.make_graph(nodes, "layers", ends[:1], ends[1:], stored)
        path = folder / f"{size}-{groups}.onnx"
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), str(path))
        yield Case(f"8 convolutions, {name}", path, images[:8], images[8:])


def write_both(case: Case, folder: Path) -> None:
    """Write both forms into a folder, each in one file."""
    onnx.save(onnx.load(str(case.graph)), str(folder / FLOAT))
    shutil.copy(folder / FLOAT, folder / INT8)
    quantise(folder / INT8, case.calibration, grouped=True)


def measure(case: Case, folder: Path, url: str, rounds: int) -> dict[str, Any]:
    """Return sizes, milliseconds, ratios, and differences of logits."""
    feeds = {"image": case.shown[:1], "seed": np.zeros((1, 1), np.float32)}
    with fresh_page(url) as driver:
        worker = start_ort(driver, feeds)
        for graph in (FLOAT, INT8):
            worker.call("create", graph=graph, weights=IDENTITY)
            worker.call("time", graph=graph, explain=False)
        page = {graph: results(worker, graph=graph, explain=False)["logits"] for graph in (FLOAT, INT8)}
        times: dict[str, list[float]] = {FLOAT: [], INT8: []}
        for number in range(rounds):
            for graph in (FLOAT, INT8) if number % 2 else (INT8, FLOAT):
                times[graph].append(_best_of_two(worker, graph))
    native = {graph: native_logits(folder / graph, case.shown) for graph in (FLOAT, INT8)}
    ratios = [quick / slow for quick, slow in zip(times[INT8], times[FLOAT], strict=True)]
    moved = np.abs(_sigmoid(native[INT8]) - _sigmoid(native[FLOAT]))
    return {
        "bytes": {graph: (folder / graph).stat().st_size for graph in (FLOAT, INT8)},
        "ms": {graph: statistics.median(values) for graph, values in times.items()},
        "int8 of float, page": median_interval(ratios).text(),
        "int8 of float, native": native_ratio(folder, case.shown[:1], rounds),
        "logits, page from native": {g: float(np.abs(page[g] - native[g][0]).max()) for g in (FLOAT, INT8)},
        "logits, int8 from float": float(np.abs(native[INT8] - native[FLOAT]).max()),
        "probabilities moved": {"mean": float(moved.mean()), "largest": float(moved.max())},
        "images": {"calibration": len(case.calibration), "compared": len(case.shown)},
    }


def _best_of_two(worker: Worker, graph: str) -> float:
    return min(float(worker.call("time", graph=graph, explain=False)) for _ in range(2))


def native_logits(graph: Path, images: FloatArray) -> FloatArray:
    """Return the logits [N, labels] of native ONNX Runtime."""
    session = open_session(graph)
    return np.concatenate([session.run(["logits"], {"image": image[np.newaxis]})[0] for image in images])


def native_ratio(folder: Path, image: FloatArray, rounds: int) -> str:
    """Return how long int8 takes of float, natively on one thread, as medians of ratios within a round."""
    from time import process_time

    sessions = {graph: open_session(folder / graph) for graph in (FLOAT, INT8)}
    ratios = []
    for number in range(rounds + 1):
        took = {}
        for graph, session in sessions.items():
            start = process_time()
            session.run(["logits"], {"image": image})
            took[graph] = process_time() - start
        if number:
            ratios.append(took[INT8] / took[FLOAT])
    return median_interval(ratios).text()


def operators(folder: Path) -> Mapping[str, int]:
    """Return what native ONNX Runtime makes of the int8 graph: how many of each operator are left to run."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(folder / "optimised.onnx")
    options.log_severity_level = 3
    onnxruntime.InferenceSession(str(folder / INT8), options, providers=["CPUExecutionProvider"])
    graph = onnx.load(options.optimized_model_filepath, load_external_data=False).graph
    return dict(Counter(node.op_type for node in graph.node).most_common())


def _sigmoid(logits: FloatArray) -> FloatArray:
    return np.asarray(1 / (1 + np.exp(-logits.astype(np.float64))))


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", type=Path, default=resources.default_bundle())
    parser.add_argument("--images", type=Path)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--only", nargs="*", default=["bundle", "densenet", "layers"])
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    found = {}
    with TemporaryDirectory() as place:
        for case in cases(Path(place), asked.bundle, asked.images, asked.only):
            folder = Path(place) / case.name
            folder.mkdir()
            copy_onnx_runtime(folder)
            write_identity(folder / IDENTITY)
            write_both(case, folder)
            with served(folder) as url:
                found[case.name] = measure(case, folder, url, asked.rounds) | {"operators": operators(folder)}
            print(json.dumps({case.name: found[case.name]}, indent=1))
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
