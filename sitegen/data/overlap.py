"""What two sets of images have in common: the same files, or the same patients."""

from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

from sitegen.data.records import Record
from sitegen.errors import DataError


def shared_patients(some: Iterable[Record], others: Iterable[Record]) -> list[str]:
    """Return the patients of both, in the order of the first. Patients of different publishers cannot be compared."""
    known = {record.patient for record in others}
    return list(dict.fromkeys(record.patient for record in some if record.patient in known))


def shared_files(some: Iterable[Record], others: Iterable[Record]) -> list[tuple[Path, Path]]:
    """Return pairs of files with the same bytes, one of each side, in the order of the first.

    Only files of equal size are read, so that a large data set costs little. Files that are missing match nothing.
    """
    ours, theirs = _by_size(some), _by_size(others)
    common = ours.keys() & theirs.keys()
    known = {_content(path): path for size in common for path in theirs[size]}
    pairs = [(path, known.get(_content(path))) for size, paths in ours.items() if size in common for path in paths]
    return [(path, other) for path, other in pairs if other]


def _by_size(records: Iterable[Record]) -> dict[int, list[Path]]:
    found: dict[int, list[Path]] = {}
    for path in dict.fromkeys(record.path for record in records):
        if path.is_file():
            found.setdefault(path.stat().st_size, []).append(path)
    return found


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return sha256(file.read()).digest()
    except OSError as error:
        raise DataError(
            f"{path} cannot be read: {error.strerror}. Check the data set with: sitegen data audit"
        ) from error
