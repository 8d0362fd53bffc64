"""Shares as whole numbers for people, rounded against the model: what it did wrong up, what it did right down."""

from math import ceil

from sitegen_runtime.bundle.figures import Interval

_DIGITS = 6  # 100 * (1 - 0.9) is a little more than 10 in floating point, and not 11
LEAST = 0.1  # percent


def rounded_up(number: float) -> int:
    """Return the next whole number, or the number itself where only floating point lies between."""
    return ceil(round(number, _DIGITS))


def right(rate: Interval) -> str:
    """Return the percentage of what was done right, with the ends of its interval, rounded down: "98 % (96–99)"."""
    value, low, high = (100 - rounded_up(100 * (1 - share)) for share in (rate.value, rate.low, rate.high))
    return f"{value} % ({low}–{high})"


def wrong(rate: Interval) -> str:
    """Return the percentage of which the opposite of a rate is true, rounded up: "26 % (20–33)"."""
    value, low, high = (rounded_up(100 * (1 - share)) for share in (rate.value, rate.high, rate.low))
    return f"{value} % ({low}–{high})"


def chance(share: float) -> str:
    """Return the chance of something good in percent, rounded down, with a decimal next to 0 and 100: "99.7 %".

    Never 0 % or 100 %: figures from images that were counted bear neither.
    """
    percent = round(100 * share, _DIGITS)
    if percent < LEAST:
        return f"less than {LEAST} %"
    if percent >= 100:
        return f"more than {100 - LEAST} %"
    return f"{int(percent)} %" if 1 <= percent < 99 else f"{int(10 * percent) / 10:.1f} %"


def listed(names: list[str]) -> str:
    """Return names in a row: "a", "a and b", "a, b and c"."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))
