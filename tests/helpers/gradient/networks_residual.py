"""Convolutional classifiers with batch normalisation and rectifiers: a DenseNet and two ResNets.

Every network of these modules returns its outputs and, last, its last feature map (what Grad-CAM reads).
"""

import torch
from torch import Tensor, nn

from sitegen.networks.densenet import DenseNet, DenseNetSettings

DENSENET_SMALL = DenseNetSettings(growth=8, blocks=(2, 3, 2), stem=16, labels=5)
DENSENET_121 = DenseNetSettings(growth=32, blocks=(6, 12, 24, 16), stem=64, labels=18)


class DenseClassifier(nn.Module):
    """A DenseNet, pre-activation and with bottlenecks (sitegen's own)."""

    def __init__(self, settings: DenseNetSettings) -> None:
        super().__init__()
        self.network = DenseNet(settings)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        features = self.network.features(images)
        return self.network.head(self.network.relu(features)), features


class BasicBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut (He et al. 2016, figure 5, left)."""

    expansion = 1

    def __init__(self, width: int, planes: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(width, planes, 3, stride, 1, bias=False),
            nn.BatchNorm2d(planes),
            nn.ReLU(),
            nn.Conv2d(planes, planes, 3, 1, 1, bias=False),
            nn.BatchNorm2d(planes),
        )
        self.shortcut = shortcut(width, planes, stride)
        self.relu = nn.ReLU()

    def forward(self, maps: Tensor) -> Tensor:
        result: Tensor = self.relu(self.body(maps) + self.shortcut(maps))
        return result


class Bottleneck(nn.Module):
    """1x1, 3x3 (which strides, as in torchvision), 1x1 convolutions beside a shortcut."""

    expansion = 4

    def __init__(self, width: int, planes: int, stride: int) -> None:
        super().__init__()
        wide = planes * self.expansion
        self.body = nn.Sequential(
            nn.Conv2d(width, planes, 1, bias=False),
            nn.BatchNorm2d(planes),
            nn.ReLU(),
            nn.Conv2d(planes, planes, 3, stride, 1, bias=False),
            nn.BatchNorm2d(planes),
            nn.ReLU(),
            nn.Conv2d(planes, wide, 1, bias=False),
            nn.BatchNorm2d(wide),
        )
        self.shortcut = shortcut(width, wide, stride)
        self.relu = nn.ReLU()

    def forward(self, maps: Tensor) -> Tensor:
        result: Tensor = self.relu(self.body(maps) + self.shortcut(maps))
        return result


def shortcut(width: int, wide: int, stride: int) -> nn.Module:
    """The identity, or a 1x1 convolution with a stride where the shape changes."""
    if stride == 1 and width == wide:
        return nn.Identity()
    return nn.Sequential(nn.Conv2d(width, wide, 1, stride, bias=False), nn.BatchNorm2d(wide))


class ResNet(nn.Module):
    """A stem of stride 4, then one stage for each entry of `depths`, each but the first halving the side."""

    def __init__(self, block: type[BasicBlock] | type[Bottleneck], depths: tuple[int, ...], planes: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, planes, 7, 2, 3, bias=False),
            nn.BatchNorm2d(planes),
            nn.ReLU(),
            nn.MaxPool2d(3, 2, 1),
        )
        width = planes
        stages: list[nn.Module] = []
        for index, depth in enumerate(depths):
            for position in range(depth):
                stages.append(block(width, planes << index, 2 if index and not position else 1))
                width = (planes << index) * block.expansion
        self.stages = nn.Sequential(*stages)
        self.pool = nn.AdaptiveAvgPool2d((1, 1))
        self.head = nn.Linear(width, 6)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        features = self.stages(self.stem(images))
        return self.head(torch.flatten(self.pool(features), 1)), features
