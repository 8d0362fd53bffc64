"""The discriminator: residual blocks down to 4x4 (Karras et al. 2020a, section 4.1), one logit an image.

Before the last layers it is shown how much the images of a group differ (Karras et al. 2018, section 3), so that a
generator that draws one image again and again is found out. With classes, the logit is the product of the image's
features with the class's (Miyato and Koyama, "cGANs with projection discriminator", ICLR 2018).
"""

from math import sqrt

import torch
from torch import Tensor, nn

from sitegen.networks.stylegan2.equalised import EPSILON, EqualConv, EqualLinear
from sitegen.networks.stylegan2.filters import Blur, Downsample
from sitegen.networks.stylegan2.mapping import Mapping
from sitegen.networks.stylegan2.settings import GeneratorShape


class ResidualBlock(nn.Module):
    """Half the side by two convolutions, beside a linear shortcut; their sum keeps its variance."""

    def __init__(self, before: int, after: int, clamp: float | None) -> None:
        super().__init__()
        self.conv0 = EqualConv(before, before, 3, clamp=clamp)
        self.blur = Blur(before, padding=2)
        self.conv1 = EqualConv(before, after, 3, stride=2, clamp=clamp)
        self.downsample = Downsample(before)
        self.skip = EqualConv(before, after, 1, rectified=False, bias=False)

    def forward(self, maps: Tensor) -> Tensor:
        """Return [N, after, H/2, W/2] for [N, before, H, W]."""
        shortcut: Tensor = self.skip(self.downsample(maps), sqrt(0.5))
        made: Tensor = self.conv1(self.blur(self.conv0(maps)), sqrt(0.5))
        return shortcut + made


class StyleDiscriminator(nn.Module):
    """Logits [N], positive where an image is taken for a real one."""

    def __init__(self, shape: GeneratorShape) -> None:
        super().__init__()
        self.shape = shape
        downward = shape.sides[::-1]
        clamp, last = shape.clamp, shape.width(downward[-1])
        self.from_image = EqualConv(shape.channels, shape.width(shape.side), 1, clamp=clamp)
        self.blocks = nn.ModuleList(
            ResidualBlock(shape.width(side), shape.width(side // 2), clamp) for side in downward[:-1]
        )
        self.conv = EqualConv(last + 1, last, 3, clamp=clamp)
        self.fc = EqualLinear(last * downward[-1] ** 2, last, rectified=True)
        self.out = EqualLinear(last, last if shape.classes else 1)
        self.mapping = Mapping(0, shape.classes, last, 8, shape.mapping_rate) if shape.classes else None

    def forward(self, images: Tensor, label: Tensor | None = None) -> Tensor:
        """Return logits of images [N, channels, side, side] in -1..1, and classes [N, classes] where there are some."""
        maps = self.from_image(images)
        for block in self.blocks:
            maps = block(maps)
        maps = self.conv(with_deviation(maps, self.shape.group))
        features: Tensor = self.out(self.fc(maps.flatten(1)))
        if self.mapping is None:
            return features.squeeze(1)
        condition: Tensor = self.mapping(None, label)
        return (features * condition).sum(1) / sqrt(features.shape[1])

    def freeze(self, blocks: int) -> None:
        """Let the layers of the `blocks` largest sides, and the one that takes the image, learn no more.

        Mo, Cho, Shin, "Freeze the discriminator", 2020; 0 freezes nothing.
        """
        for part in (self.from_image, *self.blocks[:blocks]) if blocks else ():
            part.requires_grad_(False)


def with_deviation(maps: Tensor, group: int) -> Tensor:
    """Return maps [N, C, H, W] with one channel more: the mean deviation over groups of images.

    Image n is in group n modulo N / `group`. Where N is no multiple of `group`, groups are of the largest size that
    divides N.
    """
    count, _, height, width = maps.shape
    size = next(size for size in range(min(group, count), 0, -1) if count % size == 0)
    grouped = maps.reshape(size, count // size, -1).float()
    variance = (grouped - grouped.mean(0)).square().mean(0)
    deviation = (variance + EPSILON).sqrt().mean(1)
    channel = deviation.repeat(size).reshape(count, 1, 1, 1).expand(-1, 1, height, width)
    return torch.cat([maps, channel.to(maps.dtype)], dim=1)
