"""How projection goes from its start to its end: the rates of its steps, and the noise that is added to the latent.

After Karras et al. 2020 ("Analyzing and Improving the Image Quality of StyleGAN"), appendix D: Adam, whose rate rises
in the first twentieth of the steps and falls along a cosine in the last quarter; noise on the latent falls with the
square of what is left of the first three quarters. The same numbers go to PyTorch and to ONNX graphs.
"""

from __future__ import annotations  # array[float] is a name for type checkers until Python 3.12

from array import array
from dataclasses import dataclass
from math import cos, isfinite, pi
from random import Random
from typing import Any

from sitegen_runtime.errors import BadProjection

STEPS, SEED = 1000, 303
MOST_STEPS = 20_000
RATE, RISE, FALL = 0.1, 0.05, 0.25
JITTER, JITTERED = 0.05, 0.75
FIRST, SECOND, EPSILON = 0.9, 0.999, 1e-8
"""Of Adam (Kingma and Ba 2015): how fast both moments forget, and what keeps its division from 0."""

ONE, EACH = "w", "w+"
SPACES = (ONE, EACH)
"""One latent for all layers of the generator, or one for each."""


@dataclass(frozen=True)
class Wish:
    """What is asked for: how many steps, the seed of all random numbers, which latents are free, and, where it is not
    None, after how many seconds no further step is begun."""

    steps: int = STEPS
    seed: int = SEED
    space: str = ONE
    seconds: float | None = None


def read_wish(fields: Any) -> Wish:
    """Return what a mapping asks for; what it leaves out is as by default. Raises BadProjection."""
    known = Wish.__dataclass_fields__
    if not isinstance(fields, dict) or set(fields) - set(known):
        raise BadProjection(f"What to project by must be a mapping of {', '.join(map(repr, known))}, not {fields!r}.")
    wish = Wish(**fields)
    check_wish(wish)
    return wish


def check_wish(wish: Wish) -> None:
    """Raise BadProjection where a part is out of range."""
    if not _is_whole(wish.steps) or not 1 <= wish.steps <= MOST_STEPS:
        raise BadProjection(f"A projection takes 1 to {MOST_STEPS} steps, not {wish.steps!r}.")
    if not _is_whole(wish.seed) or wish.seed < 0:
        raise BadProjection(f"The seed must be a whole number from 0, not {wish.seed!r}.")
    if wish.space not in SPACES:
        raise BadProjection(f"There is no space of latents {wish.space!r}. There are {', '.join(map(repr, SPACES))}.")
    seconds = wish.seconds
    if seconds is not None and not (isinstance(seconds, int | float) and isfinite(seconds) and seconds > 0):
        raise BadProjection(f"The time must be a number of seconds above 0, not {seconds!r}.")


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def rate(step: int, steps: int) -> float:
    """Return Adam's rate at a step, counted from 0."""
    done = step / steps
    falling = 0.5 - 0.5 * cos(pi * min(1.0, (1.0 - done) / FALL))
    return RATE * falling * min(1.0, done / RISE)


def jitter(step: int, steps: int) -> float:
    """Return the deviation of the noise on the latent at a step, in deviations of the generator's latents."""
    return JITTER * max(0.0, 1.0 - step / steps / JITTERED) ** 2


def corrections(step: int) -> tuple[float, float]:
    """Return what Adam's moments are to be multiplied by at a step, counted from 0, for they begin at 0."""
    return 1.0 / (1.0 - FIRST ** (step + 1)), 1.0 / (1.0 - SECOND ** (step + 1))


class Draws:
    """The random numbers of a projection: those of the noise inputs once, then those of the latent at each step."""

    def __init__(self, wish: Wish, latents: tuple[int, int]) -> None:
        """Take the shape of the latents: [layers, length of each]."""
        self._random = Random(wish.seed)  # noqa: S311 - nothing secret hangs on it
        self._layers, self._length = latents
        self._space = wish.space

    def noise(self, count: int) -> array[float]:
        """Return the values of all noise inputs, normally distributed."""
        return self._normal(count)

    def latent(self) -> array[float]:
        """Return values for all latents, [layers, length] in rows: the same row for each layer where they are one."""
        if self._space == ONE:
            return self._normal(self._length) * self._layers
        return self._normal(self._layers * self._length)

    def _normal(self, count: int) -> array[float]:
        draw = self._random.gauss
        return array("f", [draw(0.0, 1.0) for _ in range(count)])
