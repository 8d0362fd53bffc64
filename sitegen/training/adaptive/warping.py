"""Images moved by matrices, between pixels, so finely that neither grain nor blur tells the discriminator of it.

Karras et al. 2020b, appendix B: twice the side with the wavelet filter sym6 (Daubechies, "Ten lectures on wavelets",
1992), values between four neighbours there, and back with the same filter turned round. The filter is orthonormal,
so an image that is not moved comes out as it was. Beyond the edge lies the image's reflection.
"""

from math import sqrt

import torch
from torch import Tensor
from torch.nn import functional

from sitegen.training.adaptive.sampling import sampled

SYM6 = (
    0.015404109327027373,
    0.0034907120842174702,
    -0.11799011114819057,
    -0.048311742585633,
    0.4910559419267466,
    0.787641141030194,
    0.3379294217276218,
    -0.07263752278646252,
    -0.021060292512300564,
    0.04472490177066578,
    0.0017677118642428036,
    -0.007800708325034148,
)
_MARGIN = 12  # pixels of reflection around the image, more than the filters reach
_REACH = 6
_CENTRE = sum(at * tap for at, tap in enumerate(SYM6)) / sum(SYM6)  # the filter is not quite symmetric


def rearranged(images: Tensor, matrices: Tensor) -> Tensor:
    """Return images [N, C, side, side] whose pixels changed places: `matrices` [N, 3, 3] map centres to centres."""
    side = images.shape[-1]
    along = torch.arange(side, device=images.device, dtype=images.dtype) - (side - 1) / 2
    found = _reflected(_mapped(matrices.to(images), along, side), side)
    places = (2 * found / (side - 1) - 1).reshape(-1, side, side, 2)
    return sampled(images, places, "nearest")


def warped(images: Tensor, matrices: Tensor) -> Tensor:
    """Return images [N, C, side, side] whose points come from where `matrices` [N, 3, 3] say, in pixels."""
    side = images.shape[-1]
    taps = torch.tensor(SYM6, dtype=images.dtype, device=images.device)
    padded = functional.pad(images, [_MARGIN] * 4, mode="reflect")
    fine = _doubled(_doubled(padded, taps * sqrt(2), 2), taps * sqrt(2), 3)
    moved = sampled(fine, _places(matrices.to(images), side), "bilinear")
    return _halved(_halved(moved, taps / sqrt(2), 2), taps / sqrt(2), 3)


def _places(matrices: Tensor, side: int) -> Tensor:
    """For each cell of the finer result, with what the filter needs around it, its place in -1..1 of `fine`."""
    cells = 2 * side + len(SYM6) - 2
    along = (torch.arange(cells, device=matrices.device, dtype=matrices.dtype) - _CENTRE) / 2 - (side - 1) / 2
    found = _mapped(matrices, along, side)
    inside = torch.where((found < -_REACH) | (found > side - 1 + _REACH), _reflected(found, side), found)
    fine = 2 * (inside + _MARGIN) + _CENTRE
    last = 2 * (side + 2 * _MARGIN) + len(SYM6) - 3
    return (2 * fine / last - 1).reshape(-1, cells, cells, 2)


def _mapped(matrices: Tensor, along: Tensor, side: int) -> Tensor:
    """Where a square of points, at `along` from the centre both ways, comes from: [N, points, 2] in pixels."""
    down, across = torch.meshgrid(along, along, indexing="ij")
    points = torch.stack([across, down, torch.ones_like(across)], -1).reshape(1, -1, 3)
    return (points @ matrices.transpose(1, 2))[..., :2] + (side - 1) / 2


def _reflected(found: Tensor, side: int) -> Tensor:
    """Places within 0..side - 1, as in mirrors at both ends."""
    return (side - 1) - (found.remainder(2 * (side - 1)) - (side - 1)).abs()


def _doubled(values: Tensor, taps: Tensor, axis: int) -> Tensor:
    stride, kernel = _along(taps, axis, values.shape[1])
    return functional.conv_transpose2d(values, kernel, stride=stride, groups=values.shape[1])


def _halved(values: Tensor, taps: Tensor, axis: int) -> Tensor:
    stride, kernel = _along(taps, axis, values.shape[1])
    return functional.conv2d(values, kernel, stride=stride, groups=values.shape[1])


def _along(taps: Tensor, axis: int, channels: int) -> tuple[tuple[int, int], Tensor]:
    shape = (channels, 1, -1, 1) if axis == 2 else (channels, 1, 1, -1)
    return ((2, 1) if axis == 2 else (1, 2)), taps.expand(channels, -1).reshape(shape).contiguous()
