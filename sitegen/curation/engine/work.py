"""What a worker does with a batch of files: it keeps one scorer, whose sessions are made once a process."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock

from sitegen.bundle import load_bundle
from sitegen.curation.columns import Options, Row
from sitegen.curation.entries import Entry
from sitegen.curation.scoring import Scorer
from sitegen.errors import BundleError

Batch = Sequence[Entry]
Rows = list[Row]
_making = Lock()


@dataclass(frozen=True)
class Work:
    """What is to be done: with the bundle in a folder, which must have this SHA-256 wherever it is read, and how."""

    bundle: Path
    sha256: str
    options: Options


def rows_of(work: Work, batch: Batch) -> Rows:
    """Return the rows of files. Raises BundleError where the folder has another bundle than was asked for."""
    with _making:  # a worker may have several threads
        scorer = _scorer(work)
    return [scorer.row(entry) for entry in batch]


@lru_cache(1)
def _scorer(work: Work) -> Scorer:
    bundle = load_bundle(work.bundle)
    if bundle.model.sha256 != work.sha256:
        raise BundleError(f"{work.bundle} is another bundle here than where the work was given out. Copy it anew.")
    return Scorer(bundle, work.options)
