"""Shares as natural frequencies: "of 100 images", in whole numbers.

Doctors and students alike read "16 of 100" more surely than a percentage (Gigerenzer and Hoffrage 1995).
All numbers are rounded against the model: what it did wrong up, what it did right down.
"""

from math import ceil

from sitegen.bundle.origin import SHORT
from sitegen.site.help.measured import Images, Interval
from sitegen.site.prose import plain

DIGITS = 6  # 100 * (1 - 0.9) is a little more than 10 in floating point, and not 11
_SPLITS = {"valid": "validation images", "test": "test images"}  # another split is called by its own name


def failed(rate: Interval) -> str:
    """Return for how many of 100 the opposite of a rate is true, with the ends of its interval: "16 (6 to 27)"."""
    return f"{count_failed(rate, 100)} ({ends(rate)})"


def ends(rate: Interval) -> str:
    """Return the ends of the interval of what `failed` tells: "6 to 27"."""
    return f"{_rounded_up(100 * (1 - rate.high))} to {_rounded_up(100 * (1 - rate.low))}"


def count_failed(rate: Interval, of: int) -> int:
    """Return for how many out of `of` the opposite of a rate is true, rounded up."""
    return _rounded_up(of * (1 - rate.value))


def named(images: Images) -> str:
    """Return what to call some images: "test images of nih", with where they are from if that is recorded."""
    split = _SPLITS.get(images.split, f"{plain(images.split)} images")
    of = images.collection or images.source
    told = f"{split} of {plain(of)}" if of else split
    return f"{told}, {SHORT[images.relation]}" if images.relation else told


def listed(names: list[str]) -> str:
    """Return names in a row: "a", "a and b", "a, b and c"."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def _rounded_up(number: float) -> int:
    return ceil(round(number, DIGITS))
