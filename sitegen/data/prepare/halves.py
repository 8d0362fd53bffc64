"""Random halves of a set of images: two sets that differ by chance alone."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np

from sitegen.data.prepare.sources import Source
from sitegen.errors import DataError

HALVES = ("first", "second")


def in_halves(sources: Sequence[Source], seed: int, patients: Mapping[Path, str] | None = None) -> list[Source]:
    """Return the sources, each with the half that it goes into, in the order of their names.

    One by one, the halves differ by at most one file, the first being the larger. With `patients`, by path, a patient's
    files stay together: patients are gone through in random order, and each goes to the half that has fewer files.
    The same names and seed give the same halves. Raises DataError for a single file or patient.
    """
    whose = {source.name: (patients or {}).get(source.path, source.name) for source in sources}
    groups: dict[str, list[str]] = {}
    for name in sorted(whose):
        groups.setdefault(whose[name], []).append(name)
    if len(groups) < 2:
        raise DataError(f"{len(groups)} {'patient' if patients else 'file'} cannot be halved. Name a folder with more.")
    order = np.random.default_rng(seed).permutation(len(groups))
    names, counts, half = sorted(groups), [0, 0], {}
    for place in order:
        chosen = int(counts[1] < counts[0])
        group = groups[names[place]]
        counts[chosen] += len(group)
        half.update(dict.fromkeys(group, HALVES[chosen]))
    return [replace(source, target=half[source.name]) for source in sources]


def names_hash(sources: Sequence[Source]) -> str:
    """Return what tells one list of files from another: with other files, all halves would be others."""
    return sha256("\n".join(sorted(source.name for source in sources)).encode()).hexdigest()[:16]
