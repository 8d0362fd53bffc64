"""ConvNeXt, a vision transformer, and a Swin transformer."""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional


class ChannelsFirstNorm(nn.LayerNorm):
    """Layer normalisation over the channels of [N, C, H, W]."""

    def forward(self, maps: Tensor) -> Tensor:
        return super().forward(maps.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class ConvNeXtBlock(nn.Module):
    """A 7x7 depthwise convolution, then a perceptron on every pixel, scaled by a weight for each channel."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(width, width, 7, padding=3, groups=width)
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.widen = nn.Linear(width, 4 * width)
        self.activation = nn.GELU()
        self.narrow = nn.Linear(4 * width, width)
        self.scale = nn.Parameter(torch.rand(width))  # 1e-6 when training starts, which would hide the block

    def forward(self, maps: Tensor) -> Tensor:
        pixels: Tensor = self.norm(self.depthwise(maps).permute(0, 2, 3, 1))
        pixels = self.scale * self.narrow(self.activation(self.widen(pixels)))
        return maps + pixels.permute(0, 3, 1, 2)


class ConvNeXt(nn.Module):
    """Liu et al. 2022, three stages of one or two blocks."""

    def __init__(self) -> None:
        super().__init__()
        widths = (16, 24, 32)
        layers: list[nn.Module] = [nn.Conv2d(3, widths[0], 4, 4), ChannelsFirstNorm(widths[0], eps=1e-6)]
        layers += [ConvNeXtBlock(widths[0]), ConvNeXtBlock(widths[0])]
        for width, wider in pairwise(widths):
            layers += [ChannelsFirstNorm(width, eps=1e-6), nn.Conv2d(width, wider, 2, 2), ConvNeXtBlock(wider)]
        self.features = nn.Sequential(*layers)
        self.norm = nn.LayerNorm(widths[-1], eps=1e-6)
        self.head = nn.Linear(widths[-1], 5)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        features = self.features(images)
        return self.head(self.norm(features.mean((2, 3)))), features


class SelfAttention(nn.Module):
    """Attention of every token to every other, by torch's own fused function."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.project = nn.Linear(width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        batch, length, width = tokens.shape
        qkv = self.qkv(tokens).reshape(batch, length, 3, self.heads, width // self.heads)
        query, key, value = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        mixed = functional.scaled_dot_product_attention(query, key, value)
        result: Tensor = self.project(mixed.transpose(1, 2).reshape(batch, length, width))
        return result


def perceptron(width: int, factor: int) -> nn.Sequential:
    """The two layers between the attentions."""
    return nn.Sequential(nn.Linear(width, factor * width), nn.GELU(), nn.Linear(factor * width, width))


class EncoderBlock(nn.Module):
    """Attention and a perceptron, each normalised before and added to what came in."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1, self.attention = nn.LayerNorm(width, eps=1e-6), SelfAttention(width, heads)
        self.norm2, self.perceptron = nn.LayerNorm(width, eps=1e-6), perceptron(width, 4)

    def forward(self, tokens: Tensor) -> Tensor:
        tokens = tokens + self.attention(self.norm1(tokens))
        result: Tensor = tokens + self.perceptron(self.norm2(tokens))
        return result


class VisionTransformer(nn.Module):
    """Dosovitskiy et al. 2021: patches of 8 pixels, a class token, learned positions, three blocks."""

    def __init__(self, side: int) -> None:
        super().__init__()
        width = 32
        self.embed = nn.Conv2d(3, width, 8, 8)
        self.token = nn.Parameter(torch.randn(1, 1, width))
        self.positions = nn.Parameter(0.5 * torch.randn(1, (side // 8) ** 2 + 1, width))
        self.blocks = nn.Sequential(*(EncoderBlock(width, 4) for _ in range(3)))
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.head = nn.Linear(width, 5)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        patches = self.embed(images).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.token.expand(patches.shape[0], -1, -1), patches], dim=1) + self.positions
        features = self.blocks(tokens)
        return self.head(self.norm(features)[:, 0]), features


class WindowAttention(nn.Module):
    """Attention within windows of `window` pixels, after a cyclic shift, with a bias for each relative position."""

    mask: Tensor
    offsets: Tensor

    def __init__(self, width: int, heads: int, side: int, window: int, shift: int) -> None:
        super().__init__()
        self.heads, self.side, self.window, self.shift = heads, side, window, shift
        self.qkv = nn.Linear(width, 3 * width)
        self.project = nn.Linear(width, width)
        self.bias = nn.Parameter(torch.randn((2 * window - 1) ** 2, heads))
        self.register_buffer("offsets", relative_offsets(window))
        self.register_buffer("mask", shift_mask(side, window, shift))

    def forward(self, maps: Tensor) -> Tensor:
        """[N, side, side, C] -> the same."""
        batch, width = maps.shape[0], maps.shape[3]
        count, area = (self.side // self.window) ** 2, self.window**2
        if self.shift:
            maps = torch.roll(maps, (-self.shift, -self.shift), (1, 2))
        qkv = self.qkv(split_windows(maps, self.window)).reshape(-1, area, 3, self.heads, width // self.heads)
        query, key, value = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        scores = (query * (width // self.heads) ** -0.5) @ key.transpose(-2, -1)
        scores = scores + self.bias[self.offsets.flatten()].view(area, area, self.heads).permute(2, 0, 1).unsqueeze(0)
        if self.shift:
            scores = scores.view(batch, count, self.heads, area, area) + self.mask.unsqueeze(1).unsqueeze(0)
            scores = scores.view(-1, self.heads, area, area)
        mixed = (scores.softmax(-1) @ value).transpose(1, 2).reshape(-1, area, width)
        maps = join_windows(self.project(mixed), self.window, self.side)
        return torch.roll(maps, (self.shift, self.shift), (1, 2)) if self.shift else maps


def split_windows(maps: Tensor, window: int) -> Tensor:
    """[N, H, W, C] -> [N * windows, window * window, C]."""
    batch, height, width, channels = maps.shape
    maps = maps.view(batch, height // window, window, width // window, window, channels)
    return maps.permute(0, 1, 3, 2, 4, 5).reshape(-1, window * window, channels)


def join_windows(windows: Tensor, window: int, side: int) -> Tensor:
    """The inverse of split_windows."""
    count = side // window
    maps = windows.view(-1, count, count, window, window, windows.shape[-1])
    return maps.permute(0, 1, 3, 2, 4, 5).reshape(-1, side, side, windows.shape[-1])


def relative_offsets(window: int) -> Tensor:
    """The row of the bias table for each pair of pixels of a window, [area, area]."""
    grid = torch.stack(torch.meshgrid(torch.arange(window), torch.arange(window), indexing="ij")).flatten(1)
    apart = grid[:, :, None] - grid[:, None, :] + window - 1
    return apart[0] * (2 * window - 1) + apart[1]


def shift_mask(side: int, window: int, shift: int) -> Tensor:
    """-100 between pixels of a shifted window that were not neighbours before the shift, [windows, area, area]."""
    regions = torch.zeros(1, side, side, 1)
    cuts = (slice(0, -window), slice(-window, -shift), slice(-shift, None)) if shift else ()
    for number, (rows, columns) in enumerate((rows, columns) for rows in cuts for columns in cuts):
        regions[:, rows, columns] = number
    numbers = split_windows(regions, window).squeeze(-1)
    return torch.where(numbers[:, None] == numbers[:, :, None], 0.0, -100.0)


class SwinBlock(nn.Module):
    """Window attention and a perceptron, each normalised before and added to what came in."""

    def __init__(self, width: int, side: int, shift: int) -> None:
        super().__init__()
        self.norm1, self.attention = nn.LayerNorm(width), WindowAttention(width, 2, side, 4, shift)
        self.norm2, self.perceptron = nn.LayerNorm(width), perceptron(width, 2)

    def forward(self, maps: Tensor) -> Tensor:
        maps = maps + self.attention(self.norm1(maps))
        result: Tensor = maps + self.perceptron(self.norm2(maps))
        return result


class PatchMerging(nn.Module):
    """Four neighbours become one pixel with twice the channels."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm, self.reduce = nn.LayerNorm(4 * width), nn.Linear(4 * width, 2 * width, bias=False)

    def forward(self, maps: Tensor) -> Tensor:
        parts = [maps[:, row::2, column::2] for column in (0, 1) for row in (0, 1)]
        merged: Tensor = self.reduce(self.norm(torch.cat(parts, -1)))
        return merged


class Swin(nn.Module):
    """Liu et al. 2021: a plain and a shifted block at each of two resolutions."""

    def __init__(self, side: int) -> None:
        super().__init__()
        self.embed = nn.Conv2d(3, 16, 4, 4)
        self.norm0 = nn.LayerNorm(16)
        self.blocks = nn.Sequential(
            SwinBlock(16, side // 4, 0),
            SwinBlock(16, side // 4, 2),
            PatchMerging(16),
            SwinBlock(32, side // 8, 0),
            SwinBlock(32, side // 8, 2),
        )
        self.norm = nn.LayerNorm(32)
        self.head = nn.Linear(32, 5)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        features = self.blocks(self.norm0(self.embed(images).permute(0, 2, 3, 1)))
        return self.head(self.norm(features).mean((1, 2))), features
