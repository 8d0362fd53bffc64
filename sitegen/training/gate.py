"""Fitting the autoencoder behind the gate, and scoring its reconstructions as the runtime does."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor, nn
from torch.nn import functional

from sitegen.training.augment import AugmentSettings, augment
from sitegen.training.loop import FitSettings, fit
from sitegen_runtime.ssim import WINDOW, ssim


@dataclass(frozen=True)
class GateFitSettings:
    """The recipe; images are in 0..1. `ssim_share` of the loss is 1 - SSIM, the rest the squared error.

    `blank_share` of each batch goes in as one even grey and is still asked for as a radiograph: an even grey is easy to
    copy, and a gate that copies it lets it pass.
    """

    fit: FitSettings = field(default_factory=lambda: FitSettings(20, batch=64, learning_rate=2e-3, weight_decay=1e-4))
    augment: AugmentSettings = field(default_factory=lambda: AugmentSettings(4.0, 0.04, 0.08, 0.06, 0.15))
    ssim_share: float = 0.5
    blank_share: float = 0.07


def fit_gate(
    network: nn.Module,
    images: Tensor,
    weights: Tensor,
    settings: GateFitSettings,
    checkpoint: Path | None = None,
    epochs_now: int | None = None,
) -> list[float]:
    """Train an autoencoder in place on images [N, 1, H, W] in 0..1 with weights [N]; return the loss of every epoch.

    The loss has a part of what the gate will measure, SSIM, beside the squared error. See `loop.fit`.
    """

    def loss_of(indices: Tensor, generator: Generator) -> Tensor:
        targets = augment(images[indices], settings.augment, 0.0, 1.0, generator)
        blanks = int(settings.blank_share * len(targets))
        shades = torch.rand((blanks, 1, 1, 1), generator=generator).expand(-1, *targets.shape[1:])
        outputs: Tensor = network(torch.cat([shades, targets[blanks:]]))
        squared = (outputs - targets).square().mean(dim=(1, 2, 3))
        unlike = 1 - structural_similarity(outputs, targets, 1.0)
        losses = (1 - settings.ssim_share) * squared + settings.ssim_share * unlike
        loss: Tensor = (losses * weights[indices]).mean()
        return loss

    return fit(network, len(images), loss_of, settings.fit, settings, checkpoint, epochs_now)


def structural_similarity(first: Tensor, second: Tensor, data_range: float) -> Tensor:
    """Return the mean SSIM [N] of one-channel images [N, 1, H, W]: `sitegen_runtime.ssim`, made differentiable."""
    count = WINDOW * WINDOW
    x, y, xx, yy, xy = (
        functional.avg_pool2d(value, WINDOW, stride=1)
        for value in (first, second, first * first, second * second, first * second)
    )
    unbiased = count / (count - 1)
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    luminance = (2 * x * y + c1) / (x * x + y * y + c1)
    structure = (2 * unbiased * (xy - x * y) + c2) / (unbiased * (xx - x * x + yy - y * y) + c2)
    similarity: Tensor = (luminance * structure).mean(dim=(1, 2, 3))
    return similarity


def gate_scores(
    inputs: Iterable[NDArray[np.float32]], outputs: Iterable[NDArray[np.float32]], data_range: float
) -> NDArray[np.float64]:
    """Return the runtime's SSIM between each input and its reconstruction, arrays of shape [..., H, W]."""
    return np.array(
        [
            ssim(seen.ravel().tolist(), drawn.ravel().tolist(), seen.shape[-1], seen.shape[-2], data_range)
            for seen, drawn in zip(inputs, outputs, strict=True)
        ]
    )


@torch.inference_mode()
def reconstruct(network: nn.Module, images: Tensor, batch: int = 256) -> NDArray[np.float32]:
    """Return the reconstructions of images, both [N, 1, H, W]."""
    network.eval()
    return torch.cat([network(part) for part in torch.split(images, batch)]).float().numpy()
