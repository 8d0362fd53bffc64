"""What the classifier might read instead of the lungs: figures for its card.

    python recipes/chest-radiograph/shortcuts.py --data DIR --work WORK [--bundle BUNDLE] [--split test]

DIR has a `manifest.csv` with the columns of sitegen's own layout, and `geometry`, `source_width`, `source_height`,
`overlay_text`. Prints Markdown: AUC within groups that share a shortcut, AUC of shortcuts alone, and what small
changes to the images, which leave lungs alone, do to the classifier.
"""

import argparse
import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from sitegen.bundle import Bundle, load_bundle
from sitegen.data.tensors.cache import cached_tensors
from sitegen.metrics import auc, interval_by_patient
from sitegen.metrics.roc import auc_of_draws
from sitegen.resources import default_bundle

Images = NDArray[np.float32]
Row = dict[str, str]
POSITIVE = "PNEUMONIA"
CORNER = 0.22  # of the side
TEXT = "A-P PORTABLE 14:35"


def covered_corners(images: Images) -> Images:
    """Fill the four corners, where marks and burned-in text are, with each image's median."""
    changed = images.copy()
    reach = int(CORNER * images.shape[-1])
    shade = np.median(images, axis=(1, 2, 3))[:, None, None, None]
    for rows in (slice(None, reach), slice(-reach, None)):
        for columns in (slice(None, reach), slice(-reach, None)):
            changed[:, :, rows, columns] = shade
    return changed


def with_text(images: Images) -> Images:
    """Burn white letters into the upper left corner, as an exposure's labels are."""
    side = images.shape[-1]
    stamp = Image.new("L", (side, side))
    ImageDraw.Draw(stamp).text((side // 20, side // 20), TEXT, fill=255)
    return np.maximum(images, np.asarray(stamp, np.float32) / 255 * 2 - 1)


def stretched(factor: float) -> Callable[[Images], Images]:
    """Return what makes chests wider by a factor, keeping the middle; columns are drawn between neighbours."""

    def change(images: Images) -> Images:
        side = images.shape[-1]
        centres = (np.arange(side) + 0.5 - side / 2) / factor + side / 2 - 0.5
        left = np.clip(np.floor(centres).astype(int), 0, side - 1)
        right = np.minimum(left + 1, side - 1)
        share = np.clip(centres - left, 0, 1).astype(np.float32)
        between: Images = images[..., left] * (1 - share) + images[..., right] * share
        return between

    return change


def brighter(images: Images) -> Images:
    """Add a tenth of the range."""
    changed: Images = np.minimum(images + np.float32(0.2), np.float32(1))
    return changed


CHANGES: dict[str, Callable[[Images], Images]] = {
    "four corners covered with the median grey": covered_corners,
    f"“{TEXT}” burned in": with_text,
    "10 % wider": stretched(1.1),
    "10 % narrower": stretched(1 / 1.1),
    "brighter by a tenth of the range": brighter,
}


def probabilities(bundle: Bundle, images: Images) -> NDArray[np.float64]:
    """Return the probability of pneumonia of images [N, 1, side, side]."""
    at = [label.name for label in bundle.description.labels].index("Pneumonia")
    session = onnxruntime.InferenceSession(str(bundle.graph_path("classifier")), providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    logits = np.array([float(session.run(None, {name: image[None]})[0][0, at]) for image in images])
    return np.asarray(1 / (1 + np.exp(-logits)))


def groups(rows: list[Row]) -> Iterator[tuple[str, list[int]]]:
    """Yield names and indices of groups: sources, and within them views, geometries, and free of text."""
    for source in ("nih", "kermany"):
        own = [index for index, row in enumerate(rows) if row["set"] == source]
        yield f"{source}, all", own
        for column in ("view", "geometry", "overlay_text"):
            values = sorted({rows[index][column] for index in own})
            if len(values) > 1:
                for value in values:
                    yield f"{source}, {column} “{value}”", [index for index in own if rows[index][column] == value]


def figure(scores: NDArray[Any], targets: NDArray[Any], rows: list[Row]) -> str:
    """Return an AUC with its interval by patient."""
    patients = [row["patient_id"] for row in rows]
    return str(interval_by_patient(lambda draws: auc_of_draws(scores, targets, draws), patients))


def report(rows: list[Row], images: Images, bundle: Bundle) -> Iterator[str]:
    """Yield the lines of the report."""
    targets = np.array([row["label"] == POSITIVE for row in rows])
    plain = probabilities(bundle, images)
    aspect = np.array([int(row["source_width"]) / int(row["source_height"]) for row in rows])
    grey = images.mean(axis=(1, 2, 3))
    yield "| images | number | with pneumonia | AUC | AUC of the aspect ratio | AUC of the mean grey |"
    yield "|---|---|---|---|---|---|"
    for name, members in groups(rows):
        ill = targets[members]
        cells = ["–"] * 3
        if 5 <= ill.sum() <= len(ill) - 5:
            alone = (max(value, 1 - value) for value in (auc(each[members], ill) for each in (aspect, grey)))
            cells = [
                figure(plain[members], ill, [rows[index] for index in members]),
                *(f"{each:.2f}" for each in alone),
            ]
        yield f"| {name} | {len(ill)} | {int(ill.sum())} | {' | '.join(cells)} |"
    yield ""
    yield "| change | images | AUC before | AUC after | mean change of the probability, healthy | with pneumonia |"
    yield "|---|---|---|---|---|---|"
    for title, change in CHANGES.items():
        after = probabilities(bundle, np.ascontiguousarray(change(images), np.float32))
        for source in ("nih", "kermany"):
            own = np.array([row["set"] == source for row in rows])
            areas = [auc(each[own], targets[own]) for each in (plain, after)]
            moved = [(after - plain)[own & (targets == ill)].mean() for ill in (False, True)]
            numbers = [f"{area:.3f}" for area in areas] + [f"{step:+.3f}" for step in moved]
            yield f"| {title} | {source} | {' | '.join(numbers)} |"


def main() -> None:
    """Print the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, default=Path("build/chest-radiograph"))
    parser.add_argument("--bundle", type=Path, default=default_bundle())
    parser.add_argument("--split", default="test")
    given = parser.parse_args()
    with (given.data / "manifest.csv").open(encoding="utf-8", newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["split"] == given.split]
    bundle = load_bundle(given.bundle)
    (entry,) = bundle.model.graphs["classifier"].images
    paths = [given.data / row["file"] for row in rows]
    images = cached_tensors(paths, {"classifier": entry}, given.work / "tensors")["classifier"]
    print("\n".join(report(rows, images, bundle)))


if __name__ == "__main__":
    main()
