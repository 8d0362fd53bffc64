"""How the gate's values are told to people: some have scales on which a negative number says nothing to anybody."""

from collections.abc import Callable
from dataclasses import dataclass
from math import exp


def _plain(value: float) -> str:
    text = f"{value:.3f}".replace("-", "−")
    return "0.000" if text == "−0.000" else text


def _gain(value: float) -> str:
    return f"{abs(value):.3f} {'lower' if value < 0 else 'higher'}"


def _probability(logit: float) -> str:
    return f"{100 / (1 + exp(-max(logit, -700.0))):.1f} %"


@dataclass(frozen=True)
class Scale:
    """A way to tell values: `show` makes the words of one; `what` they are of, where the metric's name does not do.

    `mirrors` tells, for a threshold, whether "at most" and "at least" change places as it is told.
    """

    show: Callable[[float], str] = _plain
    what: str = ""
    mirrors: Callable[[float], bool] = lambda threshold: False

    def limit(self, value: float, threshold: float, *, at_least: bool) -> str:
        """Return the value and its limit in words: "0.300; at most 0.200 is needed"."""
        word = "at least" if at_least != self.mirrors(threshold) else "at most"
        return f"{self.show(value)}; {word} {self.show(threshold)} is needed"


PLAIN = Scale()
GAIN = Scale(_gain, "turned or inverted, its similarity is", lambda threshold: threshold < 0)
"""A difference: so much lower or higher than without the change."""

NEGATED = Scale(lambda value: _plain(-value), "its energy with the sign turned is", lambda threshold: True)
"""A value that is never positive."""

PROBABILITY = Scale(_probability, "its largest probability is")
"""A logit, told as its probability."""
