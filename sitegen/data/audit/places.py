"""Where files lie below what all of them share: the same wherever a data set is copied to."""

import os.path
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from sitegen.data.records import Record


def below_shared(records: Sequence[Record]) -> list[tuple[str, ...]]:
    """Return the parts of each record's path below the folder that all files share, the file's name last."""
    if not records:
        return []
    # Not resolved: a link to a file elsewhere says nothing of where the file was put.
    given = [Path(os.path.abspath(record.path)) for record in records]  # noqa: PTH100
    shared = Path(os.path.commonpath([path.parent for path in given]))
    return [path.relative_to(shared).parts for path in given]


def records_digest(records: Sequence[Record]) -> str:
    """Return the SHA-256, in hexadecimal digits, of which files there are, whose, in which split, with which labels.

    The order does not matter, nor where the data lies, nor what is in the files.
    """
    lines = sorted(
        repr((parts, record.patient, record.split, record.source, sorted(record.labels.items())))
        for parts, record in zip(below_shared(records), records, strict=True)
    )
    return sha256("\n".join(lines).encode()).hexdigest()
