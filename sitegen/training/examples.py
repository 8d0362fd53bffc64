"""Images to learn from, with what is known of them and how much each counts."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class LabelledImages:
    """Images float32 [N, C, H, W], targets float32 [N, L]: 1, 0 or NaN (unknown), weights in the loss float32 [N]."""

    images: Tensor
    targets: Tensor
    weights: Tensor


def equal_weights(sources: Sequence[str]) -> Tensor:
    """Return one weight an image, float32 [N] with mean 1, so that every source counts the same in all."""
    names, inverse, counts = np.unique(np.asarray(sources), return_inverse=True, return_counts=True)
    return torch.from_numpy((len(sources) / (len(names) * counts[inverse])).astype(np.float32))
