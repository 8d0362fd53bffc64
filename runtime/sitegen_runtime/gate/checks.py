"""Checks of the picture itself, before any network: is it a colour photograph, blank, too small or far too long?

They are cheap and need no training. The limits are wide: 2,608 chest X-rays of two sources and of DICOM files keep all
of them. What they find refuses the image, because a score of it would mean little.
"""

from collections.abc import Iterator, Sequence
from itertools import repeat
from math import fsum, sqrt

from sitegen_runtime.bundle.model import CROP, NetworkInput
from sitegen_runtime.gate.decision import Check
from sitegen_runtime.gate.reconstruction_scores import as_shares, squared_error

# The X-rays have none at all; simulated photographs of films, tinted by their light, begin at 0.06, and half of that is
# the limit. A coloured mark over a 33rd of the picture, or a faint tint, stays below.
LARGEST_COLOUR = 0.03
# The standard deviation of the cells that the gate sees, as a share of the range. The palest of the X-rays has 0.05.
SMALLEST_CONTRAST = 0.02
# The longer side in shorter ones. The longest of the X-rays has 2.7; of what is longer than 3, less than a third is
# seen.
LARGEST_ASPECT = 3.0


def colour_check(colour: float) -> Iterator[Check]:
    """Yield a check where colours lie too far apart (see `ColourSample.mean`) for a model of grey images."""
    if colour > LARGEST_COLOUR:
        yield Check(
            "colour",
            f"This is a colour picture: red, green and blue differ by {100 * colour:.0f} % on average, and at most "
            f"{100 * LARGEST_COLOUR:.0f} % is expected of the grey images that this model takes.",
        )


def blank_check(values: Sequence[float], network_input: NetworkInput) -> Iterator[Check]:
    """Yield a check where a network's input (NCHW with N = 1, flat) is of one grey all over, or nearly."""
    shares = [value for plane in as_shares(values, network_input) for value in plane]
    mean = fsum(shares) / len(shares)
    contrast = sqrt(squared_error(shares, repeat(mean)) / len(shares))
    if contrast < SMALLEST_CONTRAST:
        yield Check(
            "blank",
            f"This picture is blank, or nearly: its contrast is {contrast:.3f} of full scale, and at least "
            f"{SMALLEST_CONTRAST:.3f} is needed.",
        )


def small_check(side: int, cells: int) -> Iterator[Check]:
    """Yield a check where the square that the gate sees has fewer pixels than the gate's grid has cells."""
    if side < cells:
        yield Check(
            "small",
            f"This picture is too small to be judged: the gate looks at {side} x {side} pixels of it, and at least "
            f"{cells} x {cells} are needed. Use the original image, not a thumbnail.",
        )


def narrow_check(width: int, height: int, fit: str = CROP) -> Iterator[Check]:
    """Yield a check where a picture is so long that its centred square shows little of it, or squashes it too much."""
    aspect = max(width, height) / min(width, height)
    if aspect > LARGEST_ASPECT:
        lost = "most of it would not be seen" if fit == CROP else "it would be seen squashed"
        yield Check(
            "narrow",
            f"This picture is {aspect:.1f} times as long as it is wide, and at most {LARGEST_ASPECT:.1f} times is "
            f"expected: {lost}. Cut out the part that matters.",
        )
