"""What masked runs and a "what if" cost natively, in predictions: the bundle that ships, and DenseNet-121.

    python benchmarks/causal_effect_cost.py [--runs 10] [--rounds 5]

Processor time of one thread, not the clock's: other work on the machine then matters little, and ratios within a round
less still. A prediction is an image's whole way, from PNG bytes to result; a masked run is one of a causal effect map
(--runs of them are made, the map's end included); a "what if" is one region filled with black, whose image was
analysed before. DenseNet-121 has random weights, one channel, 224 x 224 and no gate.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
from densenet_files import random_densenet
from PIL import Image

from sitegen.bundle import Bundle, Label, Licence, load_bundle
from sitegen.export.golden import write_golden
from sitegen.export.onnx_export import export_onnx
from sitegen.export.write_bundle import Draft, write_bundle
from sitegen.prediction import Predictor
from sitegen.resources import default_bundle
from sitegen_runtime.bundle.model import NetworkInput
from sitegen_runtime.maps import masked_runs

SIDE = 768  # pixels of the image
REGION = [[200, 200, 200, 150]]


def write_classifier(folder: Path) -> Bundle:
    """Write DenseNet-121 as a bundle that has a classifier and nothing else."""
    image = NetworkInput("image", (1, 1, 224, 224), "grey", 1.0, (-1.0, 1.0), (0.0,), (1.0,))
    export_onnx(random_densenet(), image.shape, "logits", folder / "classifier.onnx")
    (folder / "card.md").write_text("# DenseNet-121\n", encoding="utf-8")
    write_golden(folder, image)
    labels = [Label(name=f"finding {number}", operating_point=0.5) for number in range(18)]
    licence = Licence(weights="Apache-2.0", data="none")
    write_bundle(folder, Draft("densenet121", "1", "", licence, labels, None, False, None), {"classifier": image})
    return load_bundle(folder)


def seconds(work: Callable[[], object]) -> float:
    """Return the processor time that something takes."""
    start = time.process_time()
    work()
    return time.process_time() - start


def measure(name: str, bundle: Bundle, runs: int, rounds: int) -> None:
    """Print the costs of a bundle: medians of the rounds, least and greatest in brackets."""
    masked_runs.__dict__["RUNS"] = runs
    predictor, out = Predictor(bundle), BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (SIDE, SIDE), np.uint8)).save(out, "PNG")
    data, wanted = out.getvalue(), [{"finding": bundle.description.labels[0].name, "method": "cem"}]
    change = [{"regions": REGION, "filling": "black"}]
    seen = predictor.analyse(data, "image", force=True).seen
    ways: dict[str, Callable[[], object]] = {
        "prediction": lambda: predictor.analyse(data, "image", force=True),
        "map": lambda: predictor.explain(data, wanted, force=True),
        "what if": lambda: predictor.what_if(data, change, force=True, seen=seen),
    }
    found: list[dict[str, float]] = []
    for _ in range(rounds + 1):
        found.append({way: seconds(work) for way, work in ways.items()})
    found = found[1:]  # the first opens sessions
    print(name)
    print("  prediction:", told([1000 * each["prediction"] for each in found], "ms of processor time"))
    masked = [(each["map"] - each["prediction"]) / runs / each["prediction"] for each in found]
    print("  a masked run:", told(masked, "predictions"))
    print("  500 masked runs:", told([500 * each for each in masked], "predictions"))
    print("  what if:", told([each["what if"] / each["prediction"] for each in found], "predictions"))


def told(values: list[float], unit: str) -> str:
    """A median with its ends."""
    return f"{statistics.median(values):.3g} ({min(values):.3g} to {max(values):.3g}) {unit}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    measure("the bundle that ships", load_bundle(default_bundle()), given.runs, given.rounds)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        measure("DenseNet-121", write_classifier(Path(name)), given.runs, given.rounds)


if __name__ == "__main__":
    main()
