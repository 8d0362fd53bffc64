"""A projection as an animated PNG: at each frame the image, the drawing so far, and where they differ.

An animated PNG loses nothing, every browser plays it, and a program that knows none shows its first frame, which is
therefore the end.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sitegen.generation.pictures import Picture, as_picture

FRAME, LAST = 100, 2000
"""Milliseconds that a frame stands, and the last one."""


def write_video(image: Picture, frames: Iterable[NDArray[np.float32]], end: Picture, path: Path) -> None:
    """Write the drawings [C, side, side], -1..1, on the way to `end`, beside `image`; they are of one size."""
    shown = [_beside(image, as_picture(frame)) for frame in frames]
    last = _beside(image, end)
    path.parent.mkdir(parents=True, exist_ok=True)
    durations = [FRAME] * len(shown) + [LAST]
    last.save(path, save_all=True, default_image=True, append_images=[*shown, last], duration=durations, loop=0)


def _beside(image: Picture, drawing: Picture) -> Image.Image:
    error = np.abs(image.astype(np.int16) - drawing).astype(np.uint8)
    return Image.fromarray(np.concatenate([image, drawing, error], axis=1))
