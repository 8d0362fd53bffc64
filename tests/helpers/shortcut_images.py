"""Made data sets for the shortcut audit: images of nothing, in which what is planted is known."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from sitegen.data.audit.shortcuts.features import Table
from sitegen.data.audit.shortcuts.measures import MEASURES
from sitegen.data.audit.shortcuts.thumbnails import THUMBNAIL
from sitegen.data.records import Record

SIDE = 40


def grain(seed: int, blur: float = 0.0) -> Image.Image:
    """Return grey grain, 40 x 40 pixels; with a `blur` of its own, in pixels."""
    pixels = np.random.default_rng(seed).integers(60, 200, (SIDE, SIDE), dtype=np.uint8)
    image = Image.fromarray(pixels)
    return image.filter(ImageFilter.GaussianBlur(blur)) if blur else image


def write_images(
    folder: Path, present: Sequence[bool], *, blurred: Sequence[bool], label: str = "Mass"
) -> list[Record]:
    """Write an image for each label, some blurred; return their records, each of a patient of its own, to train on."""
    folder.mkdir(parents=True, exist_ok=True)
    records = []
    for number, (has, soft) in enumerate(zip(present, blurred, strict=True)):
        path = folder / f"{number}.png"
        grain(number, 0.8 if soft else 0.0).save(path)
        records.append(Record(path, f"p{number}", {label: float(has)}, "train", "here"))
    return records


def measured_table(records: Sequence[Record], columns: dict[str, NDArray[np.float64]], seed: int = 0) -> Table:
    """Return a table of records in which those measures are as given, all others the same for all images.

    Thumbnails are noise.
    """
    values = np.zeros((len(records), len(MEASURES)))
    for name, column in columns.items():
        values[:, list(MEASURES).index(name)] = column
    thumbnails = np.random.default_rng(seed).random((len(records), THUMBNAIL, THUMBNAIL)).astype(np.float32)
    return Table(records, values, thumbnails)


def labelled(present: Sequence[float | None], patients: Sequence[int], sources: Sequence[str] = ()) -> list[Record]:
    """Return records of the label "Mass" without files, of these patients and sources."""
    named = sources or [""] * len(present)
    return [
        Record(Path(f"{number}.png"), f"p{patient}", {"Mass": has}, "train", source)
        for number, (has, patient, source) in enumerate(zip(present, patients, named, strict=True))
    ]
