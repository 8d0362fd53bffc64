"""Sums over all windows of an image, exact: by sums of sums of doubling length, in whole numbers that never overflow.

A window of `size` x `size` pixels is told by its upper left corner. Windows stand at 0, stride, 2 stride, … and once
more flush with the far border, so that the last rows and columns are always in one.

Sums of length 1, 2, 4, … follow from each other by one addition, and those of any length from the binary digits of it:
as exact as an integral image, with smaller numbers, so that more of them are added at once.
"""

from collections.abc import Iterator
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Whole = NDArray[np.signedinteger]
Places = NDArray[np.intp]
N = TypeVar("N", bound=np.generic)


def window_places(length: int, size: int, stride: int) -> Places:
    """Return where windows begin along a side. Raises ValueError where none fits, or a number is below 1."""
    if size < 1 or stride < 1:
        raise ValueError(f"windows of {size} pixels in steps of {stride}: both must be 1 or more")
    if size > length:
        raise ValueError(f"a window of {size} pixels is larger than the {length} pixels of a side")
    places = np.arange(0, length - size + 1, stride)
    last = length - size
    return places if places[-1] == last else np.append(places, last)


def window_sums(values: Whole, size: int, down: Places, across: Places, largest: int) -> Whole:
    """Return the sum over each window that begins at these rows and columns, [len(down), len(across)].

    `largest` is a bound of the values' magnitude: numbers grow to the next type before they could overflow.
    """
    rows, bound = _along(values, size, largest)  # the first axis is the quicker one to add along
    columns, _ = _along(_chosen(rows, down).T, size, bound)
    return _chosen(columns, across).T


def float_window_sums(values: NDArray[np.float64], size: int, down: Places, across: Places) -> NDArray[np.float64]:
    """Return the same of numbers that are not whole, to rounding."""
    rows = _doubled(values, size)
    return np.asarray(_chosen(_doubled(_chosen(rows, down).T, size), across).T)


def tiles(places: Places, span: int) -> Iterator[slice]:
    """Yield consecutive parts of window places that lie within `span` pixels, one place at least."""
    start = 0
    while start < len(places):
        stop = int(np.searchsorted(places, places[start] + span, "right"))
        yield slice(start, max(stop, start + 1))
        start = max(stop, start + 1)


def _chosen(values: NDArray[N], places: Places) -> NDArray[N]:
    return values if len(places) == len(values) else values[places]


def _along(values: Whole, size: int, bound: int) -> tuple[Whole, int]:
    """Sums of `size` neighbours along the first axis, with their bound."""
    wanted, length, offset = len(values) - size + 1, 1, 0
    total: Whole | None = None
    power, power_bound, total_bound = values, bound, 0
    while True:
        if size & length:
            part = power[offset : offset + wanted]
            total_bound += power_bound
            total = part if total is None else _added(total, part, total_bound)
            offset += length
        if 2 * length > size:
            assert total is not None  # noqa: S101 - for the type checker: the highest digit is 1
            return total, total_bound
        power_bound *= 2
        power = _added(power[:-length], power[length:], power_bound)
        length *= 2


def _added(first: Whole, second: Whole, bound: int) -> Whole:
    kind = np.promote_types(np.min_scalar_type(-bound), first.dtype)
    return np.asarray(np.add(first.astype(kind, copy=False), second.astype(kind, copy=False)))


def _doubled(values: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    wanted, length, offset = len(values) - size + 1, 1, 0
    total = np.zeros((wanted, values.shape[1]))
    power = values
    while True:
        if size & length:
            total += power[offset : offset + wanted]
            offset += length
        if 2 * length > size:
            return total
        power = power[:-length] + power[length:]
        length *= 2
