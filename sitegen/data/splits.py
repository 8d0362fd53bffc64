"""Dividing a data set so that no patient is on both sides, with the findings spread alike, the same for the same seed.

Patients are dealt out as iterative stratification deals out samples (Sechidis, Tsoumakas, Vlahavas, ECML PKDD 2011):
the rarest finding first, each patient to the part that still lacks most images of it. Only parts that still lack images
at all take part, so that no part exceeds its share by as much as one patient's images.
"""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sitegen.data.records import Record, check_patients, label_names
from sitegen.data.rows import read_rows
from sitegen.errors import DataError, SettingsError

PRESETS: Mapping[str, Mapping[str, float]] = {
    "70/10/20": {"train": 0.7, "valid": 0.1, "test": 0.2},
    "80/20": {"train": 0.8, "valid": 0.2},
}
"""The shares that the Chester papers and the X-ray app paper use."""

COLUMNS = ("file", "patient", "split")
"""Of a written split."""

_Counts = NDArray[np.float64]


def read_shares(text: str) -> dict[str, float]:
    """Return the shares that a name in `PRESETS`, or a list such as "train=0.6,valid=0.2,test=0.2", stands for.

    Raises SettingsError for anything else, shares that are not above 0 or do not add up to 1 included.
    """
    if text in PRESETS:
        return dict(PRESETS[text])
    pairs = [pair.partition("=") for pair in text.split(",")]
    try:
        shares = {name.strip(): float(share) for name, _, share in pairs}
    except ValueError:
        shares = {}
    if "" in shares or len(shares) < len(pairs) or not _are_shares(shares):
        raise SettingsError(
            f"{text!r} are no shares: name {' or '.join(PRESETS)}, or all of them, above 0 and 1 in sum, as in "
            "train=0.6,valid=0.2,test=0.2"
        )
    return shares


def with_findings(records: Iterable[Record]) -> list[Record]:
    """Return the records with at least one finding, as the X-ray app paper uses of ChestX-ray14."""
    return [record for record in records if record.has_finding]


def split_patients(records: Sequence[Record], shares: Mapping[str, float], seed: int) -> list[Record]:
    """Return the records, in order, each with its new split; all of a patient's are in one.

    `shares` are of the images and add up to 1. The outcome depends on records and seed, not on the records' order.
    Raises ValueError where a share is not above 0 or they do not add up to 1.
    """
    if not _are_shares(shares):
        raise ValueError(f"the shares {dict(shares)} should be above 0 and add up to 1")
    patients = sorted({record.patient for record in records})
    counts = _count(records, patients)
    parts = _deal(counts, np.array(list(shares.values())), np.random.default_rng(seed))
    names = list(shares)
    split_of = {patient: names[part] for patient, part in zip(patients, parts, strict=True)}
    return [replace(record, split=split_of[record.patient]) for record in records]


def write_split(records: Iterable[Record], folder: Path, path: Path) -> None:
    """Write a row for each record: file (inside `folder`, where it is), patient, split.

    Raises DataError where a patient is in two splits, or the file cannot be written.
    """
    records = list(records)
    check_patients(records, path)
    try:
        with path.open("w", encoding="utf-8", newline="") as out:
            writer = csv.writer(out, lineterminator="\n")
            writer.writerow(COLUMNS)
            writer.writerows([_inside(record, folder), record.patient, record.split] for record in records)
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error.strerror}. Name a file in a folder that exists.") from error


def read_split(path: Path, records: Iterable[Record], folder: Path) -> list[Record]:
    """Return the records that a written split lists, in its order, each with its split from there.

    Raises DataError where the file lacks a column, lists an image that the records lack or that is another patient's
    there, lists one twice, or has a patient in two splits.
    """
    known = {_inside(record, folder): record for record in records}
    divided = []
    for row in read_rows(path, COLUMNS):
        record = known.pop(row["file"], None)
        if record is None:
            raise DataError(
                f"{path} lists {row['file']}, which the data set lacks, or twice. Split the data set again."
            )
        if record.patient != row["patient"]:
            raise DataError(
                f"{path} has {row['file']} as the patient {row['patient']!r}, the data set as {record.patient!r}. "
                "Split the data set again."
            )
        divided.append(replace(record, split=row["split"]))
    check_patients(divided, path)
    return divided


def _are_shares(shares: Mapping[str, float]) -> bool:
    return min(shares.values(), default=0) > 0 and abs(sum(shares.values()) - 1) < 1e-9


def _inside(record: Record, folder: Path) -> str:
    path = record.path
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.as_posix()


def _count(records: Sequence[Record], patients: Sequence[str]) -> _Counts:
    """Images, then images with each label, of every patient: [patients, 1 + labels]."""
    row = {patient: index for index, patient in enumerate(patients)}
    column = {name: index for index, name in enumerate(sorted(label_names(records)), 1)}
    counts = np.zeros((len(patients), 1 + len(column)))
    for record in records:
        counts[row[record.patient], 0] += 1
        for name, value in record.labels.items():
            counts[row[record.patient], column[name]] += value == 1.0
    return counts


def _deal(counts: _Counts, shares: _Counts, random: np.random.Generator) -> list[int]:
    """The part of each patient. Ties go to the part that lacks most images, and then to the first."""
    lacking = shares[:, None] * counts.sum(axis=0)
    part = [-1] * len(counts)
    order = random.permutation(len(counts))
    left = counts.sum(axis=0)
    waiting = np.ones(len(counts), bool)
    while waiting.any():
        column = _rarest(left)
        for patient in order[waiting[order] & (counts[order, column] > 0)]:
            # The parts lack as many images as are left, so that there is always one.
            lack_images = np.flatnonzero(lacking[:, 0] > 1e-9).tolist()
            best = max(lack_images, key=lambda index: (lacking[index, column], lacking[index, 0]))
            part[patient] = best
            lacking[best] -= counts[patient]
            left -= counts[patient]
            waiting[patient] = False
    return part


def _rarest(left: _Counts) -> int:
    """The column of the finding with the fewest images left; that of all images where no finding is left."""
    present = np.flatnonzero(left[1:] > 0.5)
    return int(1 + present[left[1:][present].argmin()]) if len(present) else 0
