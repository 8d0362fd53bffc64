"""A residual network of any size.

He, Zhang, Ren, Sun: "Deep Residual Learning for Image Recognition" (CVPR 2016). Parameters have the names of
torchvision's `resnet18` and larger, and bottleneck blocks halve maps in their 3 x 3 convolution, as there.
"""

from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

from sitegen.networks.classifier import Classifier
from sitegen.networks.heads import LINEAR, Head, HeadSettings, make_head
from sitegen.settings.reading import STRICT, Count

Norm = Literal["batch", "group"]


@dataclass(frozen=True)
class ResNetSettings:
    """The shape of a ResNet; torchvision's ResNet-18 is ("basic", (2, 2, 2, 2), 64) of 3 channels and 1000 labels.

    Group normalisation knows nothing of the rest of the batch: batches may be small, or lie on several machines.
    """

    __pydantic_config__ = STRICT
    block: Literal["basic", "bottleneck"] = "basic"
    stages: tuple[Count, ...] = (1, 1, 1, 1)  # blocks in each stage; each stage but the first halves the maps
    stem: Count = 24  # channels after the first convolution and in the first stage; each stage doubles them
    norm: Norm = "batch"
    groups: Count = 8  # of group normalisation; must divide `stem`
    channels: Count = 1
    labels: Count = 1
    head: HeadSettings = LINEAR


class BasicBlock(nn.Module):
    """Two convolutions beside a shortcut."""

    EXPANSION = 1

    def __init__(self, before: int, width: int, stride: int, settings: ResNetSettings) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(before, width, 3, stride=stride, padding=1, bias=False)
        self.bn1 = _norm(width, settings)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = _norm(width, settings)
        self.relu = nn.ReLU()
        self.downsample = _shortcut(before, width, stride, settings)

    def forward(self, maps: Tensor) -> Tensor:
        """Return [N, width, H / stride, W / stride] for [N, before, H, W]."""
        shortcut = maps if self.downsample is None else self.downsample(maps)
        result: Tensor = self.relu(self.bn2(self.conv2(self.relu(self.bn1(self.conv1(maps))))) + shortcut)
        return result


class Bottleneck(nn.Module):
    """Convolutions of 1, 3 and 1, narrow in the middle, beside a shortcut."""

    EXPANSION = 4

    def __init__(self, before: int, width: int, stride: int, settings: ResNetSettings) -> None:
        super().__init__()
        after = width * self.EXPANSION
        self.conv1 = nn.Conv2d(before, width, 1, bias=False)
        self.bn1 = _norm(width, settings)
        self.conv2 = nn.Conv2d(width, width, 3, stride=stride, padding=1, bias=False)
        self.bn2 = _norm(width, settings)
        self.conv3 = nn.Conv2d(width, after, 1, bias=False)
        self.bn3 = _norm(after, settings)
        self.relu = nn.ReLU()
        self.downsample = _shortcut(before, after, stride, settings)

    def forward(self, maps: Tensor) -> Tensor:
        """Return [N, 4 width, H / stride, W / stride] for [N, before, H, W]."""
        shortcut = maps if self.downsample is None else self.downsample(maps)
        narrow = self.relu(self.bn2(self.conv2(self.relu(self.bn1(self.conv1(maps))))))
        result: Tensor = self.relu(self.bn3(self.conv3(narrow)) + shortcut)
        return result


class ResNet(Classifier):
    """A stem of stride 4, stages of residual blocks, and a head."""

    def __init__(self, settings: ResNetSettings) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(settings.channels, settings.stem, 7, stride=2, padding=3, bias=False)
        self.bn1 = _norm(settings.stem, settings)
        self.relu = nn.ReLU()
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        block = BasicBlock if settings.block == "basic" else Bottleneck
        before = settings.stem
        self.stages = [f"layer{number + 1}" for number in range(len(settings.stages))]
        for number, (name, blocks) in enumerate(zip(self.stages, settings.stages, strict=True)):
            width, stride = settings.stem << number, 1 if number == 0 else 2
            after = width * block.EXPANSION
            rest = [block(after, width, 1, settings) for _ in range(blocks - 1)]
            self.add_module(name, nn.Sequential(block(before, width, stride, settings), *rest))
            before = after
        self.fc = make_head(before, settings.labels, settings.head)
        self.apply(_initialise)

    def feature_maps(self, images: Tensor) -> Tensor:
        """Return [N, width, side / 32, side / 32] for images [N, channels, side, side] and four stages."""
        maps: Tensor = self.maxpool(self.relu(self.bn1(self.conv1(images))))
        for name in self.stages:
            maps = self.get_submodule(name)(maps)
        return maps

    @property
    def head(self) -> Head:
        """The head, `fc` in the names of weights."""
        return self.fc


def _norm(width: int, settings: ResNetSettings) -> nn.Module:
    return nn.BatchNorm2d(width) if settings.norm == "batch" else nn.GroupNorm(settings.groups, width)


def _shortcut(before: int, after: int, stride: int, settings: ResNetSettings) -> nn.Sequential | None:
    if stride == 1 and before == after:
        return None
    return nn.Sequential(nn.Conv2d(before, after, 1, stride=stride, bias=False), _norm(after, settings))


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    elif isinstance(module, nn.Linear):
        nn.init.zeros_(module.bias)
