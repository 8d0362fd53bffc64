"""The worst patch by sums over all windows, against a loop over windows with scikit-image and SciPy.

    python benchmarks/patch_search.py [--loops 512] [--json FILE]

Image and reconstruction are a phantom and the same phantom blurred, with noise in it: no patient, no file.
Both ways run in turn in this process, on one thread; times are CPU times, so that other programs change little. The
loop visits every window once. Both have to find the same patch, and the same value to 1e-9, or the program ends there.
"""

import argparse
import json
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.stats import wasserstein_distance
from skimage.metrics import mean_squared_error

from sitegen.evaluation.reconstructions.patches import Patches, Worst, patch_errors, patch_wasserstein, worst
from sitegen.evaluation.reconstructions.planes import Plane
from sitegen.phantom import phantom

SIDES = (256, 512, 1024, 2048)
PATCHES = Patches(32, 1)
REPEATS = 5
ROUNDING = 1e-9

WAYS: dict[str, tuple[Callable[..., Any], Callable[..., float]]] = {
    "squared error": (patch_errors, mean_squared_error),
    "Wasserstein": (patch_wasserstein, lambda a, b: float(wasserstein_distance(a.ravel(), b.ravel()))),
}


def pair(side: int, bits: int = 8) -> tuple[Plane, Plane]:
    """An image and its reconstruction."""
    rng = np.random.default_rng(0)
    image = phantom(0, side).astype(np.float64) * (257 if bits == 16 else 1)
    made = gaussian_filter(image, side / 128) + rng.normal(0, 2 ** (bits - 7), image.shape)
    kind: Any = np.uint16 if bits == 16 else np.uint8
    return image.astype(kind), np.clip(made, 0, 2**bits - 1).astype(kind)


def quick(measure: Callable[..., Any], image: Plane, made: Plane) -> tuple[Worst, float, float]:
    """The worst patch; the least CPU seconds of a few runs; and the most memory that NumPy held meanwhile, in MB."""
    seconds = []
    for _ in range(REPEATS if image.shape[0] < 1024 else 2):
        start = time.process_time()
        found = worst(measure(image, made, PATCHES), image, PATCHES)
        seconds.append(time.process_time() - start)
    tracemalloc.start()
    worst(measure(image, made, PATCHES), image, PATCHES)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return found, min(seconds), peak / 1e6


def looped(measure: Callable[..., float], image: Plane, made: Plane) -> tuple[Worst, float]:
    """The worst patch by looking at every window, and the CPU seconds."""
    start = time.process_time()
    best = Worst(-1.0, 0, 0)
    size = PATCHES.size
    for y in range(image.shape[0] - size + 1):
        for x in range(image.shape[1] - size + 1):
            value = float(measure(image[y : y + size, x : x + size], made[y : y + size, x : x + size]))
            if value > best.value:
                best = Worst(value, x, y)
    return best, time.process_time() - start


def check_same(found: Worst, expected: Worst) -> None:
    """Stop where two ways do not give the same. Places may differ only where two windows are equal to rounding."""
    assert abs(found.value - expected.value) <= ROUNDING * max(1.0, expected.value), (found, expected)
    assert (found.x, found.y) == (expected.x, expected.y), (found, expected)


def row(name: str, side: int, bits: int, loop_side: int) -> dict[str, Any]:
    """A row of the table: a distance on images of a side and a depth."""
    measure, reference = WAYS[name]
    image, made = pair(side, bits)
    found, seconds, megabytes = quick(measure, image, made)
    result: dict[str, Any] = {"distance": name, "side": side, "bits": bits, "seconds": seconds, "MB": megabytes}
    if side == loop_side:
        expected, loop = looped(reference, image, made)
        check_same(found, expected)
        result |= {"loop": loop, "ratio": loop / seconds}
    print(
        f"| {name} | {side} | {bits} | {1000 * seconds:.1f} | {megabytes:.0f} | "
        + (f"{result['loop']:.1f} | {result['ratio']:.0f} |" if "loop" in result else " | |"),
        flush=True,
    )
    return result


def main() -> None:
    """Print the table, row by row."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--loops", type=int, default=512, help="the side at which the loop runs, too; 0 for never")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    print("| distance | side, pixels | bits | CPU time, ms | memory, MB | loop, CPU s | times faster |")
    print("|---|---|---|---|---|---|---|")
    rows = [row(name, side, 8, arguments.loops) for name in WAYS for side in SIDES]
    rows += [row("Wasserstein", 512, 16, arguments.loops)]
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
