"""Which images a comparison of gates is made of: some of the training distribution, and some outside of it.

    read_outside(folder, half, near)       images by category, from a manifest or from a folder a category
    read_inside(place, recipe, split)      a split of the data, and its validation split for thresholds

A folder of images outside is divided in two by the first hexadecimal digit of each file's SHA-256, so that a gate can
be developed on one half and be tested once on the other, whoever counts.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from hashlib import sha256
from pathlib import Path, PurePosixPath

from sitegen.data.dataset import of_split, read_records
from sitegen.data.layouts.class_folders import images_below
from sitegen.data.layouts.known import read_dataset
from sitegen.data.layouts.manifest import MANIFEST
from sitegen.data.records import VALID, Record
from sitegen.data.rows import read_rows
from sitegen.errors import DataError, SettingsError
from sitegen.settings.recipe import read_recipe_file

HALVES = {"development": "01234567", "test": "89abcdef", "all": "0123456789abcdef"}
"""The first hexadecimal digits of the files in each half."""

NEAR = ("derived_*",)
"""Categories that are near the training distribution, where none are named: images altered from its own."""

_VIA = " via "


@dataclass(frozen=True)
class OutsideFile:
    """An image outside: its category, whether that is near, and the names of the files that it was made from."""

    path: Path
    category: str
    near: bool
    originals: tuple[str, ...]


@dataclass(frozen=True)
class Outside:
    """The images of one half, and the names of the files that images of either half were made from."""

    files: Sequence[OutsideFile]
    originals: Collection[str]


@dataclass(frozen=True)
class Inside:
    """The images of a split that nothing outside was made from, those that were left out, and the validation images."""

    records: Sequence[Record]
    left_out: Sequence[Record]
    validation: Sequence[Record]


def read_outside(folder: Path, half: str, near: Sequence[str] = NEAR) -> Outside:
    """Return the images of a half of a folder, by category; those whose category matches a pattern `near` are near.

    `manifest.csv` has the columns `file` and `category`, and may have `sha256` (else the file is read) and
    `source_path`, where the files that an image was made from are named, the last of them after " via ". Without a
    manifest each folder is a category. Raises SettingsError for an unknown half, DataError where there is no image.
    """
    if half not in HALVES:
        raise SettingsError(f"There is no half {half!r} of the images outside; choose one of {', '.join(HALVES)}.")
    if not folder.is_dir():
        raise DataError(f"{folder} does not exist. Name the folder of images outside the training distribution.")
    listed = _listed(folder) if (folder / MANIFEST).is_file() else _found(folder)
    if not listed:
        raise DataError(f"{folder} has no images. Give it a {MANIFEST}, or a folder of images for each category.")
    files = [
        OutsideFile(path, category, any(fnmatchcase(category, pattern) for pattern in near), originals)
        for path, category, digest, originals in listed
        if (digest or _hash(path))[:1] in HALVES[half]
    ]
    if not files:
        raise DataError(f"None of the {len(listed)} images in {folder} is in the half {half!r}. Choose another: --half")
    return Outside(files, frozenset(name for *_, originals in listed for name in originals))


def read_inside(place: Path | None, recipe: Path | None, split: str, originals: Collection[str]) -> Inside:
    """Return the images of a split, and of the validation split, without those whose file names are in `originals`.

    `recipe` says how the data is read, and where it is without `place`. Raises DataError where there is no data, or no
    image in the split.
    """
    if recipe:
        records = read_records(read_recipe_file(recipe), place)
    elif place:
        records = read_dataset(place)
    else:
        raise DataError("There are no images of the training distribution. Name some with --data DIR, or a --recipe.")
    chosen = of_split(records, split)
    kept = [record for record in chosen if record.path.name not in originals]
    left_out = [record for record in chosen if record.path.name in originals]
    validation = [record for record in records if record.split == VALID and record.path.name not in originals]
    return Inside(kept, left_out, validation)


def patients_of(files: Sequence[OutsideFile], records: Sequence[Record]) -> list[str]:
    """Return whose each image is: of an altered image the original's patient, where that is known; else its own."""
    owners = {record.path.name: record.patient for record in records}
    return [next((owners[name] for name in file.originals if name in owners), f"outside:{file.path}") for file in files]


def _listed(folder: Path) -> list[tuple[Path, str, str, tuple[str, ...]]]:
    rows = read_rows(folder / MANIFEST, ("file", "category"))
    return [
        (folder / row["file"], row["category"], row.get("sha256", "").lower(), _names(row.get("source_path", "")))
        for row in rows
    ]


def _found(folder: Path) -> list[tuple[Path, str, str, tuple[str, ...]]]:
    paths = [path for path in images_below(folder) if path.parent != folder]
    return [(path, path.relative_to(folder).parts[0], "", ()) for path in paths]


def _names(source_path: str) -> tuple[str, ...]:
    """The file names in a source such as "nih/00003363_002.png via cxr/test/nih_00003363_002.jpg"."""
    return tuple(PurePosixPath(part.strip()).name for part in source_path.split(_VIA) if part.strip())


def _hash(path: Path) -> str:
    try:
        return sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}. Correct the {MANIFEST} beside it.") from error
