"""Shares as natural frequencies: "of 100 images", in whole numbers.

Doctors and students alike read "16 of 100" more surely than a percentage (Gigerenzer and Hoffrage 1995).
All numbers are rounded against the model: what it did wrong up, what it did right down.
"""

from sitegen.site.prose import plain
from sitegen_runtime.bundle.figures import Images, Interval
from sitegen_runtime.bundle.relations import SHORT
from sitegen_runtime.wording.known import named_images
from sitegen_runtime.wording.shares import rounded_up


def failed(rate: Interval) -> str:
    """Return for how many of 100 the opposite of a rate is true, with the ends of its interval: "16 (6 to 27)"."""
    return f"{count_failed(rate, 100)} ({ends(rate)})"


def ends(rate: Interval) -> str:
    """Return the ends of the interval of what `failed` tells: "6 to 27"."""
    return f"{rounded_up(100 * (1 - rate.high))} to {rounded_up(100 * (1 - rate.low))}"


def count_failed(rate: Interval, of: int) -> int:
    """Return for how many out of `of` the opposite of a rate is true, rounded up."""
    return rounded_up(of * (1 - rate.value))


def named(images: Images) -> str:
    """Return what to call some images: "test images of nih", with where they are from if that is recorded."""
    told = plain(named_images(images))
    return f"{told}, {SHORT[images.relation]}" if images.relation else told
