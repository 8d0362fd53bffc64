"""Are causal effect maps stable under attack? python -m tests.studies.causal_stability IMAGES [--json FILE]

Yang et al. 2019 say that they are more so than class activation maps. Each map of the clean
image's most probable finding is compared with that of the attacked image, on the coarser map's own grid, by rank
correlation and by the overlap of the strongest tenth of the cells. A causal effect map of other masks of the clean
image says how alike two of them are without any attack.
"""

import argparse
import json
from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import sitegen
from sitegen.evaluation.concepts.document import mean_interval
from sitegen.evaluation.explanations.graphs import Graphs, draw, open_graphs
from sitegen.evaluation.explanations.localisation.cases import listed
from sitegen.evaluation.explanations.similarity import rank_correlation, top_overlap
from sitegen.prediction import Predictor
from sitegen_runtime.attacks.methods import Wish, logits_of
from sitegen_runtime.calibration import sigmoid
from sitegen_runtime.interventions.draws import Draws
from sitegen_runtime.interventions.fillings import BLACK, Canvas
from sitegen_runtime.interventions.tiles import draw_tiles
from sitegen_runtime.maps.causal_effect import SEED, CausalEffects
from sitegen_runtime.pixels.geometry import square

ATTACKS = (("fgsm", 0.3), ("fgsm", 2 / 255), ("pgd", 0.3), ("pgd", 2 / 255))
MEASURES = {"rank correlation": rank_correlation, "overlap of the strongest tenth": top_overlap}
Map = NDArray[np.float64]


def effect_map(predictor: Predictor, image: "array[float]", finding: int, runs: int, seed: int, side: int) -> Map:
    """The contrast of a causal effect map of so many runs, its means over side x side blocks."""
    entry = predictor.model.graphs["classifier"].images[0]
    draws, found = Draws(seed), CausalEffects(entry.grid)
    filling = Canvas(image, entry, square(0, 0, entry.side)).filled(BLACK)
    for _ in range(runs):
        tiles = draw_tiles(entry.grid, draws)
        logits = predictor.drive(logits_of(predictor.model, tiles.masked(image, filling)))
        found.add(tiles, sigmoid(logits[finding]))
    whole = np.array(found.contrast().values, np.float64).reshape(entry.grid)
    size = entry.side // side
    return np.asarray(whole.reshape(side, size, side, size).mean(axis=(1, 3)))


def coarse(graphs: Graphs, image: "array[float]", finding: int, method: str, side: int) -> Map:
    """A map of a method, its means over side x side blocks."""
    shape = graphs.model.graphs["classifier"].images[0].shape
    drawn = draw(graphs, np.array(image, np.float32).reshape(shape)[0], finding, method)
    size = len(drawn) // side
    return np.asarray(drawn.reshape(side, size, side, size).mean(axis=(1, 3)))


def stability(predictor: Predictor, graphs: Graphs, image: "array[float]", runs: int, side: int) -> dict[str, Any]:
    """How alike maps of the clean and of the attacked image are, by map, attack and measure."""
    logits = predictor.drive(logits_of(predictor.model, image))
    finding = int(np.argmax(logits))

    def maps(values: "array[float]") -> dict[str, Map]:
        made = {name: coarse(graphs, values, finding, name, side) for name in ("cam", "grad-cam")}
        return made | {"cem": effect_map(predictor, values, finding, runs, SEED, side)}

    clean = maps(image)
    again = effect_map(predictor, image, finding, runs, SEED + 1, side)
    found = {"no attack, other masks": {"cem": _alike(clean["cem"], again)}}
    for attack, strength in ATTACKS:
        attacked = maps(predictor.attack(image, Wish(attack, strength)).image)
        found[f"{attack} {strength:.3g}"] = {name: _alike(clean[name], attacked[name]) for name in clean}
    return found


def _alike(first: Map, second: Map) -> dict[str, float]:
    return {name: measure(first, second) for name, measure in MEASURES.items()}


def told(title: str, rows: Sequence[tuple[str, dict[str, float]]], seed: int = 0) -> dict[str, Any]:
    """Means over images with intervals over patients, printed and returned; rows are (patient, values)."""
    patients = [patient for patient, _ in rows]
    print(f"{title}: {len(rows)} images of {len(set(patients))} patients")
    made = {}
    for key in rows[0][1]:
        made[key] = mean_interval(np.array([values[key] for _, values in rows]), patients, 1000, seed)
        print(f"  {key}: {made[key]['value']:.4f} ({made[key]['low']:.4f} to {made[key]['high']:.4f})")
    return made


def flat(found: dict[str, Any]) -> dict[str, float]:
    """Every measure by attack and map in one level; and by how much the causal effect map is ahead of both others."""
    values: dict[str, float] = {}
    for attack, maps in found.items():
        for measure in MEASURES:
            values |= {f"{measure}, {attack}, {name}": each[measure] for name, each in maps.items()}
            for other in maps.keys() - {"cem"}:
                values[f"{measure}, {attack}, cem less {other}"] = maps["cem"][measure] - maps[other][measure]
    return dict(sorted(values.items()))


def sample(place: Path, split: str, limit: int) -> Iterator[tuple[Path, str]]:
    """Images of a split, a random part of them."""
    found = [each for each in listed([place]) if split in ("all", each.split)]
    for at in sorted(np.random.default_rng(0).permutation(len(found))[:limit]):
        yield found[at].path, found[at].patient


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("images", type=Path)
    parser.add_argument("--split", default="test")
    parser.add_argument("--limit", type=int, default=10)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    bundle = sitegen.load_bundle()
    predictor, graphs, document = Predictor(bundle), open_graphs(bundle), {}
    rows = []
    for path, patient in sample(asked.images, asked.split, asked.limit):
        seen = predictor.analyse(path.read_bytes(), str(path)).seen
        if seen is not None and not seen.draft.refused:
            rows.append((patient, flat(stability(predictor, graphs, seen.image.values, asked.runs, 8))))
    document["stability"] = told("How alike maps of clean and attacked images are", rows)
    if asked.json:
        asked.json.write_text(json.dumps(document, indent=1), "utf-8")


if __name__ == "__main__":
    main()
