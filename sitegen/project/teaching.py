"""The cases of `[teaching]`: a folder with images and a CSV of labels, read and checked."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from sitegen.errors import SettingsError
from sitegen.prediction.reading import read_image_file
from sitegen.site.options import Box, TeachingCase
from sitegen_runtime.errors import ImageError, UnreadableFile
from sitegen_runtime.formats import inspect_image

MANIFEST = "cases.csv"
COLUMNS = ("file", "labels", "caption")
BOXES = "boxes"  # a further column, which may be left out


def read_cases(folder: Path) -> tuple[TeachingCase, ...]:
    """Return the cases of a folder in the order of its `cases.csv`.

    Columns: `file`, an image in the folder; `labels`, the findings that are there, separated by ";", nothing where
    there is none; `caption`, what the case is called, "Case 1" and so on where it is empty; and `boxes`, if wanted, of
    findings as "Mass: 120 80 60 40", left, top, width and height in pixels of the upright image, separated by ";".
    Raises SettingsError, which names the line.
    """
    path = folder / MANIFEST
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"teaching.cases: {path} cannot be read as UTF-8 text ({error}).") from None
    reader = csv.DictReader(io.StringIO(text, newline=""))
    if missing := [name for name in COLUMNS if name not in (reader.fieldnames or ())]:
        raise SettingsError(f"teaching.cases: {path} lacks the columns {', '.join(missing)}.")
    cases = tuple(_case(folder, row, f"teaching.cases: {path}, line {reader.line_num}") for row in reader)
    if not cases:
        raise SettingsError(f"teaching.cases: {path} names no case.")
    return cases


def _case(folder: Path, row: dict[str, str | None], place: str) -> TeachingCase:
    name = row["file"] or ""
    if not name or Path(name).name != name:
        raise SettingsError(f"{place}: {name!r} is no file in the folder.")
    try:
        content = read_image_file(folder / name)
        inspect_image(content)
    except UnreadableFile as error:
        raise SettingsError(f"{place}: {error}") from None
    except ImageError as error:
        raise SettingsError(f"{place}: {folder / name}: {error}") from None
    labels = tuple(_parts(row["labels"]))
    boxes = tuple(_box(part, place) for part in _parts(row.get(BOXES)))
    if foreign := [box.label for box in boxes if box.label not in labels]:
        raise SettingsError(f"{place}: there is a box of {foreign[0]!r}, which is not among the labels.")
    return TeachingCase(content, labels, (row["caption"] or "").strip(), boxes)


def _parts(text: str | None) -> Iterator[str]:
    return (part.strip() for part in (text or "").split(";") if part.strip())


def _box(text: str, place: str) -> Box:
    label, _, numbers = text.rpartition(":")
    try:
        left, top, width, height = map(float, numbers.split())
    except ValueError:
        raise SettingsError(f'{place}: the box {text!r} is not "finding: left top width height", in pixels.') from None
    return Box(label.strip(), (left, top, width, height))
