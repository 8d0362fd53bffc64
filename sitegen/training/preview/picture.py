"""What augmentation does to images, as one picture: a row for each image, first as it is, then variants of it."""

from collections.abc import Sequence
from math import ceil
from pathlib import Path

import matplotlib
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from sitegen.training.augment import AugmentSettings, augment

LEAST_SIDE = 128
"""Pixels: smaller images are shown enlarged by whole numbers, so that each of their pixels is a square."""

_GAP, _LINE, _FONT = 6, 20, 13
_PAPER, _INK = "#ffffff", "#1b1b1b"


def augmentation_sheet(
    images: NDArray[np.float32], names: Sequence[str], settings: AugmentSettings, variants: int, seed: int
) -> Image.Image:
    """Return the picture for images [N, channels, side, side] with values 0 (black) to 1, and 1 or 3 channels.

    `names` are written above the rows. The variants are what training would draw, from `seed` alone.
    """
    generator = torch.Generator().manual_seed(seed)
    shown = torch.from_numpy(images)
    columns = [shown, *(augment(shown, settings, 0.0, 1.0, generator) for _ in range(variants))]
    side = images.shape[-1] * max(1, ceil(LEAST_SIDE / images.shape[-1]))
    sheet = Image.new("RGB", _size(len(images), variants, side), _PAPER)
    draw, font = ImageDraw.Draw(sheet), _font()
    draw.text((_GAP, 3), told(settings), _INK, font)
    for column in range(variants + 1):
        heading = "as the network sees it" if column == 0 else f"variant {column}"
        draw.text((_left(column, side), _LINE + 3), _fitting(heading, side, font), _INK, font)
    for row, name in enumerate(names):
        top = 2 * _LINE + row * (_LINE + side + _GAP)
        draw.text((_GAP, top + 3), _fitting(name, sheet.width - 2 * _GAP, font), _INK, font)
        for column, changed in enumerate(columns):
            picture = _picture(changed[row].numpy()).resize((side, side), Image.Resampling.NEAREST)
            sheet.paste(picture, (_left(column, side), top + _LINE))
    return sheet


def told(settings: AugmentSettings) -> str:
    """Return augmentation settings in words, without what is off."""
    signed = {
        "rotation": (settings.rotation, f"±{settings.rotation:g}°"),
        "shift": (settings.shift, f"±{settings.shift:.0%}"),
        "scale": (settings.scale, f"±{settings.scale:.0%}"),
        "brightness": (settings.brightness, f"±{settings.brightness:.0%}"),
        "contrast": (settings.contrast, f"±{settings.contrast:.0%}"),
        "zoom": (settings.zoom > 1, f"× {settings.zoom:g} in {settings.zoom_chance:.0%}"),
        "flip": (settings.flip_chance, f"in {settings.flip_chance:.0%}"),
    }
    parts = [f"{name} {text}" for name, (is_on, text) in signed.items() if is_on]
    return ", ".join(parts) or "no augmentation"


def _size(rows: int, variants: int, side: int) -> tuple[int, int]:
    return _left(variants + 1, side), 2 * _LINE + rows * (_LINE + side + _GAP)


def _left(column: int, side: int) -> int:
    # The first column stands apart a little more, for it is no variant.
    return _GAP + column * (side + _GAP) + (_GAP if column else 0)


def _picture(values: NDArray[np.float32]) -> Image.Image:
    bytes_ = np.rint(255 * np.clip(values, 0, 1)).astype(np.uint8)
    return Image.fromarray(bytes_[0] if len(bytes_) == 1 else np.ascontiguousarray(bytes_.transpose(1, 2, 0)))


def _font() -> ImageFont.FreeTypeFont:
    # Pillow's own has neither accents nor Greek or Cyrillic letters, which names of files may have.
    return ImageFont.truetype(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf", _FONT)


def _fitting(text: str, width: int, font: ImageFont.FreeTypeFont) -> str:
    """The text, shortened in the middle where it is wider than so many pixels."""
    shown, cut = text, 0
    while cut < len(text) and font.getlength(shown) > width:
        cut += 1
        kept = len(text) - cut
        shown = f"{text[: ceil(kept / 2)]}…{text[len(text) - kept // 2 :]}"
    return shown
