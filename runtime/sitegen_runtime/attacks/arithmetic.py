"""The arithmetic of attacks on flat arrays: how far an image may go, a step along the gradient, the loss and its slope.

Arrays are row-major, one channel after the other, float32 ("f") as networks take them; those of float64 ("d") stay so.
An image x may move to x' within |x' − x| ≤ ε and within the input's range, both exactly: bounds are rounded inwards.
"""

from __future__ import annotations  # array[float] is a name for type checkers until Python 3.12

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import exp, fsum, log1p
from random import Random
from typing import TYPE_CHECKING

from sitegen_runtime.calibration import sigmoid

if TYPE_CHECKING:
    from sitegen_runtime.bundle.model import NetworkInput

_ROUNDING = {"f": 2.0**-23, "d": 2.0**-52}  # the distance of 1 to the next larger number of a type
_WORD = 4  # bytes that make one random number


@dataclass(frozen=True)
class Room:
    """How far each value of an image may go: `lower` ≤ x' ≤ `upper`; and ε of each value in the network's units."""

    lower: array[float]
    upper: array[float]
    reach: array[float]

    def held(self, values: Sequence[float]) -> array[float]:
        """Return the values, those beyond a bound at the bound."""
        bounded = zip(values, self.lower, self.upper, strict=True)
        # Quicker than calls of min() and max(), of which there would be two for each number.
        kept = [low if value < low else high if value > high else value for value, low, high in bounded]
        return like(self.lower, kept)


def room_around(image: array[float], entry: NetworkInput, strength: float) -> Room:
    """Return how far an image may go where ε is the share `strength` of the input's range (black to white).

    The network takes (value − mean) / std, so ε is strength · (white − black) / std there, of each channel its own.
    """
    black, white = entry.range
    lower, upper, reach = (like(image, ()) for _ in range(3))
    for at, (mean, std) in enumerate(zip(entry.mean, entry.std, strict=True)):
        part = image[at * entry.area : (at + 1) * entry.area]
        far = strength * (white - black) / std
        first, last = (black - mean) / std, (white - mean) / std
        lower.extend([first if low < first else low for low in _as_far(part, -far)])
        upper.extend([last if high > last else high for high in _as_far(part, far)])
        reach.extend([far] * len(part))
    # An image that lies outside of the range by a rounding may stay where it is.
    lower = like(image, [value if value < low else low for value, low in zip(image, lower, strict=True)])
    upper = like(image, [value if value > high else high for value, high in zip(image, upper, strict=True)])
    return Room(lower, upper, reach)


def like(image: array[float], values: Iterable[float]) -> array[float]:
    """Return values as numbers of the image's type."""
    kind: str = image.typecode
    return array(kind, values)


def step_along(image: array[float], slope: Sequence[float], room: Room, share: float) -> array[float]:
    """Return the image after a step of `share` · ε in the sign of the slope, held in its room; where it is 0, as it is.

    Goodfellow et al. 2015: x + ε · sign(∇x L).
    """
    moves = zip(image, slope, room.reach, strict=True)
    return room.held([value + share * far * ((rise > 0.0) - (rise < 0.0)) for value, rise, far in moves])


def anywhere(image: array[float], room: Room, seed: int) -> array[float]:
    """Return the image with noise, uniform between −ε and ε, held in its room: where projected descent starts.

    The noise is made of whole numbers of the Mersenne Twister, (2w + 1) / 2³² − 1 of its words w, so that every engine
    adds the same.
    """
    raw = Random(seed).randbytes(_WORD * len(image))  # noqa: S311 (this noise keeps no secret)
    words = (int.from_bytes(raw[at : at + _WORD], "little") for at in range(0, len(raw), _WORD))
    noise = zip(image, room.reach, words, strict=True)
    return room.held([value + far * ((2 * word + 1) / 2**32 - 1) for value, far, word in noise])


def loss(logits: Sequence[float], targets: Mapping[int, bool]) -> float:
    """Return the binary cross-entropy of the logits of some labels (by index) and what they should be, summed."""
    return fsum(_softplus(-logits[label] if wanted else logits[label]) for label, wanted in targets.items())


def slope_of_loss(logits: Sequence[float], targets: Mapping[int, bool]) -> Iterator[float]:
    """Give d(loss)/d(logit) of every label: its probability, less 1 where it should be there; 0 for labels without."""
    for label, logit in enumerate(logits):
        if label not in targets:
            yield 0.0
        elif targets[label]:
            yield -sigmoid(-logit)  # not its probability − 1, of which nothing would be left for large logits
        else:
            yield sigmoid(logit)


def _as_far(values: array[float], far: float) -> array[float]:
    """Each value plus `far`, as a number of their type that is not further from the value than that."""
    there = like(values, [value + far for value in values])
    limit, unit = abs(far), _ROUNDING[values.typecode]
    for at, (value, end) in enumerate(zip(values, there, strict=True)):
        if abs(end - value) > limit:  # rounded to the wrong side: one or two numbers back
            back = unit * max(abs(value), abs(end))
            there[at] = value + far - back if far > 0 else value + far + back
    return there


def _softplus(value: float) -> float:
    return max(value, 0.0) + log1p(exp(-abs(value)))
