"""Heads: from feature maps to logits. Each takes [N, width, h, w] of any h and w, and gives [N, labels]."""

from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from sitegen.settings.reading import STRICT, Count

Share = Annotated[float, Field(ge=0, lt=1)]


@dataclass(frozen=True)
class LinearHeadSettings:
    """The average over the image, then one linear layer: what class activation maps are defined for."""

    __pydantic_config__ = STRICT
    kind: Literal["linear"] = "linear"


@dataclass(frozen=True)
class PooledHeadSettings:
    """The head of Elkins et al. 2019, section 1.3, which is that of their library, fast.ai.

    The paper names the layers; the sizes are the library's defaults.
    """

    __pydantic_config__ = STRICT
    kind: Literal["pooled"] = "pooled"
    hidden: Count = 512
    dropout: tuple[Share, Share] = (0.25, 0.5)  # before the first and the second linear layer


LINEAR = LinearHeadSettings()
HeadSettings = Annotated[LinearHeadSettings | PooledHeadSettings, Field(discriminator="kind")]


class LinearHead(nn.Linear):
    """The average over the image and one linear layer; a linear layer itself, so that its weights keep their names."""

    def forward(self, maps: Tensor) -> Tensor:
        """Return logits [N, labels] for feature maps [N, width, h, w]."""
        return super().forward(maps.mean((2, 3)))

    @property
    def final(self) -> nn.Linear:
        """The layer that gives the logits."""
        return self


class PooledHead(nn.Module):
    """Maximum and average over the image side by side, then twice normalisation, dropout and a linear layer.

    In training, batches need two images at least: normalisation of a single vector is undefined.
    """

    def __init__(self, width: int, labels: int, settings: PooledHeadSettings) -> None:
        super().__init__()
        self.maximum = nn.AdaptiveMaxPool2d(1)
        self.norm1 = nn.BatchNorm1d(2 * width)
        self.dropout1 = nn.Dropout(settings.dropout[0])
        self.linear1 = nn.Linear(2 * width, settings.hidden)
        self.relu = nn.ReLU()
        self.norm2 = nn.BatchNorm1d(settings.hidden)
        self.dropout2 = nn.Dropout(settings.dropout[1])
        self.linear2 = nn.Linear(settings.hidden, labels)

    def forward(self, maps: Tensor) -> Tensor:
        """Return logits [N, labels] for feature maps [N, width, h, w]."""
        # The order of AdaptiveConcatPool2d, so that weights trained there fit.
        pooled = torch.cat([self.maximum(maps).flatten(1), maps.mean((2, 3))], dim=1)
        hidden = self.relu(self.linear1(self.dropout1(self.norm1(pooled))))
        logits: Tensor = self.linear2(self.dropout2(self.norm2(hidden)))
        return logits

    @property
    def final(self) -> nn.Linear:
        """The layer that gives the logits."""
        return self.linear2


Head = LinearHead | PooledHead


def make_head(width: int, labels: int, settings: LinearHeadSettings | PooledHeadSettings) -> Head:
    """Return a new head for feature maps of `width` channels."""
    if isinstance(settings, PooledHeadSettings):
        return PooledHead(width, labels, settings)
    return LinearHead(width, labels)
