"""Losses of classifiers, and the weights that balance rare findings against frequent ones.

Targets are 1.0 present, 0.0 absent, NaN unknown, as `sitegen.data.records.label_matrix` gives them. Unknown targets
take no part. Equations are those of Elkins et al. 2019 ("Developing an App to interpret Chest X-rays", section 1.3).
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from sitegen.errors import DataError
from sitegen.settings.reading import STRICT

Weight = Annotated[float, Field(gt=0)]


@dataclass(frozen=True)
class MultiLabelSettings:
    """Findings that occur together: one logit each, and binary cross-entropy (Eq. 1.3)."""

    __pydantic_config__ = STRICT
    kind: Literal["multi-label"] = "multi-label"
    class_weights: bool = False  # Eq. 1.1 as w
    positive_weights: Literal["none", "balanced"] | tuple[Weight, ...] = "none"  # p, or absent / present
    smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0  # targets are smoothing / 2 and 1 - smoothing / 2


@dataclass(frozen=True)
class OneAgainstAllSettings:
    """One finding against all else: two logits [others, finding], log-softmax and cross-entropy (Eq. 1.2)."""

    __pydantic_config__ = STRICT
    kind: Literal["one-against-all"] = "one-against-all"
    class_weights: bool = True  # Eq. 1.1


LossSettings = Annotated[MultiLabelSettings | OneAgainstAllSettings, Field(discriminator="kind")]


class ClassifierLoss(nn.Module, ABC):
    """A mean over a batch: a sum over its images, divided by what the targets alone tell.

    The two parts are apart so that several processes, each with a part of the batch, add up to the same mean.
    """

    @abstractmethod
    def total(self, targets: Tensor) -> Tensor:
        """Return what the sum is divided by."""

    @abstractmethod
    def summed(self, logits: Tensor, targets: Tensor, image_weights: Tensor | None = None) -> Tensor:
        """Return the sum of the images' losses."""

    def forward(self, logits: Tensor, targets: Tensor, image_weights: Tensor | None = None) -> Tensor:
        """Return the scalar loss of a whole batch; an all unknown batch has loss 0, and gradients of 0."""
        return self.summed(logits, targets, image_weights) / self.total(targets)


class MultiLabelLoss(ClassifierLoss):
    """Binary cross-entropy with logits, averaged over the known targets of a batch.

    Where all are known it is torch's BCEWithLogitsLoss(weight=label_weights, pos_weight=positive_weights).
    """

    label_weights: Tensor | None
    positive_weights: Tensor | None

    def __init__(
        self, label_weights: Tensor | None = None, positive_weights: Tensor | None = None, smoothing: float = 0.0
    ) -> None:
        super().__init__()
        self.register_buffer("label_weights", label_weights)
        self.register_buffer("positive_weights", positive_weights)
        self.smoothing = smoothing

    def total(self, targets: Tensor) -> Tensor:
        """Return what the sum of losses is divided by, for targets [N, L]: how many are known."""
        return (~targets.isnan()).sum().clamp(min=1)

    def summed(self, logits: Tensor, targets: Tensor, image_weights: Tensor | None = None) -> Tensor:
        """Return the sum of the losses of logits [N, L] for targets [N, L]; `image_weights` [N] have mean 1."""
        known = ~targets.isnan()
        # Filled in before the loss, not masked after it: the gradient of 0 * NaN would be NaN.
        given = targets.nan_to_num(0.0) * (1 - self.smoothing) + self.smoothing / 2
        losses = functional.binary_cross_entropy_with_logits(
            logits, given, self.label_weights, pos_weight=self.positive_weights, reduction="none"
        )
        if image_weights is not None:
            losses = losses * image_weights.unsqueeze(1)
        return (losses * known).sum()


