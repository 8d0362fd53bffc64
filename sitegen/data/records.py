"""One image of a data set, whoever published it: where it is, whose it is, what is known of it.

Every reader of this package returns a list of `Record`. A label is 1.0 where the finding is present, 0.0 where it is
absent, None where nobody said: a training loss leaves unknown labels out, it does not count them as absent.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sitegen.errors import DataError
from sitegen_runtime.bundle.relations import NO_FINDING

Labels = Mapping[str, float | None]

TRAIN, VALID, TEST = "train", "valid", "test"
"""What splits are called here; images of any other are left alone."""


@dataclass(frozen=True)
class Record:
    """One image of a data set; "" or None stands for what its publisher does not say.

    `patient` is never empty: where patients are not known it names the image, which then counts as a patient of its
    own. `age` is in years at the time of the image. `sex` is "F", "M" or "".
    """

    path: Path
    patient: str
    labels: Labels
    split: str = ""
    source: str = ""
    age: float | None = None
    sex: str = ""
    view: str = ""
    body_part: str = ""

    @property
    def label(self) -> str:
        """The one label that is present, for data sets of classes that exclude each other.

        Raises DataError where none or several are present.
        """
        present = [name for name, value in self.labels.items() if value == 1.0]
        if len(present) != 1:
            found = ", ".join(present) or "none"
            raise DataError(f"{self.path} should have one label, and has: {found}. Read it as a multi-label data set.")
        return present[0]

    @property
    def has_finding(self) -> bool:
        """Whether any label is present that does not itself mean "nothing found"."""
        return any(value == 1.0 and name.lower() not in NO_FINDING for name, value in self.labels.items())


def select(records: Iterable[Record], split: str, source: str | None = None) -> list[Record]:
    """Return the records of a split, of one source where it is named."""
    return [record for record in records if record.split == split and source in (None, record.source)]


def present(records: Iterable[Record]) -> list[Record]:
    """Return the records whose files exist. Readers list what a publisher's table lists, all of it or not."""
    return [record for record in records if record.path.is_file()]


def label_names(records: Iterable[Record]) -> list[str]:
    """Return the names of all labels, in the order in which the records first have them."""
    return list(dict.fromkeys(name for record in records for name in record.labels))


def label_matrix(records: Sequence[Record], names: Sequence[str]) -> NDArray[np.float32]:
    """Return float32 [records, names]: 1 present, 0 absent, NaN unknown (or not among a record's labels)."""
    values = [[record.labels.get(name) for name in names] for record in records]
    return np.array(values, np.float32).reshape(len(records), len(names))


def one_of(name: str, names: Iterable[str]) -> dict[str, float | None]:
    """Return the labels of an image that is of one class among `names`."""
    return {each: float(each == name) for each in names}


def any_of(present: Collection[str], names: Iterable[str]) -> dict[str, float | None]:
    """Return the labels of an image of which all findings among `names` were looked for, and `present` were seen."""
    return {each: float(each in present) for each in names}


def straddling_patients(records: Iterable[Record]) -> dict[str, list[str]]:
    """Return the patients that have images in several splits, with those splits, both in order of appearance.

    Records that are in no split are left out.
    """
    splits: dict[str, dict[str, None]] = {}
    for record in records:
        if record.split:
            splits.setdefault(record.patient, {})[record.split] = None
    return {patient: list(found) for patient, found in splits.items() if len(found) > 1}


def check_patients(records: Iterable[Record], name: object) -> None:
    """Raise DataError, naming the data set and the first such patient, where a patient is in two splits."""
    for patient, (first, second, *_) in straddling_patients(records).items():
        raise DataError(
            f"{name} has the patient {patient!r} in two splits, {first!r} and {second!r}. "
            "Keep all images of a patient in one."
        )
