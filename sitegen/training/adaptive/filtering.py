"""Four bands of frequencies made stronger or weaker, so that a discriminator cannot go by them alone.

Karras et al. 2020b, appendix B, "image-space filtering". The bands are those of the wavelet sym2, octaves apart: half
of all frequencies, a quarter, an eighth, and the rest below. With the half-band filter L(z) of sym2 with itself and
H = 1 - L they are H(z), L(z) H(z²), L(z) L(z²) H(z⁴) and L(z) L(z²) L(z⁴), and sum up to 1: an image none of whose
bands is changed comes out as it was. Filters are symmetric, go along rows and columns, and see the image's reflection
beyond its edge.
"""

import torch
from torch import Generator, Tensor
from torch.nn import functional

from sitegen.training.adaptive.parts import BAND

_HALF_BAND = (-1 / 32, 0.0, 9 / 32, 16 / 32, 9 / 32, 0.0, -1 / 32)
POWERS = (10 / 13, 1 / 13, 1 / 13, 1 / 13)
"""How natural images share their power among the bands, the lowest first (the paper's 1/f spectrum)."""


def bands() -> Tensor:
    """Return the filters [4, 43] of the bands, float64, the lowest first."""
    low = torch.tensor(_HALF_BAND, dtype=torch.float64)
    high = -low
    high[len(high) // 2] += 1
    made, below = [], torch.ones(1, dtype=torch.float64)
    for level in range(3):
        made.append(_product(below, _spread(high, level)))
        below = _product(below, _spread(low, level))
    made.append(below)
    length = max(len(each) for each in made)
    return torch.stack([functional.pad(each, [(length - len(each)) // 2] * 2) for each in reversed(made)])


def draw_strengths(count: int, chance: float, generator: Generator) -> Tensor:
    """Return the factors [N, 4] of the bands on the generator's device; each is drawn with `chance`.

    Each draw is divided by what it does to the power of an image like POWERS.
    """
    device = generator.device
    powers = torch.tensor(POWERS, device=device)
    factors = torch.ones(count, len(POWERS), device=device)
    for band in range(len(POWERS)):
        happens = torch.rand(count, generator=generator, device=device) < chance
        drawn = (torch.randn(count, generator=generator, device=device) * BAND).exp()
        change = torch.ones_like(factors)
        change[:, band] = torch.where(happens, drawn, torch.ones_like(drawn))
        factors = factors * change / (change.square() * powers).sum(1, keepdim=True).sqrt()
    return factors


def filtered(images: Tensor, factors: Tensor) -> Tensor:
    """Return images [N, C, side, side], more than 21 pixels wide, with their bands times `factors` [N, 4]."""
    count, channels, side = images.shape[:3]
    taps = (factors.to(images) @ bands().to(images)).repeat_interleave(channels, 0)
    reach = taps.shape[1] // 2
    flat = functional.pad(images, [reach] * 4, mode="reflect").reshape(1, count * channels, *[side + 2 * reach] * 2)
    for shape in ((-1, 1, taps.shape[1], 1), (-1, 1, 1, taps.shape[1])):
        flat = functional.conv2d(flat, taps.reshape(shape), groups=count * channels)
    return flat.reshape(images.shape)


def _spread(taps: Tensor, level: int) -> Tensor:
    """The filter in z to the power of 2 ** level: zeros between its taps."""
    step = 2**level
    made = taps.new_zeros((len(taps) - 1) * step + 1)
    made[::step] = taps
    return made


def _product(one: Tensor, other: Tensor) -> Tensor:
    reach = len(other) - 1
    return functional.conv1d(one.reshape(1, 1, -1), other.flip(0).reshape(1, 1, -1), padding=reach).flatten()
