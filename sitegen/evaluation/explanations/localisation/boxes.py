"""Boxes that people drew around findings, from CSV files of two kinds.

    image,split,finding,x,y,w,h                      shares (0..1) of the image; `split` may lack
    Image Index,Finding Label,Bbox [x,y,w,h]         the NIH's BBox_List_2017.csv: pixels of images of 1024 x 1024

x and y are the upper left corner. Images are told by their files' names, without folder and ending; a file may have a
prefix that ends with an underscore (`nih_00000032_037.jpg` is the image `00000032_037`).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from math import isfinite
from pathlib import Path, PurePosixPath

from sitegen.data.rows import Row, columns_of, in_row, read_rows
from sitegen.errors import DataError

NIH_SIDE = 1024.0  # pixels
NIH_NAMES = {"infiltrate": "Infiltration"}  # what the NIH's list of boxes calls otherwise than its list of images
_OWN, _OWN_SIDES = ("image", "finding"), ("x", "y", "w", "h")
_NIH, _NIH_SIDES = ("Image Index", "Finding Label"), ("Bbox [x", "y", "w", "h]")
_NIH_IMAGE = re.compile(r"(?:.*_)?(\d{8})_\d{3}")
_SLACK = 0.01  # by how much a box may leave the image, as rounding does; it is cut at the border


@dataclass(frozen=True)
class Box:
    """One box: its image by name, the split that the file gives it ("" for none), its finding.

    left, top, right and bottom are shares (0..1) of the whole image.
    """

    image: str
    split: str
    finding: str
    left: float
    top: float
    right: float
    bottom: float

    @property
    def sides(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom."""
        return self.left, self.top, self.right, self.bottom


def read_boxes(path: Path) -> list[Box]:
    """Return the boxes of a CSV file of either kind, in its order.

    Raises DataError where the file has neither kind's columns, has no box, or a row has no box within the image.
    """
    header = columns_of(path)
    nih = set(_NIH) <= set(header)
    named, sides, whole = (_NIH, _NIH_SIDES, NIH_SIDE) if nih else (_OWN, _OWN_SIDES, 1.0)
    found = []
    for number, row in enumerate(read_rows(path, (*named, *sides))):
        try:
            found.append(_box(row, named, [float(row[side]) / whole for side in sides]))
        except ValueError as problem:
            raise in_row(path, number, problem) from problem
    if not found:
        raise DataError(f"{path} has no boxes. Name a table with a row for each box.")
    return found


def image_name(path: str) -> str:
    """Return what an image is called here: its file's name without folder and ending."""
    name = PurePosixPath(path.replace("\\", "/")).name
    stem, dot, ending = name.rpartition(".")
    return stem if dot and ending.isalnum() and not ending.isdigit() else name


def nih_patient(name: str) -> str | None:
    """Return the patient ("nih:" and eight digits) that an image's name tells as the NIH's do, None where it does not.

    The NIH calls its images by the patient's number and that of the image: 00000032_037.
    """
    found = _NIH_IMAGE.fullmatch(name)
    return f"nih:{found[1]}" if found else None


def files_of(images: Iterable[str], files: Iterable[Path]) -> dict[str, Path]:
    """Return the file of each image that is among `files`, by the image's name.

    A file that is called as the image comes before those with a prefix. Raises DataError where several remain.
    """
    wanted = set(images)
    exact: dict[str, list[Path]] = {}
    prefixed: dict[str, list[Path]] = {}
    for path in files:
        name = image_name(path.name)
        if name in wanted:
            exact.setdefault(name, []).append(path)
        for at, letter in enumerate(name):
            if letter == "_" and name[at + 1 :] in wanted:
                prefixed.setdefault(name[at + 1 :], []).append(path)
    return {name: _the_one(name, paths) for name, paths in (prefixed | exact).items()}


def _the_one(image: str, paths: list[Path]) -> Path:
    if len({path.resolve() for path in paths}) > 1:
        raise DataError(
            f"The image {image} of the boxes is called like several files: {paths[0]} and {paths[1]}. "
            "Name the images of one collection alone."
        )
    return paths[0]


def _box(row: Row, named: tuple[str, str], sides: list[float]) -> Box:
    image, finding = (row[name] for name in named)
    if not image or not finding:
        raise ValueError(f"{named[0]} or {named[1]} is blank")
    left, top, width, height = sides
    right, bottom = left + width, top + height
    if not all(map(isfinite, sides)) or width <= 0 or height <= 0:
        raise ValueError(f"{sides} is no box: x, y, w and h must be numbers, w and h above 0")
    if min(left, top) < -_SLACK or max(right, bottom) > 1 + _SLACK:
        raise ValueError(f"the box {sides} leaves the image, whose width and height are 1")
    finding = NIH_NAMES.get(finding.lower(), finding) if named == _NIH else finding
    cut = (max(0.0, left), max(0.0, top), min(1.0, right), min(1.0, bottom))
    return Box(image_name(image), row.get("split", ""), finding, *cut)
