"""Networks whose output is an image: U-Nets, an autoencoder, and a generator with styles."""

import math
from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional


class TransposedUp(nn.Module):
    """Twice the side and half the channels, by a transposed convolution."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(width, width // 2, 2, 2)

    def forward(self, maps: Tensor) -> Tensor:
        result: Tensor = self.up(maps)
        return result


class BilinearUp(nn.Module):
    """Twice the side by interpolation that keeps the corners, then half the channels by a 1x1 convolution."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.up = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)
        self.narrow = nn.Conv2d(width, width // 2, 1)

    def forward(self, maps: Tensor) -> Tensor:
        result: Tensor = self.narrow(self.up(maps))
        return result


def instance_normed(width: int) -> list[nn.Module]:
    """As in nnU-Net."""
    return [nn.InstanceNorm2d(width, affine=True), nn.LeakyReLU(0.01)]


def group_normed(width: int) -> list[nn.Module]:
    """As in the U-Nets of diffusion models, with the original's rectifier."""
    return [nn.GroupNorm(4, width), nn.ReLU()]


class UNet(nn.Module):
    """Ronneberger et al. 2015: two convolutions at each of three resolutions, skips across; two logits a pixel."""

    def __init__(self, up: Callable[[int], nn.Module], normed: Callable[[int], list[nn.Module]]) -> None:
        super().__init__()

        def twice(width: int, wider: int) -> nn.Sequential:
            first, second = nn.Conv2d(width, wider, 3, padding=1), nn.Conv2d(wider, wider, 3, padding=1)
            return nn.Sequential(first, *normed(wider), second, *normed(wider))

        self.down = nn.ModuleList([twice(1, 8), twice(8, 16)])
        self.pool = nn.MaxPool2d(2)
        self.bottom = twice(16, 32)
        self.up = nn.ModuleList([up(32), up(16)])
        self.join = nn.ModuleList([twice(32, 16), twice(16, 8)])
        self.head = nn.Conv2d(8, 2, 1)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        skips: list[Tensor] = []
        maps = images
        for stage in self.down:
            skips.append(stage(maps))
            maps = self.pool(skips[-1])
        features = maps = self.bottom(maps)
        for up, join in zip(self.up, self.join, strict=True):
            maps = join(torch.cat([skips.pop(), up(maps)], dim=1))
        return self.head(maps), features


class Autoencoder(nn.Module):
    """A DCGAN's discriminator and generator end to end (Radford et al. 2016): the image and its squared error."""

    def __init__(self) -> None:
        super().__init__()
        widths = (8, 16, 32)
        encoder: list[nn.Module] = [nn.Conv2d(1, widths[0], 4, 2, 1), nn.LeakyReLU(0.2)]
        decoder: list[nn.Module] = [nn.ConvTranspose2d(16, widths[-1], 4, 1, 0, bias=False), *self._normed(widths[-1])]
        for width, wider in pairwise(widths):
            encoder += [nn.Conv2d(width, wider, 4, 2, 1, bias=False), nn.BatchNorm2d(wider), nn.LeakyReLU(0.2)]
        for wider, width in pairwise(widths[::-1]):
            decoder += [nn.ConvTranspose2d(wider, width, 4, 2, 1, bias=False), *self._normed(width)]
        self.encoder = nn.Sequential(*encoder, nn.Conv2d(widths[-1], 16, 4))
        self.decoder = nn.Sequential(*decoder, nn.ConvTranspose2d(widths[0], 1, 4, 2, 1), nn.Tanh())

    @staticmethod
    def _normed(width: int) -> list[nn.Module]:
        return [nn.BatchNorm2d(width), nn.ReLU()]

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        code = self.encoder(images)
        image = self.decoder(code)
        return image, (images - image).square().mean((1, 2, 3)), code


class EqualLinear(nn.Module):
    """A linear layer whose weights are scaled when it runs."""

    def __init__(self, width: int, result: int, bias: float = 0.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(result, width))
        self.bias = nn.Parameter(torch.full((result,), bias))
        self.scale = 1 / math.sqrt(width)

    def forward(self, values: Tensor) -> Tensor:
        return functional.linear(values, self.weight * self.scale, self.bias)


class PixelNorm(nn.Module):
    """Every vector scaled to a mean square of one."""

    def forward(self, values: Tensor) -> Tensor:
        return values * torch.rsqrt(values.square().mean(1, keepdim=True) + 1e-8)


class ModulatedConv(nn.Module):
    """A 3x3 or 1x1 convolution whose kernels depend on a style (Karras et al. 2020, section 2.2).

    With `fused`, the batch becomes groups of one convolution whose weights are computed for each sample; without, the
    activations are scaled before and after one convolution with shared weights, which is the same function.
    """

    def __init__(self, width: int, result: int, kernel: int, style: int, *, demodulate: bool, fused: bool) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(result, width, kernel, kernel) / math.sqrt(width * kernel**2))
        self.style = EqualLinear(style, width, bias=1.0)
        self.demodulate, self.fused = demodulate, fused

    def forward(self, maps: Tensor, style: Tensor) -> Tensor:
        scale = self.style(style)
        return self._grouped(maps, scale) if self.fused else self._scaled(maps, scale)

    def _grouped(self, maps: Tensor, scale: Tensor) -> Tensor:
        batch, width, height, breadth = maps.shape
        weight = self.weight.unsqueeze(0) * scale.view(batch, 1, width, 1, 1)
        if self.demodulate:
            weight = weight * torch.rsqrt(weight.square().sum((2, 3, 4), keepdim=True) + 1e-8)
        weight = weight.reshape(-1, width, *self.weight.shape[2:])
        maps = maps.reshape(1, batch * width, height, breadth)
        maps = functional.conv2d(maps, weight, padding=self.weight.shape[2] // 2, groups=batch)
        return maps.reshape(batch, -1, height, breadth)

    def _scaled(self, maps: Tensor, scale: Tensor) -> Tensor:
        maps = functional.conv2d(maps * scale[:, :, None, None], self.weight, padding=self.weight.shape[2] // 2)
        if not self.demodulate:
            return maps
        norm = torch.rsqrt(scale.square() @ self.weight.square().sum((2, 3)).t() + 1e-8)
        return maps * norm[:, :, None, None]


class StyledLayer(nn.Module):
    """A modulated convolution, a fixed noise image times a weight, a bias, a leaky rectifier with its gain."""

    noise: Tensor

    def __init__(self, width: int, result: int, side: int, style: int, *, fused: bool) -> None:
        super().__init__()
        self.convolution = ModulatedConv(width, result, 3, style, demodulate=True, fused=fused)
        self.register_buffer("noise", torch.randn(1, 1, side, side))
        self.strength = nn.Parameter(torch.tensor(0.3))
        self.bias = nn.Parameter(0.2 * torch.randn(1, result, 1, 1))
        self.activation = nn.LeakyReLU(0.2)

    def forward(self, maps: Tensor, style: Tensor) -> Tensor:
        maps = self.convolution(maps, style) + self.strength * self.noise + self.bias
        result: Tensor = self.activation(maps) * math.sqrt(2)
        return result


class StyleGenerator(nn.Module):
    """From a latent vector [N, 16] to images [N, 3, 32, 32]: three octaves above a learned constant, RGB by skips."""

    def __init__(self, *, fused: bool) -> None:
        super().__init__()
        style, widths, sides = 16, (24, 16, 16, 8), (4, 8, 16, 32)
        layers: list[nn.Module] = [PixelNorm()]
        for _ in range(3):
            layers += [EqualLinear(style, style), nn.LeakyReLU(0.2)]
        self.mapping = nn.Sequential(*layers)
        self.constant = nn.Parameter(torch.randn(1, widths[0], sides[0], sides[0]))
        inputs = (widths[0], *widths[:-1])
        sizes = list(zip(inputs, widths, sides, strict=True))
        self.layers = nn.ModuleList(StyledLayer(width, wide, side, style, fused=fused) for width, wide, side in sizes)
        rgb = (ModulatedConv(wide, 3, 1, style, demodulate=False, fused=fused) for wide in widths)
        self.rgb = nn.ModuleList(rgb)
        self.up = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)

    def forward(self, latent: Tensor) -> tuple[Tensor, Tensor]:
        style = self.mapping(latent)
        maps = self.layers[0](self.constant.expand(latent.shape[0], -1, -1, -1), style)
        image = self.rgb[0](maps, style)
        for layer, rgb in zip(list(self.layers)[1:], list(self.rgb)[1:], strict=True):
            maps = layer(self.up(maps), style)
            image = self.up(image) + rgb(maps, style)
        return image, style
