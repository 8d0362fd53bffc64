"""Images as PNG files, one each, or as one grid."""

from collections.abc import Iterable
from math import ceil, sqrt
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Picture = NDArray[np.uint8]


def write_each(images: Iterable[tuple[str, Picture]], folder: Path) -> int:
    """Write each image to `<name>.png` in a folder as it comes; return how many there were."""
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    for name, image in images:
        Image.fromarray(image).save(folder / f"{name}.png")
        count += 1
    return count


def write_grid(images: Iterable[tuple[str, Picture]], path: Path, columns: int | None = None) -> int:
    """Write all images into one PNG, in rows, as many columns as rows by default; return how many there were."""
    parts = [image for _, image in images]
    across = columns or ceil(sqrt(len(parts)))
    down = ceil(len(parts) / across)
    height, width = parts[0].shape[:2]
    grid = np.zeros((down * height, across * width, *parts[0].shape[2:]), np.uint8)
    for at, part in enumerate(parts):
        row, column = divmod(at, across)
        grid[row * height : (row + 1) * height, column * width : (column + 1) * width] = part
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(grid).save(path)
    return len(parts)


def as_picture(values: NDArray[np.float32]) -> Picture:
    """Return an image [C, side, side] from -1 to 1 as uint8 [side, side] or [side, side, 3]; the rest is cut off."""
    levels = np.rint(np.clip(values.astype(np.float64) * 127.5 + 127.5, 0, 255)).astype(np.uint8)
    return levels[0] if len(levels) == 1 else np.ascontiguousarray(levels.transpose(1, 2, 0))
