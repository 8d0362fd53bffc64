"""The display of DICOM cells once more, in float64, written apart from the runtime's: PS3.3, C.11.1 and C.11.2."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


@dataclass
class Described:
    """What a header says, in plain numbers. A table is (first value, bits of an entry, entries)."""

    bits: int = 12
    shift: int = 0
    signed: bool = False
    slope: float = 1.0
    intercept: float = 0.0
    modality: tuple[int, int, list[int]] | None = None
    voi: tuple[int, int, list[int]] | None = None
    window: tuple[float, float, str] | None = None
    padding: list[int] = field(default_factory=list)
    inverted: bool = False


def shown(of: Described, cells: NDArray[np.unsignedinteger]) -> Values:
    """The luma, 0..255 and not rounded, of cells that are all that a frame has."""
    stored = (cells.astype(np.int64) >> of.shift) & (2**of.bits - 1)
    if of.signed:
        stored = np.where(stored >= 2 ** (of.bits - 1), stored - 2**of.bits, stored)
    values = _looked_up(of.modality, stored) if of.modality else stored * of.slope + of.intercept
    grey = 255 * _shares(of, stored, values.astype(np.float64))
    return 255 - grey if of.inverted else grey


def _shares(of: Described, stored: NDArray[np.int64], values: Values) -> Values:
    if of.voi:
        return _looked_up(of.voi, np.floor(values).astype(np.int64)) / (2 ** of.voi[1] - 1)
    if of.window:
        return windowed(values, *of.window)
    if of.bits == 8 and not of.signed and not of.modality and (of.slope, of.intercept) == (1, 0):
        return values / 255
    counted = values[~np.isin(stored, of.padding)]
    counted = counted if counted.size else values
    low, high = counted.min(), counted.max()
    if low == high:
        return (values > low).astype(np.float64)
    return np.clip((values - low) / (high - low), 0, 1)


def windowed(values: Values, centre: float, width: float, function: str) -> Values:
    """PS3.3, C.11.2.1.2 and C.11.2.1.3."""
    if function == "SIGMOID":
        with np.errstate(over="ignore"):
            return 1 / (1 + np.exp(-4 * (values - centre) / width))
    if function == "LINEAR":
        if width == 1:
            return (values > centre - 0.5).astype(np.float64)
        return np.clip((values - (centre - 0.5)) / (width - 1) + 0.5, 0, 1)
    return np.clip((values - centre) / width + 0.5, 0, 1)


def _looked_up(table: tuple[int, int, list[int]], values: NDArray[np.int64]) -> Values:
    first, _, entries = table
    return np.array(entries, np.float64)[np.clip(values - first, 0, len(entries) - 1)]
