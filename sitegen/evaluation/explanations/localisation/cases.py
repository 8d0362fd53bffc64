"""Which images have boxes of what the model finds, whose they are, and where boxes usually lie.

listed(paths)                   the images of folders, files and data sets, with patient and split
gather(boxes, listed, ...)      the images to look at, and the boxes that usual places are known from
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sitegen.data.layouts import nih
from sitegen.data.layouts.class_folders import images_below
from sitegen.data.layouts.known import read_dataset
from sitegen.data.layouts.manifest import MANIFEST
from sitegen.data.records import TEST, TRAIN, Record
from sitegen.errors import DataError
from sitegen.evaluation.explanations.localisation.boxes import Box, files_of, image_name, nih_patient
from sitegen.evaluation.explanations.localisation.regions import Boxes, as_boxes
from sitegen.evaluation.explanations.localisation.usual import Drawn, UsualPlaces

EVERYTHING = "all"  # what stands for every split


@dataclass(frozen=True)
class Listed:
    """An image file, whose it is, and the split that its data set gives it ("" for none)."""

    path: Path
    patient: str
    split: str = ""


@dataclass(frozen=True)
class BoxedImage:
    """An image with boxes: its file, its patient, and the boxes of each of the model's findings (by index), in shares
    of the whole image."""

    path: Path
    patient: str
    drawn: dict[int, Boxes]


@dataclass(frozen=True)
class Gathered:
    """The images to look at, the usual places, and what could not be used.

    `split` is None where neither boxes nor images have any. `without_image` counts boxes whose image is not among the
    given ones, `other_findings` those of findings that the model has not, by finding. `training` are the images that
    usual places are known from, their patients and boxes; `shared` counts the patients that are on both sides, whose
    own boxes are left out for them.
    """

    images: list[BoxedImage]
    usual: UsualPlaces
    split: str | None
    without_image: int
    other_findings: dict[str, int]
    training: list[Drawn]
    shared: int


def listed(paths: Iterable[Path]) -> list[Listed]:
    """Return the images of these files and folders, in their order.

    A folder with a manifest or the NIH's table is read as the data set that it is; of other folders all images below
    are taken. Whose an image is says a manifest beside it or one folder above, else its name where it is one of the
    NIH's; else it is a patient of its own. Raises DataError for tables that cannot be read.
    """
    found: list[Listed] = []
    for path in paths:
        if path.is_dir() and ((path / MANIFEST).is_file() or nih.find_table(path)):
            found += of_records(read_dataset(path))
        else:
            found += _files(images_below(path) if path.is_dir() else [path])
    return list({each.path.resolve(): each for each in found}.values())


def of_records(records: Iterable[Record]) -> list[Listed]:
    """Return the images of a data set."""
    return [Listed(record.path, record.patient, record.split) for record in records]


def gather(boxes: Sequence[Box], images: Sequence[Listed], labels: Sequence[str], split: str | None) -> Gathered:
    """Return the images that have boxes of the model's findings (told by name, capitals aside) in a split.

    The split of an image is that of its data set, else that of the boxes' file. `split` None is the test images where
    there are splits, and every image where there are none. Usual places are known from training images, or from all
    images with boxes where there are no splits. Raises DataError where no box is left.
    """
    known = {label.lower(): at for at, label in enumerate(labels)}
    files = files_of((box.image for box in boxes), (each.path for each in images))
    by_path = {each.path: each for each in images}
    at_hand = {name: by_path[path] for name, path in files.items()}
    boxes = [_with_split(box, at_hand.get(box.image)) for box in boxes]
    ours = [box for box in boxes if box.finding.lower() in known]
    split = _split_of(boxes, split)
    chosen = [box for box in ours if split in (None, EVERYTHING, box.split)]
    shown = [box for box in chosen if box.image in at_hand]
    if not shown:
        raise DataError(_nothing(boxes, ours, chosen, labels))
    training = _drawn([box for box in ours if split is None or box.split == TRAIN], at_hand)
    looked_at = _boxed(shown, at_hand, known)
    return Gathered(
        looked_at,
        UsualPlaces(training),
        split,
        len(chosen) - len(shown),
        _counts(box.finding for box in boxes if box.finding.lower() not in known),
        training,
        len({each.patient for each in training} & {each.patient for each in looked_at}),
    )


def _files(paths: Sequence[Path]) -> list[Listed]:
    folders = sorted({folder for path in paths for folder in (path.parent.resolve(), path.parent.resolve().parent)})
    tables = [folder for folder in folders if (folder / MANIFEST).is_file()]
    known = {record.path.resolve(): record for folder in tables for record in read_dataset(folder)}
    found = []
    for path in paths:
        record = known.get(path.resolve())
        if record:
            found.append(Listed(path, record.patient, record.split))
        else:
            found.append(Listed(path, nih_patient(image_name(path.name)) or str(path)))
    return found


def _with_split(box: Box, image: Listed | None) -> Box:
    return replace(box, split=image.split) if image and image.split else box


def _split_of(boxes: Sequence[Box], split: str | None) -> str | None:
    there = sorted({box.split for box in boxes if box.split})
    if split is None:
        return TEST if there else None
    if split != EVERYTHING and split not in there:
        raise DataError(
            f"No box is of the split {split!r}; the splits are: {', '.join(there) or 'none'}. Name one with --split, "
            f"or every image with --split {EVERYTHING}."
        )
    return split if there else None


def _drawn(boxes: Iterable[Box], at_hand: dict[str, Listed]) -> list[Drawn]:
    """The boxes of each image and finding; the patient of an image that is not at hand is told by its name."""
    parts: dict[tuple[str, str], list[Box]] = {}
    for box in boxes:
        parts.setdefault((box.image, box.finding.lower()), []).append(box)
    return [
        Drawn(
            finding,
            at_hand[image].patient if image in at_hand else nih_patient(image) or image,
            as_boxes([box.sides for box in part]),
        )
        for (image, finding), part in parts.items()
    ]


def _boxed(boxes: Iterable[Box], at_hand: dict[str, Listed], known: dict[str, int]) -> list[BoxedImage]:
    parts: dict[str, dict[int, list[Box]]] = {}
    for box in boxes:
        parts.setdefault(box.image, {}).setdefault(known[box.finding.lower()], []).append(box)
    return [
        BoxedImage(
            at_hand[image].path,
            at_hand[image].patient,
            {finding: as_boxes([box.sides for box in part]) for finding, part in sorted(drawn.items())},
        )
        for image, drawn in parts.items()
    ]


def _counts(names: Iterable[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for name in names:
        counts[name] = counts.get(name, 0) + 1
    return counts


def _nothing(boxes: Sequence[Box], ours: Sequence[Box], chosen: Sequence[Box], labels: Sequence[str]) -> str:
    if not ours:
        theirs = ", ".join(dict.fromkeys(box.finding for box in boxes))
        return f"No box is of what the model finds ({', '.join(labels)}); the boxes are of {theirs}. Name other boxes."
    if not chosen:
        return "No box of what the model finds is of a test image. Name another split with --split."
    return (
        f"None of the {len(chosen)} boxes of what the model finds is of one of the given images, by their names. "
        f"The first is of {chosen[0].image}. Name the images that the boxes are of."
    )
