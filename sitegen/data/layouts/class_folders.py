"""A folder of images for each class, in a folder for each split or without.

    NORMAL/*.jpeg  PNEUMONIA/*.jpeg
    train/NORMAL/*.jpeg  train/PNEUMONIA/*.jpeg  test/NORMAL/*.jpeg  …

The second is how the paediatric chest radiographs of Kermany, Zhang and Goldbaum (2018) come: their file names say
which images are of one patient. Any other data set may be named with a regular expression that finds the patient.
"""

import re
from collections.abc import Iterable
from pathlib import Path

from sitegen.data.records import Record, one_of
from sitegen.errors import DataError

ENDINGS = frozenset({".png", ".jpg", ".jpeg", ".webp"})
_ALL_ENDINGS = ENDINGS | {".dcm", ".dicom"}
SPLITS = {
    "train": "train",
    "training": "train",
    "val": "valid",
    "valid": "valid",
    "validation": "valid",
    "test": "test",
}
"""Folder names, in lower case, that mean a split, and the split that they mean."""

KERMANY = re.compile(r"(person\d+)_(?:bacteria|virus)_\d+|((?:NORMAL\d+-)?IM-\d+)-\d+(?:-\d+)?")
"""Names of Kermany's files. Bacterial and viral pneumonia of one `person` number are taken for one patient's."""


def read_class_folders(folder: Path, patient: re.Pattern[str] | None = None, source: str = "") -> list[Record]:
    """Return the records of a folder of class folders, sorted by path; each image has exactly one of the classes.

    `patient` is matched against the whole file name without its ending; its groups that take part, joined by "-", are
    the patient. Where it is not given, and all names are Kermany's, those rules hold and `source` is "kermany"; else
    an image is a patient of its own, by its path inside the folder.

    Raises DataError where there is no image in class folders, `patient` does not match a name, or as `check_nested`
    does.
    """
    roots = split_folders(folder) or {folder: ""}
    images = [(root, path) for root in sorted(roots) for path in images_below(root)]
    found = [
        (path, roots[root], path.relative_to(root).parts[0])
        for root, path in images
        if len(path.relative_to(root).parts) > 1
    ]
    if not found:
        raise DataError(f"{folder} has no folders with images in them. Name the folder that holds a folder a class.")
    check_nested(folder, images)
    if patient is None and all(KERMANY.fullmatch(path.stem) for path, _, _ in found):
        patient, source = KERMANY, source or "kermany"
    classes = sorted({name for _, _, name in found})
    prefix = f"{source}:" if source else ""
    return [
        Record(path, prefix + _patient(path, folder, patient), one_of(name, classes), split, source)
        for path, split, name in found
    ]


def images_below(folder: Path) -> list[Path]:
    """Return all image files in a folder and its folders, told by their endings, sorted; hidden ones are left out."""
    found = (path for path in folder.rglob("*") if path.suffix.lower() in ENDINGS)
    return sorted(path for path in found if not any(part[0] == "." for part in path.relative_to(folder).parts))


def split_folders(folder: Path) -> dict[Path, str]:
    """Return the folders inside that are named like splits, with the splits; none where they are classes.

    They are classes where images lie in them and not in folders of theirs. Folders beside splits that hold no image are
    left alone. Raises DataError where one holds images: it is neither split nor class.
    """
    inside = [path for path in folder.iterdir() if path.is_dir() and not path.name.startswith((".", "__"))]
    named = {path: SPLITS[path.name.lower()] for path in inside if path.name.lower() in SPLITS}
    if not named or not any(_holds_classes(path) for path in named):
        return named if len(named) == len(inside) else {}
    others = [path.name for path in inside if path not in named and _holds_images(path)]
    if others:
        splits = ", ".join(sorted(path.name for path in named))
        raise DataError(
            f"{folder} is divided into {splits}, and has {', '.join(sorted(others))} "
            "beside them, with images: neither a split nor a class. Move it out, or list the images in a CSV file."
        )
    return named


def check_nested(folder: Path, images: Iterable[tuple[Path, Path]]) -> None:
    """Raise DataError where a class's folder has one in it that is called like a class, or like a split.

    That is a copy of the data set inside of itself, as archives often have it, or a split below classes. `images` are
    those of `folder`, each with the folder of its split, or `folder` itself. A folder that holds nothing but one of its
    own name is only wrapped twice, and is taken.
    """
    places = [(root, path.relative_to(root).parts[:-1]) for root, path in images]
    classes = {parts[0].lower() for _, parts in places if parts}
    filled = {(root, *parts) for root, parts in places if len(parts) == 1}
    for root, parts in places:
        if root != folder and parts and SPLITS.get(parts[0].lower()) == SPLITS[root.name.lower()]:
            raise _nested(folder, root / parts[0], "the split that it lies in")
        if parts[1:] == parts[:1] and (root, *parts[:1]) not in filled:
            continue  # wrapped twice
        for level, name in enumerate(parts[1:], 2):
            if name.lower() in classes | SPLITS.keys():
                like = "a split" if name.lower() in SPLITS else "a class"
                raise _nested(folder, root.joinpath(*parts[:level]), like)


def _nested(folder: Path, inside: Path, like: str) -> DataError:
    return DataError(
        f"{folder} has {inside.relative_to(folder).as_posix()}, with images, inside of a class, and called like "
        f"{like}: perhaps a copy of the data set in itself. Move it out, name the folder around the classes, or list "
        "the images in a CSV file."
    )


def _holds_classes(split: Path) -> bool:
    return any(_holds_images(path) for path in split.iterdir() if path.is_dir())


def _holds_images(folder: Path) -> bool:
    return any(path.suffix.lower() in _ALL_ENDINGS for path in folder.rglob("*"))


def _patient(path: Path, folder: Path, pattern: re.Pattern[str] | None) -> str:
    if pattern is None:
        return path.relative_to(folder).as_posix()
    matched = pattern.fullmatch(path.stem)
    groups = [group for group in matched.groups() if group] if matched else []
    if not groups:
        raise DataError(f"{path} does not tell its patient: its name does not match {pattern.pattern!r}. Correct one.")
    return "-".join(groups)
