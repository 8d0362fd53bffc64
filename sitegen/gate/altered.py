"""Images unlike the training distribution, made from images of it: what a combination of scores learns from.

Real images of other kinds never serve here: they are what the gate is measured with, and a gate that was fitted to
them would promise too much. Photographs of films and screens are left out on purpose, too, so that this kind of change
stays unknown to all fitting.

An alteration works on the image as shares of its range, 0 black and 1 white, float64 [C, side, side]. All that it
draws by chance is measured in shares of the side, so that a classifier's and a gate's tensor of the same image are
altered alike though their sizes differ.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, map_coordinates

from sitegen.errors import SettingsError
from sitegen_runtime.bundle.model import NetworkInput

Shares = NDArray[np.float64]
Images = NDArray[np.float32]
Alteration = Callable[[Shares, Generator], Shares]


def altered(images: Images, entry: NetworkInput, kind: str, seed: int = 0) -> Images:
    """Return images [N, C, side, side] of a network's input, each altered, as values of the same input.

    The same kind, seed and place in the order give the same alteration at every size. Raises SettingsError for a kind
    that is not in ALTERATIONS.
    """
    if kind not in ALTERATIONS:
        raise SettingsError(f"there is no alteration {kind!r}; there are {', '.join(ALTERATIONS)}")
    low, high = entry.range
    mean, std = (np.asarray(values, np.float64)[:, np.newaxis, np.newaxis] for values in (entry.mean, entry.std))
    number = list(ALTERATIONS).index(kind)
    result = np.empty_like(images)
    for index, image in enumerate(images):
        shares = (image.astype(np.float64) * std + mean - low) / (high - low)
        changed = ALTERATIONS[kind](shares, np.random.default_rng([seed, number, index]))
        result[index] = (low + (high - low) * np.clip(changed, 0, 1) - mean) / std
    return result


def _turned(quarters: int) -> Alteration:
    def turn(image: Shares, _: Generator) -> Shares:
        return np.rot90(image, -quarters, axes=(1, 2))  # clockwise

    return turn


def _upside_down(image: Shares, _: Generator) -> Shares:
    return image[:, ::-1]


def _inverted(image: Shares, _: Generator) -> Shares:
    return 1 - image


def _cropped(image: Shares, random: Generator) -> Shares:
    """A part of 0.3 to 0.6 of the side, enlarged."""
    part = random.uniform(0.3, 0.6)
    left, top = random.uniform(0, 1 - part, 2)
    return _window(image, left, top, part)


def _shrunk(image: Shares, random: Generator) -> Shares:
    """The whole image at 0.3 to 0.6 of its side, somewhere on an even ground."""
    part, ground = random.uniform(0.3, 0.6), random.uniform(0, 1)
    left, top = random.uniform(0, 1 - part, 2)
    # Averaged first, as an image that is made smaller is.
    calm = gaussian_filter(image, (0, *2 * [0.5 * (1 / part - 1)]), mode="nearest")
    return _window(calm, -left / part, -top / part, 1 / part, ground)


def _squeezed(image: Shares, random: Generator) -> Shares:
    """One direction at 0.3 to 0.5 of its length, as if a long strip had been pressed into a square."""
    width = random.uniform(0.3, 0.5)
    start = random.uniform(0, 1 - width)
    across = bool(random.integers(2))
    left, top, parts = (start, 0.0, (1.0, width)) if across else (0.0, start, (width, 1.0))
    return _window(image, left, top, parts)


def _shuffled(image: Shares, random: Generator) -> Shares:
    """Tiles of a quarter of the side in another order."""
    order = random.permutation(16)
    cells = image.shape[-1]
    places = (np.arange(cells) + 0.5) / cells * 4
    tile, inside = places.astype(int), places % 1
    source = order.reshape(4, 4)[tile[:, np.newaxis], tile]
    rows = (source // 4 + inside[:, np.newaxis]) / 4 * cells - 0.5
    columns = (source % 4 + inside[np.newaxis]) / 4 * cells - 0.5
    return _sampled(image, rows, columns)


def _noise(image: Shares, random: Generator) -> Shares:
    """Grains of random grey instead of the image, 8 to 64 along a side."""
    grains = int(random.choice([8, 16, 32, 64]))
    return _grid(random.uniform(0, 1, (grains, grains)), image.shape)


def _noisy(image: Shares, random: Generator) -> Shares:
    """The image under grains that are stronger than its own contrasts."""
    grains, strength = int(random.choice([32, 64])), random.uniform(0.5, 0.8)
    return image * (1 - strength) + strength * _grid(random.uniform(0, 1, (grains, grains)), image.shape)


def _grey(image: Shares, random: Generator) -> Shares:
    """An even grey, or one that falls off to a side."""
    grey, slope = random.uniform(0, 1), random.uniform(-0.5, 0.5) * random.integers(2)
    return np.broadcast_to(grey + slope * (_places(image.shape[-1])[:, np.newaxis] - 0.5), image.shape)


def _blurred(image: Shares, random: Generator) -> Shares:
    sigma = random.uniform(0.08, 0.2) * image.shape[-1]
    return np.asarray(gaussian_filter(image, (0, sigma, sigma), mode="nearest"))


def _two_greys(image: Shares, random: Generator) -> Shares:
    """Black and white alone, as on a page of text."""
    return (image > np.quantile(image, random.uniform(0.3, 0.7))).astype(np.float64)


ALTERATIONS: Mapping[str, Alteration] = MappingProxyType(
    {
        "turned-90": _turned(1),
        "turned-180": _turned(2),
        "turned-270": _turned(3),
        "upside-down": _upside_down,
        "inverted": _inverted,
        "cropped": _cropped,
        "shrunk": _shrunk,
        "squeezed": _squeezed,
        "shuffled": _shuffled,
        "noise": _noise,
        "noisy": _noisy,
        "grey": _grey,
        "blurred": _blurred,
        "two-greys": _two_greys,
    }
)


def _places(cells: int) -> Shares:
    """The middles of cells as shares of the side."""
    return np.asarray((np.arange(cells) + 0.5) / cells)


def _window(
    image: Shares, left: float, top: float, part: float | tuple[float, float], ground: float | None = None
) -> Shares:
    """A rectangle of the image, `part` (height and width) of its side, drawn over the whole square."""
    cells = image.shape[-1]
    height, width = part if isinstance(part, tuple) else (part, part)
    rows = (top + height * _places(cells)) * cells - 0.5
    columns = (left + width * _places(cells)) * cells - 0.5
    return _sampled(image, rows[:, np.newaxis], columns[np.newaxis], ground)


def _sampled(image: Shares, rows: Shares, columns: Shares, ground: float | None = None) -> Shares:
    """The image at other places, interpolated linearly; beyond its edge the ground, or what is nearest."""
    mode = {"mode": "nearest"} if ground is None else {"mode": "constant", "cval": ground}
    rows, columns = np.broadcast_arrays(rows, columns)
    return np.stack([map_coordinates(channel, [rows, columns], order=1, **mode) for channel in image])


def _grid(values: Shares, shape: tuple[int, ...]) -> Shares:
    """A coarse square of values, each drawn as a square of even grey."""
    nearest = (_places(shape[-1]) * len(values)).astype(int)
    return np.broadcast_to(values[nearest[:, np.newaxis], nearest], shape)
