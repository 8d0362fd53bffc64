"""How documents write figures down."""

from typing import TypedDict


class IntervalDocument(TypedDict):
    """A figure with its interval, as `resampling.Interval` has it."""

    value: float
    low: float
    high: float
