"""Maps against boxes, a little at a time: python -m tests.studies.boxed_maps DATA BOXES STATE [--rounds N]

What `sitegen evaluate explanations DATA --boxes BOXES --split test --force` measures, for whom an hour of computing
must be cut in pieces: every map, and every answer behind a mask, is kept in the folder STATE; stopped, the same
command goes on. Causal effect maps grow by --step masks in each round over all images, and the masks are the first of
those that the page takes: 500 of them give its map. After each round the figures are written to STATE/figures.json.
"""

from __future__ import annotations  # array[float] is a name for type checkers until Python 3.12

import argparse
import hashlib
import json
from array import array
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sitegen.bundle import Bundle, load_bundle
from sitegen.evaluation.explanations.graphs import Graphs, draw, open_graphs
from sitegen.evaluation.explanations.localisation.boxes import read_boxes
from sitegen.evaluation.explanations.localisation.cases import Gathered, gather, listed
from sitegen.evaluation.explanations.localisation.document import localisation_document
from sitegen.evaluation.explanations.localisation.document_types import LocalisationDocument
from sitegen.evaluation.explanations.localisation.measured import look
from sitegen.evaluation.explanations.seeing import see
from sitegen.evaluation.explanations.similarity import Map
from sitegen.evaluation.report.page import interval
from sitegen.prediction import Predictor
from sitegen.resources import default_bundle
from sitegen_runtime.interventions.draws import Draws
from sitegen_runtime.interventions.fillings import black
from sitegen_runtime.interventions.tiles import Tiles, draw_tiles
from sitegen_runtime.maps.causal_effect import RUNS, SEED, CausalEffects

CEM = "cem"
METHODS = ("saliency", "cam", "grad-cam", "guided-grad-cam")
Image = NDArray[np.float32]


class Kept:
    """Maps and answers in a folder: what is there is not computed again."""

    def __init__(self, folder: Path, bundle: Bundle) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.graphs, self.entry = folder, open_graphs(bundle), bundle.model.graphs["classifier"].images[0]
        draws = Draws(SEED)
        self.masks: list[Tiles] = [draw_tiles(self.entry.grid, draws) for _ in range(RUNS)]
        self.filling = black(self.entry)

    def drawn(self, graphs: Graphs, image: Image, finding: int, method: str) -> Map:
        """A map as `draw` gives it, of causal effects that of the answers so far."""
        if method == CEM:
            effects = CausalEffects(self.entry.grid)
            for tiles, logits in zip(self.masks, self.answers(image), strict=False):
                effects.add(tiles, float(logits[finding]))
            return np.array(effects.contrast().values, np.float64).reshape(image.shape[1:])
        path = self._path(image, f"{finding}-{method}")
        if not path.exists():
            _save(path, draw(graphs, image, finding, method))
        return np.load(path)

    def answers(self, image: Image) -> NDArray[np.float64]:
        """Logits [runs, labels] of the masked image, those so far."""
        path = self._path(image, "answers")
        found: NDArray[np.float64] = np.load(path) if path.exists() else np.zeros((0, 0))
        return found

    def ask(self, image: Image, runs: int) -> None:
        """Have answers behind the first `runs` masks."""
        known, graph = self.answers(image), self.graphs.model.graphs["classifier"]
        session, flat, name = self.graphs.session("classifier"), array("f", image.tobytes()), graph.images[0].name
        more = [
            session.run(
                [graph.outputs["logits"].name],
                {name: np.frombuffer(tiles.masked(flat, self.filling), np.float32).reshape(1, *image.shape)},
            )[0][0].astype(np.float64)
            for tiles in islice(self.masks, len(known), runs)
        ]
        if more:
            _save(self._path(image, "answers"), np.concatenate([known.reshape(-1, len(more[0])), more]))

    def _path(self, image: Image, what: str) -> Path:
        return self.folder / f"{hashlib.sha256(image.tobytes()).hexdigest()[:20]}-{what}.npy"


def _save(path: Path, values: NDArray[np.float64]) -> None:
    part = path.with_suffix(".part.npy")
    np.save(part, values)
    part.rename(path)


def told(kept: Kept, bundle: Bundle, gathered: Gathered, methods: list[str], boxes: Path, runs: int) -> None:
    """Write and print the figures of so many masks."""
    found = look(bundle, gathered, methods, force=True, drawing=kept.drawn)
    labels = [label.name for label in bundle.model.labels]
    document = localisation_document(found, gathered, labels, boxes.name, 1000, 0)
    (kept.folder / "figures.json").write_text(json.dumps({"runs": runs, **document}, indent=1), "utf-8")
    print(f"{runs} masks, {document['all']['cases']} cases of {document['all']['patients']} patients")
    print("\n".join(rows(document)))


def rows(document: LocalisationDocument) -> Iterator[str]:
    """Yield the lines of a table of all cases, as documents have it."""
    yield "| map | strongest place in a box | less the usual place | share inside | IoU above 0.1 | above 0.3 | false |"
    yield "|---|---|---|---|---|---|---|"
    for each in document["all"]["maps"]:
        at = {round(part["above"], 1): part for part in each["iou"]}
        hits = [at[above]["hits"] if above in at else None for above in (0.1, 0.3)]
        false = at[0.1]["false_positives"] if at else None
        found = (each["pointing"], each["difference"], each["energy"], *hits)
        alone = "–" if false is None else f"{false:.1f}"
        yield f"| `{each['name']}` | {' | '.join(map(interval, found))} | {alone} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("boxes", type=Path)
    parser.add_argument("state", type=Path)
    parser.add_argument("--rounds", type=int, default=4, help="over all images; 4 of 125 masks are all 500")
    parser.add_argument("--step", type=int, default=125, help="masks in each round")
    parser.add_argument("--methods", default=",".join(METHODS), help="beside cem")
    parser.add_argument("--first", type=int, help="of the images with boxes, by name; all by default")
    asked = parser.parse_args()
    bundle = load_bundle(default_bundle())
    labels = [label.name for label in bundle.model.labels]
    gathered = gather(read_boxes(asked.boxes), listed([asked.data]), labels, "test")
    gathered = replace(gathered, images=gathered.images[: asked.first])
    kept, predictor = Kept(asked.state, bundle), Predictor(bundle)
    seen = [see(predictor, each.path, force=True) for each in gathered.images]
    images = [each.image for each in seen if not isinstance(each, str)]
    for number in range(asked.rounds):
        runs = min((number + 1) * asked.step, RUNS)
        for image in images:
            kept.ask(image, runs)
        least = min(len(kept.answers(image)) for image in images)
        if least == runs:  # else an earlier call has been further, and told it
            told(kept, bundle, gathered, [CEM, *asked.methods.split(",")], asked.boxes, runs)


if __name__ == "__main__":
    main()
