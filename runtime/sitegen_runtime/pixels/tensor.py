"""From exact sums to the float32 tensors that networks take."""

from __future__ import annotations  # array[float] is a name for type checkers until Python 3.12

import sys
from array import array
from collections.abc import Sequence
from hashlib import sha256

from sitegen_runtime.bundle.model import NetworkInput


def to_tensor(planes: Sequence[Sequence[float]], divisor: int, network_input: NetworkInput) -> array[float]:
    """Return the float32 values, in NCHW order with N = 1, of one network input.

    `planes` has one sequence of cell sums a channel, whole numbers below 2**53, as `divisor` is. `sum / divisor` is the
    mean sample as a share of full scale, 0 to 1, which is mapped onto the input's range and then normalised:
    (low + (high - low) * share - mean) / std, in float64, rounded to float32 once.
    """
    low, high = network_input.range
    span = high - low
    values = array("f")
    for plane, mean, std in zip(planes, network_input.mean, network_input.std, strict=True):
        values.extend([(low + span * (cell / divisor) - mean) / std for cell in plane])
    return values


def little_endian(values: array[float]) -> bytes:
    """Return the bytes of float32 values in little-endian order, whatever the machine's."""
    if sys.byteorder == "big":
        values = values[:]
        values.byteswap()
    return values.tobytes()


def tensor_hash(values: array[float]) -> str:
    """Return the SHA-256, in hexadecimal, of the little-endian float32 values."""
    return sha256(little_endian(values)).hexdigest()
