"""An image, and what it comes to before any network, by NumPy and Pillow alone."""

import numpy as np
from PIL import Image

from tests.helpers.runtime.images import picture

SMOOTH = picture(150, 101, seed=1, colour=0.05)


def square_grid(plane: np.ndarray, cells: int) -> np.ndarray:
    """Area average of the centred square of a plane of shares, by repeating every pixel `cells` times."""
    side = min(plane.shape)
    top, left = (plane.shape[0] - side) // 2, (plane.shape[1] - side) // 2
    square = plane[top : top + side, left : left + side]
    wide = square.repeat(cells, axis=0).repeat(cells, axis=1)
    return wide.reshape(cells, side, cells, side).mean(axis=(1, 3))


def luma(image: Image.Image) -> np.ndarray:
    return np.asarray(image.convert("L"), dtype=np.float64) / 255
