"""Classifiers for small machines: depthwise convolutions, squeeze-and-excitation, smooth and clipped activations."""

from collections.abc import Callable

from torch import Tensor, nn
from torch.nn import functional


class SqueezeExcitation(nn.Module):
    """Scale every channel by a number in 0..1 computed from all channels' averages (Hu et al. 2018)."""

    def __init__(self, channels: int, squeezed: int, activation: nn.Module, gate: nn.Module) -> None:
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.squeeze = nn.Conv2d(channels, squeezed, 1)
        self.activation = activation
        self.expand = nn.Conv2d(squeezed, channels, 1)
        self.gate = gate

    def forward(self, maps: Tensor) -> Tensor:
        scale: Tensor = self.gate(self.expand(self.activation(self.squeeze(self.pool(maps)))))
        return scale * maps


class SameConv(nn.Conv2d):
    """A convolution padded as TensorFlow's "SAME": one more pixel at the right and below where the sum is odd."""

    def forward(self, maps: Tensor) -> Tensor:
        pads: list[int] = []
        for size, kernel, stride in zip(maps.shape[:1:-1], self.kernel_size[::-1], self.stride[::-1], strict=True):
            total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
            pads += [total // 2, total - total // 2]
        result: Tensor = self._conv_forward(functional.pad(maps, pads), self.weight, self.bias)
        return result


def normed(convolution: nn.Conv2d, activation: nn.Module | None) -> list[nn.Module]:
    """A convolution, batch normalisation as these networks set it, and an activation."""
    return [convolution, nn.BatchNorm2d(convolution.out_channels, eps=1e-3), *([activation] if activation else [])]


class Amplified(nn.Module):
    """An activation of five times what arrives."""

    def __init__(self, activation: nn.Module) -> None:
        super().__init__()
        self.activation = activation

    def forward(self, maps: Tensor) -> Tensor:
        result: Tensor = self.activation(5 * maps)
        return result


class InvertedResidual(nn.Module):
    """Widen, convolve each channel alone, squeeze and excite, narrow; with a shortcut where the shape stays."""

    def __init__(
        self,
        convolution: type[nn.Conv2d],
        widths: tuple[int, int, int],
        kernel: int,
        stride: int,
        activation: Callable[[], nn.Module],
        excitation: nn.Module | None,
    ) -> None:
        super().__init__()
        width, wide, result = widths
        padding = 0 if convolution is SameConv else kernel // 2
        depthwise = convolution(wide, wide, kernel, stride, padding, groups=wide, bias=False)
        layers = normed(nn.Conv2d(width, wide, 1, bias=False), activation()) if wide != width else []
        layers += normed(depthwise, activation())
        layers += [excitation] if excitation else []
        layers += normed(nn.Conv2d(wide, result, 1, bias=False), None)
        self.layers = nn.Sequential(*layers)
        self.residual = stride == 1 and width == result

    def forward(self, maps: Tensor) -> Tensor:
        result: Tensor = self.layers(maps)
        return maps + result if self.residual else result


class MobileNetV2(nn.Module):
    """Sandler et al. 2018, three blocks: ReLU6, and nothing after what narrows. The stem's outputs reach above 6."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            *normed(nn.Conv2d(3, 16, 3, 2, 1, bias=False), Amplified(nn.ReLU6())),
            InvertedResidual(nn.Conv2d, (16, 16, 8), 3, 1, nn.ReLU6, None),
            InvertedResidual(nn.Conv2d, (8, 48, 16), 3, 2, nn.ReLU6, None),
            InvertedResidual(nn.Conv2d, (16, 96, 16), 3, 1, nn.ReLU6, None),
            *normed(nn.Conv2d(16, 64, 1, bias=False), nn.ReLU6()),
        )
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(64, 5))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        features = self.features(images)
        return self.classifier(self.pool(features).flatten(1)), features


def mobile_block(
    widths: tuple[int, int, int], kernel: int, stride: int, *, excite: bool, hard: bool
) -> InvertedResidual:
    """A block of MobileNetV3: Hardswish in the deeper half, ReLU before, a Hardsigmoid as gate."""
    excitation = SqueezeExcitation(widths[1], 8, nn.ReLU(), nn.Hardsigmoid()) if excite else None
    return InvertedResidual(nn.Conv2d, widths, kernel, stride, nn.Hardswish if hard else nn.ReLU, excitation)


class MobileNetV3(nn.Module):
    """Howard et al. 2019, four blocks of the small variant's kinds."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            *normed(nn.Conv2d(3, 16, 3, 2, 1, bias=False), nn.Hardswish()),
            mobile_block((16, 16, 16), 3, 2, excite=True, hard=False),
            mobile_block((16, 48, 24), 3, 2, excite=False, hard=False),
            mobile_block((24, 72, 24), 5, 1, excite=True, hard=True),
            mobile_block((24, 72, 32), 5, 2, excite=True, hard=True),
            *normed(nn.Conv2d(32, 64, 1, bias=False), nn.Hardswish()),
        )
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(nn.Linear(64, 48), nn.Hardswish(), nn.Dropout(0.2), nn.Linear(48, 5))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        features = self.features(images)
        return self.classifier(self.pool(features).flatten(1)), features


def mbconv(widths: tuple[int, int, int], kernel: int, stride: int) -> InvertedResidual:
    """A block of EfficientNet: SiLU throughout, a Sigmoid as gate, squeezed to a quarter of the block's own width."""
    excitation = SqueezeExcitation(widths[1], max(1, widths[0] // 4), nn.SiLU(), nn.Sigmoid())
    return InvertedResidual(SameConv, widths, kernel, stride, nn.SiLU, excitation)


class EfficientNet(nn.Module):
    """Tan and Le 2019, five MBConv blocks, padded as the original in TensorFlow."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            *normed(SameConv(3, 16, 3, 2, bias=False), nn.SiLU()),
            mbconv((16, 16, 8), 3, 1),
            mbconv((8, 48, 16), 3, 2),
            mbconv((16, 96, 16), 3, 1),
            mbconv((16, 96, 24), 5, 2),
            mbconv((24, 96, 24), 5, 1),
            *normed(nn.Conv2d(24, 64, 1, bias=False), nn.SiLU()),
        )
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.head = nn.Sequential(nn.Dropout(0.2), nn.Linear(64, 5))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        features = self.features(images)
        return self.head(self.pool(features).flatten(1)), features
