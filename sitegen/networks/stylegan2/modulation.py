"""Convolutions whose weights a style scales (Karras et al. 2020a, section 2.2), written so that weights stay constant.

To scale the weights of input channel i by s_i is to scale the channel itself; to divide the weights of output channel
j by their length is to divide what comes out. So with d_j = 1 / sqrt(sum over i, k of (w_ijk s_i)²),

    y = d * conv(s * x, w)

is convolution with each image's own demodulated weights, for all images at once and with one set of weights.
"""

from math import sqrt

import torch
from torch import Tensor, nn
from torch.nn import functional

from sitegen.networks.stylegan2.equalised import EPSILON, EqualLinear, activate
from sitegen.networks.stylegan2.filters import Blur


def demodulation(weight: Tensor, styles: Tensor) -> Tensor:
    """Return d [N, outputs] of weights [outputs, inputs, k, k] and styles [N, inputs]; of no style at all 1e4."""
    squares = weight.square().sum((2, 3))
    # As a bias: PyTorch's exporter takes away a number this small that is added, and 1 / sqrt(0) is none.
    return torch.rsqrt(functional.linear(styles.square(), squares, squares.new_full((len(weight),), EPSILON)))


class StyledConv(nn.Module):
    """A modulated 3x3 convolution, noise, bias and a leaky rectifier; `up` doubles the side.

    Upsampling is a transposed convolution of stride 2 and the filter behind it.
    """

    noise_const: Tensor

    def __init__(self, inputs: int, outputs: int, style: int, side: int, up: bool, clamp: float | None) -> None:
        super().__init__()
        self.affine = EqualLinear(style, inputs, bias=1.0)
        self.weight = nn.Parameter(torch.randn(outputs, inputs, 3, 3))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.noise_strength = nn.Parameter(torch.zeros(()))
        self.register_buffer("noise_const", torch.randn(1, 1, side, side))
        self.blur = Blur(outputs, padding=1, gain=4.0) if up else None
        self.side, self.clamp = side, clamp

    def forward(self, maps: Tensor, w: Tensor, noise: Tensor | None = None) -> Tensor:
        """Return [N, outputs, side, side] of maps, w [N, style] and noise [1 or N, 1, side, side]; None adds none."""
        styles = self.affine(w)
        scaled = maps * styles[:, :, None, None]
        if self.blur is None:
            made = functional.conv2d(scaled, self.weight, padding=1)
        else:
            made = self.blur(functional.conv_transpose2d(scaled, self.weight.transpose(0, 1), stride=2))
        made = made * demodulation(self.weight, styles)[:, :, None, None]
        if noise is not None:
            made = made + noise * self.noise_strength
        return activate(made, self.bias, clamp=self.clamp)


class ToImage(nn.Module):
    """A modulated 1x1 convolution to the image's channels, without demodulation."""

    def __init__(self, inputs: int, channels: int, style: int, clamp: float | None) -> None:
        super().__init__()
        self.affine = EqualLinear(style, inputs, bias=1.0)
        self.weight = nn.Parameter(torch.randn(channels, inputs, 1, 1))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.scale, self.clamp = 1 / sqrt(inputs), clamp

    def forward(self, maps: Tensor, w: Tensor) -> Tensor:
        """Return [N, channels, side, side] of maps and w [N, style]."""
        styles = self.affine(w) * self.scale
        image = functional.conv2d(maps * styles[:, :, None, None], self.weight, self.bias)
        return image.clamp(-self.clamp, self.clamp) if self.clamp else image
