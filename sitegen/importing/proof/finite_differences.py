"""Whether a gradient graph gives the gradient of its classifier: told by what the logit does beside an image.

Gradients of two engines may differ where a rectifier's input is zero but for rounding. Differences of the logit itself
decide, (f(x + h v) − f(x − h v)) / 2h against ⟨g, v⟩, along the gradient and along random signs. The image is moved by
a little noise first, so that nothing lies exactly on a kink. What is found is a share of the gradient's length, and
coarse: wrong signs, scales, axes and lost branches move it by its own size, kinks and rounding by a tenth. A step that
rounding cannot hide may be so wide that it crosses many kinks, as in deep networks whose gradients are small beside
their logits. So where a wide step contradicts a gradient, shorter ones are tried, in which rounding counts for more:
what kinks did shrinks with the step, and a defect stays.
"""

from collections.abc import Callable

import numpy as np

from sitegen.importing.proof.graph_run import Images, Values

DIRECTIONS = 4
LIMIT = 0.35  # of the gradient's length
_JITTER = 0.02  # of an image's deviation
_ROUNDING = 2e-6  # of a logit of about 1, by an engine in float32
_ABOVE = (200, 60, 20)  # times rounding: how far a logit is moved, the next where the one before contradicts
_WIDEST = 0.05  # of an image's deviation: how far pixels are moved at most

Logit = Callable[[Images], float]
Gradient = Callable[[Images], Values]


def jittered(image: Images, seed: int = 0) -> Images:
    """Return an image [channels, side, side] with a little noise."""
    width = _JITTER * (float(image.std()) or 1.0)
    noise = np.random.default_rng(seed).standard_normal(image.shape, np.float32)
    return np.asarray(image + np.float32(width) * noise, np.float32)


def disagreement(logit: Logit, gradients: list[Values], image: Images, rounding: float = 0.0) -> list[float]:
    """Return for each gradient [channels, side, side] how far differences of the logit are from it.

    That is the median over directions, as a share of the longest gradient's length, for the step at which one of them
    fits best; 0 where gradients are so small that
    rounding hides them, and noise does not move the logit. `rounding` is what the engine's logit may be off by.
    """
    length = max(float(np.linalg.norm(each)) for each in gradients)
    spare = max(_ROUNDING * max(1.0, abs(logit(image))), rounding)
    width = float(image.std()) or 1.0
    # What rounding hides, unless noise moves the logit all the same.
    if not length * width * _WIDEST >= _ABOVE[0] * spare:
        hidden = abs(_moved(logit, image, width) - logit(image)) <= _ABOVE[0] * (spare + length * width * _WIDEST)
        return [0.0 if hidden else 1.0] * len(gradients)
    best: list[float] = []
    for above in _ABOVE:
        found = _at_step(logit, gradients, image, above * spare / length)
        best = min(best or found, found, key=min)
        if best[0] <= LIMIT:
            break
    return best


def _at_step(logit: Logit, gradients: list[Values], image: Images, step: float) -> list[float]:
    """The same for one step: how far pixels are moved along signs, and all of them together along the gradient."""
    random = np.random.default_rng(1)
    along = max(gradients, key=lambda each: float(np.linalg.norm(each)))
    length = float(np.linalg.norm(along))
    ways = [along / length, *(random.choice((-1.0, 1.0), image.shape) for _ in range(DIRECTIONS))]
    found = []
    for way in ways:
        moved = [logit(np.asarray(image + sign * step * way, np.float32)) for sign in (1, -1)]
        slope = (moved[0] - moved[1]) / (2 * step)
        found.append([abs(slope - float((each * way).sum())) / length for each in gradients])
    return [float(value) for value in np.median(np.asarray(found), axis=0)]


def _moved(logit: Logit, image: Images, width: float) -> float:
    """Return the logit of an image with noise of a tenth of its deviation."""
    way = np.random.default_rng(1).choice((-0.1 * width, 0.1 * width), image.shape)
    return logit(np.asarray(image + way, np.float32))
