"""Networks of inverted residuals, made for small machines: MobileNetV2, MobileNetV3 and EfficientNet-Lite.

Sandler et al.: "MobileNetV2: Inverted Residuals and Linear Bottlenecks" (CVPR 2018); Howard et al.: "Searching for
MobileNetV3" (ICCV 2019); Tan and Le: "EfficientNet" (ICML 2019), whose Lite variants have ReLU6 instead of swish, and
no squeeze-and-excite. Parameters have timm's names. MobileNetV3's wide layer between pooling and logits is left out:
heads are the project's own, on the last feature maps.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from sitegen.networks.classifier import Classifier
from sitegen.networks.heads import LINEAR, Head, HeadSettings, Share, make_head
from sitegen.settings.reading import STRICT, Count

Activation = Literal["relu", "relu6", "hard-swish"]
_ACTIVATIONS: dict[Activation, type[nn.Module]] = {"relu": nn.ReLU, "relu6": nn.ReLU6, "hard-swish": nn.Hardswish}


@dataclass(frozen=True)
class StageSettings:
    """Blocks of one width; the first has the stride. `expanded` are the channels in the middle of each block.

    A block with as many channels in the middle as it is given has no expanding convolution.
    """

    __pydantic_config__ = STRICT
    kernel: Literal[3, 5]
    stride: Literal[1, 2]
    width: Count
    expanded: tuple[Count, ...]
    squeeze: bool = False  # MobileNetV3, section 5.3: squeeze-and-excite with a quarter of the channels
    activation: Activation = "relu6"


@dataclass(frozen=True)
class InvertedSettings:
    """The shape of a network of inverted residuals."""

    __pydantic_config__ = STRICT
    stages: tuple[StageSettings, ...]
    stem: Count = 32
    last: Count = 1280  # channels of the last feature maps
    activation: Activation = "relu6"  # of stem and last feature maps
    padding: Literal["symmetric", "same"] = "symmetric"  # "same" is TensorFlow's: the odd cell is on the right, below
    epsilon: Annotated[float, Field(gt=0)] = 1e-5  # of batch normalisation
    drop_path: Share = 0.0  # in training: how often the last block is skipped; earlier ones less often, in proportion
    channels: Count = 1
    labels: Count = 1
    head: HeadSettings = LINEAR


class SqueezeExcite(nn.Module):
    """Channels weighed by what the whole image says of them (Hu, Shen, Sun, CVPR 2018), with a hard sigmoid."""

    def __init__(self, width: int) -> None:
        super().__init__()
        narrow = _divisible(width / 4)
        self.conv_reduce = nn.Conv2d(width, narrow, 1)
        self.act1 = nn.ReLU()
        self.conv_expand = nn.Conv2d(narrow, width, 1)
        self.gate = nn.Hardsigmoid()

    def forward(self, maps: Tensor) -> Tensor:
        """Return [N, width, H, W] for [N, width, H, W]."""
        weights = self.conv_expand(self.act1(self.conv_reduce(maps.mean((2, 3), keepdim=True))))
        result: Tensor = maps * self.gate(weights)
        return result


class InvertedResidual(nn.Module):
    """Wide in the middle, narrow at the ends, and no rectifier on the narrow end; beside a shortcut where that fits."""

    def __init__(
        self, before: int, expanded: int, stride: int, drop: float, stage: StageSettings, shape: InvertedSettings
    ) -> None:
        super().__init__()
        act, wide = _ACTIVATIONS[stage.activation], expanded != before
        names = iter(("bn1", "bn2", "bn3"))
        if wide:
            self.conv_pw = nn.Conv2d(before, expanded, 1, bias=False)
            self.add_module(next(names), _norm(expanded, shape))
            self.act1 = act()
        self.conv_dw = _convolution(expanded, expanded, stage.kernel, stride, expanded, shape)
        self.add_module(next(names), _norm(expanded, shape))
        self.act2 = act()
        if stage.squeeze:
            self.se = SqueezeExcite(expanded)
        self.add_module("conv_pwl" if wide else "conv_pw", nn.Conv2d(expanded, stage.width, 1, bias=False))
        self.add_module(next(names), _norm(stage.width, shape))
        self.shortcut = stride == 1 and before == stage.width
        self.drop = drop

    def forward(self, maps: Tensor) -> Tensor:
        """Return [N, width, H / stride, W / stride] for [N, before, H, W]."""
        new = maps
        for layer in self.children():  # in the order in which they were added
            new = layer(new)
        if not self.shortcut:
            return new
        if self.training and self.drop:
            kept = torch.rand(len(new), 1, 1, 1, device=new.device) >= self.drop
            new = new * kept / (1 - self.drop)
        return maps + new


class InvertedNetwork(Classifier):
    """A stem of stride 2, stages of inverted residuals, a wide convolution, and a head."""

    def __init__(self, settings: InvertedSettings) -> None:
        super().__init__()
        self.conv_stem = _convolution(settings.channels, settings.stem, 3, 2, 1, settings)
        self.bn1 = _norm(settings.stem, settings)
        self.act1 = _ACTIVATIONS[settings.activation]()
        self.blocks = nn.Sequential(*_stages(settings))
        self.conv_head = nn.Conv2d(settings.stages[-1].width, settings.last, 1, bias=False)
        self.bn2 = _norm(settings.last, settings)
        self.act2 = _ACTIVATIONS[settings.activation]()
        self.classifier = make_head(settings.last, settings.labels, settings.head)
        self.apply(_initialise)

    def feature_maps(self, images: Tensor) -> Tensor:
        """Return [N, last, side / 32, side / 32] for images [N, channels, side, side] and five halvings."""
        maps = self.blocks(self.act1(self.bn1(self.conv_stem(images))))
        result: Tensor = self.act2(self.bn2(self.conv_head(maps)))
        return result

    @property
    def head(self) -> Head:
        """The head, `classifier` in the names of weights."""
        return self.classifier


class SameConvolution(nn.Conv2d):
    """A convolution of stride 2 with TensorFlow's padding, for an even side: one cell less on the left and above."""

    def forward(self, maps: Tensor) -> Tensor:
        """Return [N, after, H / 2, W / 2] for [N, before, H, W] with even H and W."""
        whole = self.kernel_size[0] - 2
        less = whole // 2
        return super().forward(nn.functional.pad(maps, (less, whole - less, less, whole - less)))


