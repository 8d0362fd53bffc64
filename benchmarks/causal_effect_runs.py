"""How many masked copies a causal effect map needs: maps of fewer runs, and of other masks, against one of all runs.

    python benchmarks/causal_effect_runs.py DIR [--bundle DIR] [--count 8]

Of each image, the map of its most probable finding. Printed are medians over images of rank correlations over cells:
with the map of all runs for fewer of the same masks, and between two maps of all runs with other masks each. The last
says how much of a map is left when chance is drawn again.
"""

from __future__ import annotations  # array[float] is a name for type checkers until Python 3.12

import argparse
import statistics
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from sitegen.bundle import load_bundle
from sitegen.prediction import Predictor
from sitegen.prediction.networks import Networks
from sitegen.resources import default_bundle
from sitegen_runtime.interventions.draws import Draws
from sitegen_runtime.interventions.tiles import draw_tiles
from sitegen_runtime.interventions.what_if import scene_of
from sitegen_runtime.maps.causal_effect import FIRST_SKETCH, NEXT_SKETCH, RUNS, SEED, CausalEffects
from sitegen_runtime.maps.masked_runs import FILLING
from sitegen_runtime.requests import Feed, RunGraph

LOOKED_AT = (*range(FIRST_SKETCH, RUNS, NEXT_SKETCH), RUNS)


def maps(logits: Callable[[array[float]], array[float]], finding: int, canvas: Any, seed: int) -> dict[int, Any]:
    """Return the map of a finding (by index) of an image, by the number of its runs."""
    grid, draws, filling = canvas.entry.grid, Draws(seed), canvas.filled(FILLING)
    effects, found = CausalEffects(grid), {}
    for _ in range(RUNS):
        tiles = draw_tiles(grid, draws)
        effects.add(tiles, logits(tiles.masked(canvas.values, filling))[finding])
        if effects.runs in LOOKED_AT:
            found[effects.runs] = np.array(effects.contrast().values)
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--bundle", type=Path, default=default_bundle())
    parser.add_argument("--count", type=int, default=8)
    given = parser.parse_args()
    bundle = load_bundle(given.bundle)
    predictor, networks = Predictor(bundle), Networks(bundle)
    graph = predictor.model.graphs["classifier"]
    output = graph.outputs["logits"].name
    files = sorted(path for path in given.folder.iterdir() if path.suffix in (".png", ".jpg", ".jpeg"))
    correlations: dict[str, list[float]] = {}
    for path in files[:: max(1, len(files) // given.count)][: given.count]:
        seen = predictor.analyse(path.read_bytes(), path.name, force=True).seen
        if seen is None:
            continue
        canvas = scene_of(predictor.model, seen).canvases["classifier"]

        def logits(values: array[float]) -> array[float]:
            feed = Feed(graph.images[0].name, graph.images[0].shape, values)
            return networks.run(RunGraph("classifier", (feed,), (output,)))[output]

        best = int(np.argmax(logits(canvas.values)))
        first, again = (maps(logits, best, canvas, seed) for seed in (SEED, SEED + 1))
        pairs = {f"{runs} of the same runs": first[runs] for runs in LOOKED_AT[:-1]} | {f"{RUNS} others": again[RUNS]}
        for name, other in pairs.items():
            correlations.setdefault(name, []).append(float(spearmanr(other, first[RUNS]).statistic))
    for name, values in correlations.items():
        print(f"{name}: {statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f}), {len(values)} images")


if __name__ == "__main__":
    main()
