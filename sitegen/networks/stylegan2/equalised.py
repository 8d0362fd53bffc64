"""Layers whose weights are drawn with a deviation of 1 and scaled as they are used: every layer learns at one rate.

Karras et al., "Progressive growing of GANs", ICLR 2018, section 4.1. A stored weight is multiplied by
`rate` / sqrt(inputs), where `rate` slows a layer down (Karras et al. 2019, appendix C).
"""

from math import sqrt

import torch
from torch import Tensor, nn
from torch.nn import functional

SLOPE = 0.2
EPSILON = 1e-8  # keeps what is divided by from being 0
GAIN = sqrt(2)  # keeps the second moment behind a leaky rectifier


def activate(values: Tensor, bias: Tensor | None, gain: float = 1.0, clamp: float | None = None) -> Tensor:
    """Return the leaky rectifier of [N, C, ...] plus a bias [C], times sqrt(2) and `gain`, within ±`clamp`·`gain`."""
    if bias is not None:
        values = values + bias.reshape(-1, *[1] * (values.dim() - 2))
    values = functional.leaky_relu(values, SLOPE) * (GAIN * gain)
    return values.clamp(-clamp * gain, clamp * gain) if clamp else values


class EqualLinear(nn.Module):
    """A linear layer [N, inputs] -> [N, outputs], with a leaky rectifier where `rectified`."""

    def __init__(
        self, inputs: int, outputs: int, rectified: bool = False, rate: float = 1.0, bias: float = 0.0
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) / rate)
        self.bias = nn.Parameter(torch.full((outputs,), bias / rate))
        self.scale, self.rate, self.rectified = rate / sqrt(inputs), rate, rectified

    def forward(self, values: Tensor) -> Tensor:
        """Return [N, outputs]."""
        made = functional.linear(values, self.weight * self.scale, self.bias * self.rate)
        return activate(made, None) if self.rectified else made


class EqualConv(nn.Module):
    """A convolution that keeps the side, with a leaky rectifier where `rectified`; `stride` 2 takes padded maps."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        *,
        rectified: bool = True,
        bias: bool = True,
        stride: int = 1,
        clamp: float | None = None,
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None
        self.scale = 1 / sqrt(inputs * kernel**2)
        self.stride, self.padding = stride, kernel // 2 if stride == 1 else 0
        self.rectified, self.clamp = rectified, clamp

    def forward(self, maps: Tensor, gain: float = 1.0) -> Tensor:
        """Return [N, outputs, H, W] for [N, inputs, H, W], times `gain`."""
        if not self.rectified:
            return functional.conv2d(maps, self.weight * (self.scale * gain), self.bias, self.stride, self.padding)
        made = functional.conv2d(maps, self.weight * self.scale, None, self.stride, self.padding)
        return activate(made, self.bias, gain, self.clamp)