def _stages(settings: InvertedSettings) -> list[nn.Sequential]:
    total, done, before = sum(len(stage.expanded) for stage in settings.stages), 0, settings.stem
    made = []
    for stage in settings.stages:
        blocks = []
        for number, expanded in enumerate(stage.expanded):
            stride, drop = stage.stride if number == 0 else 1, settings.drop_path * done / total
            blocks.append(InvertedResidual(before, expanded, stride, drop, stage, settings))
            before, done = stage.width, done + 1
        made.append(nn.Sequential(*blocks))
    return made


def _convolution(
    before: int, after: int, kernel: int, stride: int, groups: int, settings: InvertedSettings
) -> nn.Conv2d:
    if stride == 2 and settings.padding == "same":
        return SameConvolution(before, after, kernel, 2, groups=groups, bias=False)
    return nn.Conv2d(before, after, kernel, stride, padding=kernel // 2, groups=groups, bias=False)


def _norm(width: int, settings: InvertedSettings) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(width, eps=settings.epsilon)


def _divisible(channels: float) -> int:
    """The multiple of 8 that is nearest, and no more than a tenth below: MobileNet's own rounding."""
    near = max(8, int(channels + 4) // 8 * 8)
    return near + 8 if near < 0.9 * channels else near


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out")
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.Linear):
        nn.init.zeros_(module.bias)
