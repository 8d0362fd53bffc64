"""A small vision transformer.

Dosovitskiy et al.: "An Image is Worth 16x16 Words" (ICLR 2021), in the plainer form of Beyer, Zhai, Kolesnikov: "Better
plain ViT baselines for ImageNet-1k" (2022): fixed positions of sines and cosines, and the average over patches in place
of a class token. So the patches' last vectors, laid out as an image, are feature maps like those of any other network.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from sitegen.errors import SettingsError
from sitegen.networks.classifier import Classifier
from sitegen.networks.heads import LINEAR, Head, HeadSettings, make_head
from sitegen.settings.reading import STRICT, Count

_PERIOD = 10_000.0  # the longest wave of the position's sines, in patches over 2 pi


@dataclass(frozen=True)
class TransformerSettings:
    """The shape of a vision transformer; `width` is a multiple of 4 and of `attention`, `side` one of `patch`."""

    __pydantic_config__ = STRICT
    side: Count = 224  # of the image: positions belong to one size
    patch: Count = 16
    width: Count = 96  # of the vector that stands for a patch
    depth: Count = 6
    attention: Count = 3  # heads of each attention layer
    ratio: Count = 4  # of the hidden layer between two blocks' attentions to `width`
    channels: Count = 1
    labels: Count = 1
    head: HeadSettings = LINEAR

    def __post_init__(self) -> None:
        if self.side % self.patch or self.width % 4 or self.width % self.attention:
            raise SettingsError(
                f"a transformer's side ({self.side}) must be a multiple of its patch ({self.patch}), and its width "
                f"({self.width}) a multiple of 4 and of its number of attention heads ({self.attention})"
            )


class Attention(nn.Module):
    """Every patch takes from all others what its question fits, `attention` times side by side."""

    def __init__(self, width: int, attention: int) -> None:
        super().__init__()
        self.attention = attention
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return [N, patches, width] for [N, patches, width]."""
        count, patches, width = tokens.shape
        split = self.qkv(tokens).reshape(count, patches, 3, self.attention, width // self.attention)
        query, key, value = split.permute(2, 0, 3, 1, 4).unbind(0)
        mixed = functional.scaled_dot_product_attention(query, key, value)
        result: Tensor = self.proj(mixed.transpose(1, 2).reshape(count, patches, width))
        return result


class Block(nn.Module):
    """Attention, then a layer for each patch alone; each normalises what it reads and adds to it."""

    def __init__(self, settings: TransformerSettings) -> None:
        super().__init__()
        width, hidden = settings.width, settings.width * settings.ratio
        self.norm1 = nn.LayerNorm(width, eps=1e-6)
        self.attn = Attention(width, settings.attention)
        self.norm2 = nn.LayerNorm(width, eps=1e-6)
        self.mlp = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width))

    def forward(self, tokens: Tensor) -> Tensor:
        """Return [N, patches, width] for [N, patches, width]."""
        tokens = tokens + self.attn(self.norm1(tokens))
        result: Tensor = tokens + self.mlp(self.norm2(tokens))
        return result


class VisionTransformer(Classifier):
    """Patches as vectors, transformer blocks, and a head over the patches' grid."""

    positions: Tensor

    def __init__(self, settings: TransformerSettings) -> None:
        super().__init__()
        self.grid = settings.side // settings.patch
        self.patch_embed = nn.Conv2d(settings.channels, settings.width, settings.patch, stride=settings.patch)
        self.register_buffer("positions", sine_positions(self.grid, settings.width), persistent=False)
        self.blocks = nn.Sequential(*(Block(settings) for _ in range(settings.depth)))
        self.norm = nn.LayerNorm(settings.width, eps=1e-6)
        self.classifier = make_head(settings.width, settings.labels, settings.head)
        self.apply(_initialise)

    def feature_maps(self, images: Tensor) -> Tensor:
        """Return [N, width, side / patch, side / patch] for images [N, channels, side, side], of that side alone."""
        tokens = self.patch_embed(images).flatten(2).transpose(1, 2) + self.positions
        maps: Tensor = self.norm(self.blocks(tokens)).transpose(1, 2).unflatten(2, (self.grid, self.grid))
        return maps

    @property
    def head(self) -> Head:
        """The head, `classifier` in the names of weights."""
        return self.classifier


def sine_positions(grid: int, width: int) -> Tensor:
    """Return [grid * grid, width], rows of patches first: sin and cos of the column, then of the row, float32."""
    frequencies = _PERIOD ** -(torch.arange(width // 4, dtype=torch.float64) / max(width // 4 - 1, 1))
    rows, columns = torch.meshgrid(torch.arange(grid).double(), torch.arange(grid).double(), indexing="ij")
    waves = [torch.outer(place.flatten(), frequencies) for place in (columns, rows)]
    return torch.cat([part for wave in waves for part in (wave.sin(), wave.cos())], dim=1).float()


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Linear):
        nn.init.trunc_normal_(module.weight, std=0.02)  # so that the first logits are near 0
        nn.init.zeros_(module.bias)
