"""Which images are there twice: the same to the network, or alike by their perceptual hash.

Two images are linked where their hashes differ in `NEAR` bits or fewer, and all that are linked, by others too, are one
group. Pairs are found by the pigeonhole principle: hashes that differ in so few bits share one of `NEAR` + 1 parts.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sitegen.curation.perceptual import distance

NEAR = 3
_PARTS = NEAR + 1
_PART_BITS = 16
_AT_ONCE = 2048
Hashes = NDArray[np.uint64]


def copies(contents: Sequence[str | None], ids: Sequence[str]) -> list[str | None]:
    """Return for each image the id of the first one with the same content; None for the first, and without content."""
    first: dict[str, str] = {}
    return [
        None if content is None or first.setdefault(content, id_) == id_ else first[content]
        for content, id_ in zip(contents, ids, strict=True)
    ]


def groups(hashes: Sequence[str | None]) -> list[int | None]:
    """Return for each image the number of its group of images that are alike, from 0 in order; None for those alone."""
    places = [at for at, each in enumerate(hashes) if each is not None]
    values = np.array([int(hashes[at] or "0", 16) for at in places], np.uint64)
    unique, of = np.unique(values, return_inverse=True)
    root = _linked(unique)[of]
    found: list[int | None] = [None] * len(hashes)
    sizes = np.bincount(root, minlength=len(unique) + 1)
    numbers: dict[int, int] = {}
    for at, own in zip(places, root.tolist(), strict=True):
        if sizes[own] > 1:
            found[at] = numbers.setdefault(own, len(numbers))
    return found


def _linked(unique: Hashes) -> NDArray[np.intp]:
    """For each hash, which one stands for its group."""
    parents = np.arange(len(unique))

    def top(at: int) -> int:
        while parents[at] != at:
            parents[at] = parents[parents[at]]
            at = int(parents[at])
        return at

    for first, second in _pairs(unique):
        one, other = top(first), top(second)
        parents[max(one, other)] = min(one, other)
    return np.array([top(at) for at in range(len(unique))], np.intp)


def _pairs(unique: Hashes) -> Iterator[tuple[int, int]]:
    for part in range(_PARTS):
        values = (unique >> np.uint64(part * _PART_BITS)) & np.uint64((1 << _PART_BITS) - 1)
        order = np.argsort(values, kind="stable")
        edges = np.flatnonzero(np.diff(values[order], prepend=-1, append=-1))
        for start, stop in pairwise(edges.tolist()):
            if stop - start > 1:
                yield from _near(unique, order[start:stop])


def _near(unique: Hashes, members: NDArray[np.intp]) -> Iterator[tuple[int, int]]:
    for start in range(0, len(members), _AT_ONCE):
        some = members[start : start + _AT_ONCE]
        near = distance(unique[some][:, np.newaxis], unique[members][np.newaxis]) <= NEAR
        for row, column in zip(*np.nonzero(near), strict=True):
            if start + row < column:
                yield int(some[row]), int(members[column])
