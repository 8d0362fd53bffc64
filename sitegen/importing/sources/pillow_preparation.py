"""The way of most networks for photographs: the shorter side to a size, the middle of that, mean and deviation."""

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image

from sitegen.importing.source import Images


class ResizeAndCrop:
    """torchvision's Resize, CenterCrop, ToTensor and Normalize, with Pillow alone.

    Resize takes the shorter side to `shorter` and cuts off what is left of a pixel of the longer one; CenterCrop cuts
    `side` from the middle. Three numbers of `mean` mean colour, one means grey. `more` is a sentence for people.
    """

    def __init__(self, shorter: int, side: int, mean: Sequence[float], std: Sequence[float], more: str = "") -> None:
        self.shorter, self.side = shorter, side
        self.mode = "RGB" if len(mean) == 3 else "L"
        self.mean, self.std = np.asarray(mean, np.float32), np.asarray(std, np.float32)
        self.described = (
            f'Pillow, as torchvision: convert("{self.mode}"), shorter side to {shorter} by bilinear interpolation, the '
            f"middle {side} of it, less the mean, by the deviation. {more}"
        ).rstrip()

    def tensor(self, content: bytes) -> Images:
        """Return float32 [channels, side, side] for an image file. Raises OSError or ValueError where it is none."""
        image = Image.open(io.BytesIO(content)).convert(self.mode)
        width, height = image.size
        size = (
            (self.shorter, int(self.shorter * height / width))
            if width <= height
            else (int(self.shorter * width / height), self.shorter)
        )
        small = image.resize(size, Image.Resampling.BILINEAR)
        left, top = (round((length - self.side) / 2) for length in small.size)
        middle = small.crop((left, top, left + self.side, top + self.side))
        values = np.asarray(middle, np.float32).reshape(self.side, self.side, -1) / np.float32(255)
        normal = (values - self.mean) / self.std
        return np.ascontiguousarray(normal.transpose(2, 0, 1), np.float32)
