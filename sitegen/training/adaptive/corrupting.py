"""Noise on images, and a square cut out of them (Karras et al. 2020b, appendix B, "image-space corruptions")."""

import torch
from torch import Generator, Tensor

from sitegen.training.adaptive.parts import CUTOUT, NOISE


def noisy(images: Tensor, chance: float, generator: Generator) -> Tensor:
    """Return images [N, C, side, side] with white noise; its deviation is half-normal, and 0 but with `chance`."""
    happens = _even((len(images),), generator) < chance
    deviation = torch.randn(len(images), generator=generator, device=generator.device).abs() * NOISE
    noise = torch.randn(images.shape, generator=generator, device=generator.device)
    return images + (noise * (deviation * happens)[:, None, None, None]).to(images)


def cut_out(images: Tensor, chance: float, generator: Generator) -> Tensor:
    """Return images [N, C, side, side] with a square of half the side set to 0, the grey in the middle, with `chance`.

    Its centre is anywhere in the image, so that part of it may lie beyond.
    """
    count, side = len(images), images.shape[-1]
    happens = _even((count,), generator) < chance
    centres = _even((count, 2), generator)
    along = (torch.arange(side, device=generator.device) + 0.5) / side
    inside = (along - centres[:, :, None]).abs() < CUTOUT / 2  # [N, 2, side]
    cut = inside[:, 0, :, None] & inside[:, 1, None, :] & happens[:, None, None]
    return images * (~cut)[:, None].to(images)


def _even(shape: tuple[int, ...], generator: Generator) -> Tensor:
    return torch.rand(shape, generator=generator, device=generator.device)
