"""A densely connected network of any size.

Huang, Liu, van der Maaten, Weinberger: "Densely Connected Convolutional Networks" (CVPR 2017): bottleneck layers (B)
and compressing transitions (C). Parameters have the names of torchvision's `densenet121`, so that one export, one
gradient and one explanation serve this network and those that others trained.
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn

from sitegen.networks.classifier import Classifier
from sitegen.networks.heads import LINEAR, Head, HeadSettings, make_head
from sitegen.settings.reading import STRICT, Count


@dataclass(frozen=True)
class DenseNetSettings:
    """The shape of a DenseNet; torchvision's DenseNet-121 is (32, (6, 12, 24, 16), 64, 4, 0.5, 3, 1000)."""

    __pydantic_config__ = STRICT
    growth: Count = 16  # channels that each layer adds
    blocks: tuple[Count, ...] = (4, 6, 8, 6)  # layers in each dense block
    stem: Count = 32  # channels after the first convolution
    bottleneck: Count = 4  # channels between the two convolutions of a layer, in units of `growth`
    compression: Annotated[float, Field(gt=0, le=1)] = 0.5  # share of channels that a transition keeps
    channels: Count = 1
    labels: Count = 1
    head: HeadSettings = LINEAR


class DenseLayer(nn.Module):
    """Append `growth` feature maps to what came in."""

    def __init__(self, width: int, growth: int, bottleneck: int) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(width)
        self.relu1 = nn.ReLU()
        self.conv1 = nn.Conv2d(width, bottleneck * growth, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(bottleneck * growth)
        self.relu2 = nn.ReLU()
        self.conv2 = nn.Conv2d(bottleneck * growth, growth, 3, padding=1, bias=False)

    def forward(self, maps: Tensor) -> Tensor:
        """Return [N, width + growth, H, W] for [N, width, H, W]."""
        new: Tensor = self.conv2(self.relu2(self.norm2(self.conv1(self.relu1(self.norm1(maps))))))
        return torch.cat([maps, new], dim=1)


class DenseNet(Classifier):
    """A stem of stride 4, dense blocks with halving transitions between them, and a head.

    The side of images is a multiple of 32 where there are four blocks.
    """

    def __init__(self, settings: DenseNetSettings) -> None:
        super().__init__()
        parts: OrderedDict[str, nn.Module] = OrderedDict()
        parts["conv0"] = nn.Conv2d(settings.channels, settings.stem, 7, stride=2, padding=3, bias=False)
        parts["norm0"] = nn.BatchNorm2d(settings.stem)
        parts["relu0"] = nn.ReLU()
        parts["pool0"] = nn.MaxPool2d(3, stride=2, padding=1)
        width = settings.stem
        for number, layers in enumerate(settings.blocks, start=1):
            if number > 1:
                parts[f"transition{number - 1}"] = _transition(width, int(width * settings.compression))
                width = int(width * settings.compression)
            parts[f"denseblock{number}"] = _dense_block(width, layers, settings)
            width += layers * settings.growth
        parts[f"norm{len(settings.blocks) + 1}"] = nn.BatchNorm2d(width)
        self.features = nn.Sequential(parts)
        self.relu = nn.ReLU()
        self.classifier = make_head(width, settings.labels, settings.head)
        self.apply(_initialise)

    def feature_maps(self, images: Tensor) -> Tensor:
        """Return [N, width, side / 32, side / 32] for images [N, channels, side, side] and four blocks."""
        maps: Tensor = self.relu(self.features(images))
        return maps

    @property
    def head(self) -> Head:
        """The head, `classifier` in the names of weights."""
        return self.classifier


def _dense_block(width: int, layers: int, settings: DenseNetSettings) -> nn.Sequential:
    growth = settings.growth
    return nn.Sequential(
        OrderedDict(
            (f"denselayer{index + 1}", DenseLayer(width + index * growth, growth, settings.bottleneck))
            for index in range(layers)
        )
    )


def _transition(width: int, narrower: int) -> nn.Sequential:
    return nn.Sequential(
        OrderedDict(
            norm=nn.BatchNorm2d(width),
            relu=nn.ReLU(),
            conv=nn.Conv2d(width, narrower, 1, bias=False),
            pool=nn.AvgPool2d(2),
        )
    )


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight)  # as the paper's authors do
    elif isinstance(module, nn.Linear):
        nn.init.zeros_(module.bias)