class OneAgainstAllLoss(ClassifierLoss):
    """Weighted cross-entropy of pairs of logits, averaged by the weights of the known targets' classes.

    Where all are known it is torch's CrossEntropyLoss(weight=class_weights).
    """

    class_weights: Tensor

    def __init__(self, class_weights: Tensor | None = None) -> None:
        super().__init__()
        self.register_buffer("class_weights", torch.ones(2) if class_weights is None else class_weights)

    def total(self, targets: Tensor) -> Tensor:
        """Return what the sum of losses is divided by, for targets [N, 1] or [N]: the weights of the known ones."""
        weights = self._weights(targets).sum()
        return torch.where(weights > 0, weights, 1.0)

    def summed(self, logits: Tensor, targets: Tensor, image_weights: Tensor | None = None) -> Tensor:
        """Return the sum of losses of logits [N, 2] for targets [N, 1] or [N]; `image_weights` [N] have mean 1."""
        classes = targets.reshape(len(logits), 1).nan_to_num(0.0).long()
        losses = -logits.log_softmax(1).gather(1, classes).squeeze(1)
        weights = self._weights(targets)
        return (losses * (weights if image_weights is None else weights * image_weights)).sum()

    def _weights(self, targets: Tensor) -> Tensor:
        flat = targets.flatten()
        return self.class_weights[flat.nan_to_num(0.0).long()] * ~flat.isnan()


def make_loss(settings: MultiLabelSettings | OneAgainstAllSettings, targets: Tensor) -> ClassifierLoss:
    """Return the loss with its weights counted from the training set's targets [N, L] (L is 1 for one against all).

    Raises DataError where weights are asked for and a class has no image, or where given weights are not one a label.
    """
    if isinstance(settings, OneAgainstAllSettings):
        return OneAgainstAllLoss(two_class_weights(targets) if settings.class_weights else None)
    weights = label_weights(targets) if settings.class_weights else None
    return MultiLabelLoss(weights, _positive(settings, targets), settings.smoothing)


def class_weights(images: Sequence[float] | Tensor, total: float | Tensor) -> Tensor:
    """Return n / (k n_c) for each of k classes, float32 [k]: Eq. 1.1.

    `images` has n_c, the images of each class, and `total` is n, all images (one number, or one for each class).
    Raises DataError where a class has no image.
    """
    counts = torch.as_tensor(images, dtype=torch.float64)
    if (counts <= 0).any():
        missing = ", ".join(str(index) for index in (counts <= 0).nonzero().flatten().tolist())
        raise DataError(
            f"no image has a finding that is to be weighted (class {missing}, counted from 0); leave it out"
        )
    return (torch.as_tensor(total, dtype=torch.float64) / (len(counts) * counts)).float()


def label_weights(targets: Tensor) -> Tensor:
    """Return Eq. 1.1 for the labels of targets [N, L]: n_c images have the label, of n for which it is known."""
    return class_weights(targets.nansum(0), (~targets.isnan()).sum(0))


def two_class_weights(targets: Tensor) -> Tensor:
    """Return Eq. 1.1 for [others, finding], k = 2, float32 [2], of the known ones among targets [N] or [N, 1]."""
    positive, known = float(targets.nansum()), float((~targets.isnan()).sum())
    return class_weights([known - positive, positive], known)


def positive_weights(targets: Tensor) -> Tensor:
    """Return absent / present for the labels of targets [N, L], float32 [L]: p that gives both sides the same weight.

    Raises DataError where a label is present nowhere.
    """
    present, known = targets.double().nansum(0), (~targets.isnan()).sum(0)
    return (class_weights(present, known).double() * len(present) - 1).float()


def _positive(settings: MultiLabelSettings, targets: Tensor) -> Tensor | None:
    asked = settings.positive_weights
    if asked == "none":
        return None
    if asked == "balanced":
        return positive_weights(targets)
    if len(asked) != targets.shape[1]:
        raise DataError(f"{len(asked)} positive weights were given for {targets.shape[1]} labels")
    return torch.tensor(asked)
