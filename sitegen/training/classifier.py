"""Fitting a classifier of any number of labels."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor, nn
from torch.nn import functional

from sitegen.training.augment import AugmentSettings, augment
from sitegen.training.loop import FitSettings, fit


@dataclass(frozen=True)
class ClassifierSettings:
    """The recipe; `black` and `white` are the ends of the network input's range."""

    fit: FitSettings = field(default_factory=FitSettings)
    augment: AugmentSettings = field(default_factory=AugmentSettings)
    smoothing: float = 0.05  # targets are smoothing/2 and 1 - smoothing/2 instead of 0 and 1
    black: float = -1.0
    white: float = 1.0


@dataclass(frozen=True)
class LabelledImages:
    """Images float32 [N, C, H, W], targets 0 or 1 float32 [N, L], weight of each image in the loss float32 [N]."""

    images: Tensor
    targets: Tensor
    weights: Tensor


def equal_weights(sources: Sequence[str]) -> Tensor:
    """Return one weight an image, float32 [N] with mean 1, so that every source counts the same in all."""
    names, inverse, counts = np.unique(np.asarray(sources), return_inverse=True, return_counts=True)
    return torch.from_numpy((len(sources) / (len(names) * counts[inverse])).astype(np.float32))


def fit_classifier(
    network: nn.Module,
    data: LabelledImages,
    settings: ClassifierSettings,
    checkpoint: Path | None = None,
    epochs_now: int | None = None,
) -> list[float]:
    """Train in place with the weighted binary cross-entropy; return the loss of every epoch. See `loop.fit`."""

    def loss_of(indices: Tensor, generator: Generator) -> Tensor:
        images = augment(data.images[indices], settings.augment, settings.black, settings.white, generator)
        targets = data.targets[indices] * (1 - settings.smoothing) + settings.smoothing / 2
        losses = functional.binary_cross_entropy_with_logits(network(images), targets, reduction="none")
        return (losses.mean(dim=1) * data.weights[indices]).mean()

    return fit(network, len(data.images), loss_of, settings.fit, settings, checkpoint, epochs_now)


@torch.inference_mode()
def predict_logits(network: nn.Module, images: Tensor, batch: int = 64) -> NDArray[np.float64]:
    """Return the logits [N, L] of images [N, C, H, W]."""
    network.eval()
    return torch.cat([network(part) for part in torch.split(images, batch)]).double().numpy()
