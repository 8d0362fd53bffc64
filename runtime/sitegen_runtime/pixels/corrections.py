"""The one table of corrections: what can be done to an image that was turned or inverted, and what is said of it.

A row turns the upright image as an EXIF orientation does, or exchanges black and white. Tried as variants by the gate,
offered on the page, and asked for by people, all of them are read from here.
"""

from __future__ import annotations  # array[float] is a name for type checkers until Python 3.12

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sitegen_runtime.bundle.model import NetworkInput
from sitegen_runtime.pixels.geometry import orient


@dataclass(frozen=True)
class Correction:
    """One way to put an image right.

    `orientation` (1 to 8) is the EXIF one that asks for the same turn, 1 for none; `inverts` tells whether black and
    white are exchanged. Of the words, `check` is what the image seems to be, and the name of the check that offers the
    correction; `how` says what the variant is, `noted` and `done` what the image was, `button` what to do.
    """

    orientation: int
    inverts: bool
    check: str
    how: str
    noted: str
    done: str
    button: str


def _turn(orientation: int, degrees: int, by: str) -> Correction:
    clockwise = f"turned clockwise by {degrees}°"
    return Correction(orientation, False, "turned", clockwise, clockwise, f"turned by {by}", f"Turn by {by}")


CORRECTIONS: Mapping[str, Correction] = {
    "turn-90": _turn(6, 90, "90° clockwise"),
    "turn-180": _turn(3, 180, "180°"),
    "turn-270": _turn(8, 270, "90° anticlockwise"),
    "invert": Correction(1, True, "inverted", "with black and white exchanged", "inverted", "inverted", "Invert"),
}


def corrected(values: Sequence[float], correction: str, network_input: NetworkInput) -> array[float]:
    """Return a square network input's float32 values (NCHW with N = 1, flat), turned clockwise or inverted."""
    asked, side = CORRECTIONS[correction], network_input.side
    seen = inverted(values, network_input) if asked.inverts else values
    planes = (seen[start : start + side * side] for start in range(0, len(seen), side * side))
    return array("f", [value for plane in planes for value in orient(plane, side, asked.orientation)])


def inverted(values: Sequence[float], network_input: NetworkInput) -> array[float]:
    """Return float32 values (NCHW with N = 1, flat) whose share s of the range has become 1 - s.

    (low + span * share - mean) / std becomes (low + high - 2 * mean) / std minus itself, in float64, rounded to float32
    once.
    """
    low, high = network_input.range
    cells = network_input.area
    result = array("f")
    for channel, (mean, std) in enumerate(zip(network_input.mean, network_input.std, strict=True)):
        ends = (low + high - 2 * mean) / std
        result.extend([ends - value for value in values[channel * cells : (channel + 1) * cells]])
    return result
