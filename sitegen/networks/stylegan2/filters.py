"""Up- and downsampling with the filter [1, 3, 3, 1] in both directions (Karras et al. 2020a, appendix B).

All are convolutions with a constant kernel, one channel at a time, so that they export to ONNX as they are. Outside of
the maps there are zeros.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

TAPS = (1.0, 3.0, 3.0, 1.0)


class Filter(nn.Module):
    """The filter for maps of `channels` channels; its sum is `gain`."""

    kernel: Tensor

    def __init__(self, channels: int, gain: float = 1.0) -> None:
        super().__init__()
        taps = torch.tensor(TAPS)
        kernel = torch.outer(taps, taps) * (gain / sum(TAPS) ** 2)
        self.channels = channels
        self.register_buffer("kernel", kernel.expand(channels, 1, 4, 4).contiguous(), persistent=False)


class Upsample(Filter):
    """Twice the side: zeros between the values, then the filter with a sum of 4."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, gain=4.0)

    def forward(self, maps: Tensor) -> Tensor:
        """Return [N, C, 2H, 2W] for [N, C, H, W]."""
        return functional.conv_transpose2d(maps, self.kernel, stride=2, padding=1, groups=self.channels)


class Downsample(Filter):
    """Half the side: the filter, then every other value."""

    def forward(self, maps: Tensor) -> Tensor:
        """Return [N, C, H/2, W/2] for [N, C, H, W]."""
        return functional.conv2d(maps, self.kernel, stride=2, padding=1, groups=self.channels)


class Blur(Filter):
    """The filter alone, with `padding` zeros on every side."""

    def __init__(self, channels: int, padding: int, gain: float = 1.0) -> None:
        super().__init__(channels, gain)
        self.padding = padding

    def forward(self, maps: Tensor) -> Tensor:
        """Return [N, C, H + 2 padding - 3, W + 2 padding - 3] for [N, C, H, W]."""
        return functional.conv2d(maps, self.kernel, padding=self.padding, groups=self.channels)
