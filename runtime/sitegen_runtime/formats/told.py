"""How far the check of a file has come, told while it goes on.

A check is one piece of work, of up to ten seconds in the page, and asks nothing of anybody meanwhile. So it calls a
function, which must not take long, and may raise what ends the check.
"""

from collections.abc import Callable

Tell = Callable[[float], object]

_STEPS = 50


class Told:
    """Tells a share of 0 to 1, at most fifty times, and never a smaller one than before."""

    def __init__(self, tell: Tell | None, total: int) -> None:
        """`total` is what `done` of `at` comes to at the end."""
        self._tell, self._total, self._last = tell, max(1, total), 0

    def at(self, done: int) -> None:
        """Say that so much is done."""
        step = min(_STEPS, done * _STEPS // self._total)
        if self._tell and step > self._last:
            self._last = step
            self._tell(step / _STEPS)
