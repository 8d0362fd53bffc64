"""A synthetic chest radiograph, for examples and tests: no patient, no licence, the same for the same seed.

Shapes are drawn as thicknesses of tissue on the unit square (x to the right, y downwards), added up, and turned to grey
as film does it: air dark, bone bright. It is plausible to the eye and accepted by the shipped bundle's gate; it is no
model of anatomy or of physics.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Plane = NDArray[np.float64]
SMALLEST_DRAWN = 128  # smaller phantoms are averaged from a larger drawing, which keeps thin ribs


@dataclass(frozen=True)
class Body:
    """What differs from one phantom to the next; lengths are shares of the image's side."""

    middle: float  # x of the spine
    chest: float  # half the width of the rib cage
    apex: float  # y of the tops of the lungs
    base: float  # y of the domes of the diaphragm
    heart: float  # half the width of the heart
    tissue: float  # thickness of the soft tissue
    tilt: float  # fall of the ribs from the spine outwards


def phantom(seed: int = 0, size: int = 1024, opacity: bool = False) -> NDArray[np.uint8]:
    """Return a chest radiograph of `size` x `size` grey pixels, uint8, heart to the right of the picture.

    `opacity` plants a cloudy patch in one lung, for tests that need something to find. Raises ValueError for a size
    below 16.
    """
    if size < 16:
        raise ValueError(f"a phantom of {size} pixels a side shows nothing; take at least 16")
    return _drawn(seed, size, opacity)


