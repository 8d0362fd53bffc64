"""All images of a folder against their reconstructions: rows as they are measured, one after another.

Pairs come from two folders with the same names, or from one and a bundle's gate, see `of_bundle`. An image that cannot
be read has a row with a note, and the others are measured.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sitegen import parallel
from sitegen.errors import SettingsError
from sitegen.evaluation.explanations.localisation.regions import Frame
from sitegen.evaluation.reconstructions.measured import How, Measured, Row, measure
from sitegen.evaluation.reconstructions.of_bundle import Rebuilder, rebuilder
from sitegen.evaluation.reconstructions.planes import (
    Plane,
    PlaneProblem,
    images_by_name,
    need_same_names,
    read_alike,
    read_plane,
)
from sitegen.evaluation.reconstructions.table import PLACE


@dataclass(frozen=True)
class Study:
    """What is measured: images, and their reconstructions or the bundle that makes them; masks of the body; how; and
    where pictures of the worst patches are saved."""

    images: Path
    reconstructions: Path | None = None
    bundle: Path | None = None
    masks: Path | None = None
    pairs: Path | None = None
    how: How = field(default_factory=How)
    workers: int | None = None


@dataclass(frozen=True)
class _Item:
    name: str
    image: Path
    reconstruction: Path | None
    mask: Path | None


@dataclass(frozen=True)
class Answer:
    """A row, and whether something of it could not be measured that should have been."""

    row: Row
    failed: bool


def study(asked: Study) -> Iterator[Answer]:
    """Return the rows of a folder's images in order, as they are measured; all names are checked before the first.

    Raises DataError where names do not match, SettingsError for options that do not go together.
    """
    if (asked.reconstructions is None) == (asked.bundle is None):
        raise SettingsError("Name either --reconstructions DIR or --bundle DIR, which makes them.")
    if asked.bundle and asked.masks:
        raise SettingsError("--masks belong to --reconstructions: a bundle's gate sees a part of the image, scaled.")
    items = _items(asked)
    rebuild = rebuilder(asked.bundle) if asked.bundle else None
    if asked.pairs:
        asked.pairs.mkdir(parents=True, exist_ok=True)
    work = partial(_answer, asked.how, asked.pairs, rebuild)
    return parallel.streamed(work, items, asked.workers)


def _items(asked: Study) -> list[_Item]:
    images = images_by_name(asked.images)
    others: dict[str, dict[str, Path]] = {}
    for folder, of in ((asked.reconstructions, "reconstruction"), (asked.masks, "mask")):
        if folder:
            others[of] = images_by_name(folder)
            need_same_names(asked.images, images, folder, others[of], of)
    made, masks = (others.get(of, {}) for of in ("reconstruction", "mask"))
    return [_Item(name, path, made.get(name), masks.get(name)) for name, path in images.items()]


def _answer(how: How, pairs: Path | None, rebuild: Rebuilder | None, item: _Item) -> Answer:
    try:
        image, made, frame = rebuild(item.image) if rebuild else _read(item)
        mask = _mask(item.mask, image, item.image) if item.mask else None
    except PlaneProblem as problem:
        return Answer({"image": item.name, "note": str(problem)}, True)
    found = measure(image, made, how, mask)
    if pairs:
        _save_pairs(pairs, item.name, image, made, found, how.patches.size)
    place = dict(zip(PLACE, (frame.left, frame.top, frame.width, frame.height), strict=True))
    note = f"{item.image}: {'; '.join(found.notes)}" if found.notes else None
    return Answer(
        {"image": item.name, **found.cells, **place, "note": note}, "patch" in how.regions and not found.worst
    )


def _read(item: _Item) -> tuple[Plane, Plane, Frame]:
    assert item.reconstruction is not None  # noqa: S101 - for the type checker: `_items` saw to it
    image = read_plane(item.image)
    return image, read_alike(item.reconstruction, image, item.image), Frame()


def _mask(path: Path, image: Plane, of: Path) -> NDArray[np.bool_]:
    mask = read_plane(path)
    if mask.shape != image.shape:
        raise PlaneProblem(f"the mask {path} has another size than {of}. Make them alike.")
    return np.asarray(mask > 0)


def _save_pairs(folder: Path, name: str, image: Plane, made: Plane, found: Measured, size: int) -> None:
    """Save the worst patch by each distance, at its right that of the reconstruction."""
    for distance, window in found.worst.items():
        part = np.s_[window.y : window.y + size, window.x : window.x + size]
        path = folder / f"{name}-{distance}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.hstack([image[part], made[part]])).save(path)
