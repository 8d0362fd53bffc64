"""Pictures of what a generator draws: grids that are always of the same latents, and files to measure."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from sitegen.networks.stylegan2.generator import StyleGenerator, one_hot
from sitegen.training.generator.drawing import seeded

_AT_ONCE = 16
_GRID, _FILES = 1, 2  # streams of random numbers


@torch.inference_mode()
def drawn(generator: StyleGenerator, count: int, stream: int = _FILES) -> Iterator[NDArray[np.uint8]]:
    """Yield images, uint8 [side, side] of grey or [side, side, 3], of z from a fixed seed, with constant noise.

    With classes, they take turns.
    """
    shape, device = generator.shape, next(generator.parameters()).device
    noise = generator.synthesis.constant_noise()
    for first in range(0, count, _AT_ONCE):
        numbers = torch.arange(first, min(count, first + _AT_ONCE))
        z = torch.cat(
            [torch.randn((1, shape.latent), generator=seeded(torch.device("cpu"), stream, n)) for n in numbers.tolist()]
        )
        label = one_hot(numbers % shape.classes, shape.classes).to(device) if shape.classes else None
        images = generator(z.to(device), label, noise=noise)
        yield from map(_picture, images)


def grid(generator: StyleGenerator, columns: int) -> Image.Image:
    """Return a square of `columns` times `columns` images."""
    pictures = list(drawn(generator, columns**2, _GRID))
    rows = [np.concatenate(pictures[at : at + columns], axis=1) for at in range(0, len(pictures), columns)]
    return Image.fromarray(np.concatenate(rows))


def write_drawn(generator: StyleGenerator, count: int, folder: Path) -> None:
    """Write images as PNG files, 00000.png and so on."""
    write_pictures(drawn(generator, count), folder)


def write_pictures(pictures: Iterator[NDArray[np.uint8]], folder: Path) -> None:
    """Write pictures as PNG files, 00000.png and so on."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, picture in enumerate(pictures):
        Image.fromarray(picture).save(folder / f"{number:05d}.png", compress_level=1)


def real_pictures(pixels: NDArray[np.uint8], count: int, seed: int) -> Iterator[NDArray[np.uint8]]:
    """Yield at most `count` of real images [N, C, side, side], drawn by the seed, as `drawn` yields made ones."""
    chosen = np.sort(np.random.default_rng([seed, _FILES]).permutation(len(pixels))[:count])
    for at in chosen:
        moved = np.moveaxis(pixels[at], 0, -1)
        yield np.ascontiguousarray(moved[..., 0] if moved.shape[-1] == 1 else moved)


def _picture(image: Tensor) -> NDArray[np.uint8]:
    values = ((image.float().clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8).cpu().numpy()
    moved = np.moveaxis(values, 0, -1)
    return np.ascontiguousarray(moved[..., 0] if moved.shape[-1] == 1 else moved)