def _drawn(seed: int, size: int, opacity: bool) -> NDArray[np.uint8]:
    rng = np.random.default_rng(seed)
    body = _draw_body(rng)
    factor = -(-SMALLEST_DRAWN // size)
    # A column and a row: what depends on one of them alone is computed once for each row or column, not for each pixel.
    y, x = np.meshgrid(_centres(size * factor), _centres(size * factor), indexing="ij", sparse=True)
    tissue = _soft_tissue(x, y, body)
    lungs = _lungs(x, y, body)
    tissue -= 0.30 * lungs
    tissue += _vessels(x, y, body, rng) * lungs
    tissue += _mediastinum(x, y, body)
    tissue += _bones(x, y, body) * (0.5 + 0.5 * lungs)
    patch = _opacity(x, y, body, rng)
    if opacity:
        tissue += patch * lungs
    grey = _film(tissue + _clouds(rng, size * factor, 6) * 0.03 + _grain(rng, size * factor))
    return _average(grey, factor)


def write_phantom(path: Path, seed: int = 0, size: int = 1024) -> None:
    """Write a phantom as an 8-bit grey PNG."""
    Image.fromarray(phantom(seed, size)).save(path, optimize=True)


def _draw_body(rng: np.random.Generator) -> Body:
    def about(value: float, spread: float) -> float:
        return float(value + spread * rng.uniform(-1, 1))

    return Body(
        middle=about(0.5, 0.015),
        chest=about(0.37, 0.02),
        apex=about(0.13, 0.02),
        base=about(0.74, 0.03),
        heart=about(0.15, 0.02),
        tissue=about(0.62, 0.03),
        tilt=about(0.10, 0.02),
    )


def _soft_tissue(x: Plane, y: Plane, body: Body) -> Plane:
    across = np.abs(x - body.middle)
    shoulders = 0.13 + 0.45 * _step(y, 0.10, 0.05)
    trunk = _step(shoulders - across, 0.0, 0.05)
    flank = _step(0.485 - 0.05 * _step(y, 0.45, 0.1) - across, 0.0, 0.012)
    arms = _step(across - 0.44, 0.0, 0.02) * _step(0.5 - y, 0.0, 0.3)
    below = 0.12 * _step(y, body.base, 0.05)
    return body.tissue * trunk * np.maximum(flank, arms) + below * trunk


def _lungs(x: Plane, y: Plane, body: Body) -> Plane:
    return np.maximum(_lung(x, y, body, -1.0), _lung(x, y, body, 1.0))


def _lung(x: Plane, y: Plane, body: Body, side: float) -> Plane:
    outwards = (x - body.middle) * side  # 0 at the spine
    down = np.clip((y - body.apex) / (body.base + 0.08 - body.apex), 0, 1)
    outer = body.chest * (0.30 + 0.70 * np.sqrt(np.clip(np.sin(np.pi * np.minimum(down, 0.52) / 1.04), 0, 1)))
    inner = 0.075 + 0.02 * np.cos(2 * np.pi * down)
    if side > 0:
        inner = inner + body.heart * 0.75 * _step(y, 0.56, 0.06)
    dome = body.base + (0.035 if side > 0 else 0.0) + 1.1 * np.clip(np.abs(outwards - 0.17), 0, 1) ** 2 * 2.2
    inside = np.minimum(np.minimum(outer - outwards, outwards - inner), (y - body.apex) * 0.6)
    return _step(np.minimum(inside, dome - y), 0.0, 0.02)


def _mediastinum(x: Plane, y: Plane, body: Body) -> Plane:
    spine = 0.20 * _bump((x - body.middle) / 0.045)
    discs = 0.03 * np.cos(2 * np.pi * y / 0.058) * _bump((x - body.middle) / 0.03)
    trachea = -0.14 * _bump((x - body.middle + 0.004) / 0.016) * _step(0.33 - y, 0.0, 0.02)
    heart = 0.22 * _ellipse(x, y, body.middle + 0.055, 0.62, body.heart, 0.15, 0.35)
    knob = 0.12 * _ellipse(x, y, body.middle + 0.055, 0.34, 0.05, 0.05, 0.4)
    hila = sum(0.10 * _ellipse(x, y, body.middle + side * 0.11, 0.45, 0.045, 0.075, 0.9) for side in (-1.0, 1.0))
    return np.asarray(spine + discs + trachea + heart + knob + hila)


def _bones(x: Plane, y: Plane, body: Body) -> Plane:
    across = np.abs(x - body.middle) / body.chest
    bones = np.zeros_like(x + y)
    within = _step(1.02 - across, 0.0, 0.02) * _step(across, 0.12, 0.05)
    for number in range(10):
        top = body.apex + 0.005 + number * 0.069
        behind = top + body.tilt * across**2 - 0.03 * np.sin(np.pi * np.clip(across, 0, 1))
        front = top + 0.10 + 0.16 * (1 - across) * _step(across, 0.3, 0.05)
        bones += 0.085 * _band(y - behind, 0.011) * within
        if number < 7:
            bones += 0.035 * _band(y - front, 0.010) * within * _step(across, 0.42, 0.08)
    collar = body.apex + 0.035 - 0.06 * across + 0.035 * np.sin(2.4 * across)
    bones += 0.13 * _band(y - collar, 0.012) * _step(across, 0.12, 0.03) * _step(1.15 - across, 0.0, 0.05)
    blades = _ellipse(across, y, 1.06, 0.27, 0.22, 0.15, 0.15)
    return bones + 0.09 * blades


def _vessels(x: Plane, y: Plane, body: Body, rng: np.random.Generator) -> Plane:
    """Branches that thin out from the hila."""
    lines = np.zeros_like(x + y)
    for side in (-1.0, 1.0):
        outwards, down = (x - body.middle) * side - 0.09, y - 0.45
        distance = np.hypot(outwards, down) + 1e-6
        angle = np.arctan2(down, outwards)
        width = (0.010 - 0.02 * distance).clip(0.002)
        fading, beginning = np.exp(-distance / 0.13), 1 - np.exp(-((distance / 0.05) ** 2))
        for _ in range(14):
            course = rng.uniform(-1.5, 1.5) + rng.uniform(-1.2, 1.2) * distance
            lines += _bump((angle - course) * distance / width) * fading * beginning
    return 0.144 * np.minimum(lines, 1.5)


def _opacity(x: Plane, y: Plane, body: Body, rng: np.random.Generator) -> Plane:
    side = rng.choice([-1.0, 1.0])
    middle_x = body.middle + side * rng.uniform(0.2, 0.26)
    middle_y = rng.uniform(0.4, 0.6)
    return 0.4 * _ellipse(x, y, middle_x, middle_y, 0.11, 0.13, 0.8)


def _film(tissue: Plane) -> Plane:
    """Return grey 0..255 for thicknesses, on a film's S-shaped curve."""
    return 235.0 / (1.0 + np.exp(-4.2 * (tissue - 0.50)))


def _grain(rng: np.random.Generator, size: int) -> Plane:
    return rng.normal(0.0, 0.006, (size, size))


def _clouds(rng: np.random.Generator, size: int, cells: int) -> Plane:
    """Return smooth random values around 0, from a small grid enlarged by cosine interpolation."""
    grid = rng.normal(size=(cells + 1, cells + 1))
    position = _centres(size) * cells
    whole = position.astype(int)
    part = (1 - np.cos(np.pi * (position - whole))) / 2
    rows = grid[whole] * (1 - part)[:, None] + grid[whole + 1] * part[:, None]
    return np.asarray(rows[:, whole] * (1 - part) + rows[:, whole + 1] * part)


def _average(grey: Plane, factor: int) -> NDArray[np.uint8]:
    size = len(grey) // factor
    mean = grey.reshape(size, factor, size, factor).mean(axis=(1, 3))
    grey_levels: NDArray[np.uint8] = np.clip(np.rint(mean), 0, 255).astype(np.uint8)
    return grey_levels


def _centres(size: int) -> Plane:
    return (np.arange(size) + 0.5) / size


def _step(value: Plane, edge: float, softness: float) -> Plane:
    """Rise from 0 to 1 around `edge`."""
    return 1.0 / (1.0 + np.exp(-np.clip((value - edge) / softness * 4, -60, 60)))


def _bump(value: Plane) -> Plane:
    return np.exp(-0.5 * value**2)


def _band(value: Plane, half: float) -> Plane:
    """A rib in profile: bright edges, a little less inside."""
    inside = _step(half - np.abs(value), 0.0, 0.006)
    return inside * (0.75 + 0.25 * np.minimum(np.abs(value) / half, 1.0))


def _ellipse(
    x: Plane, y: Plane, middle_x: float, middle_y: float, half_x: float, half_y: float, softness: float
) -> Plane:
    return _step(1.0 - np.hypot((x - middle_x) / half_x, (y - middle_y) / half_y), 0.0, softness)
