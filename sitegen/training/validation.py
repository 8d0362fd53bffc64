"""How good a classifier is on the validation images, between epochs."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor

from sitegen.errors import DataError
from sitegen.metrics import auc
from sitegen.metrics.examples import or_none
from sitegen.networks.classifier import Classifier
from sitegen.training.examples import LabelledImages
from sitegen.training.losses import ClassifierLoss, OneAgainstAllLoss


def need_both_classes(valid: LabelledImages) -> None:
    """Raise DataError unless some label is present in one validation image and absent in another."""
    targets = valid.targets
    if not ((targets == 1).any(0) & (targets == 0).any(0)).any():
        raise DataError(
            f"the {len(targets)} validation images have no label that is present in some and absent in others, "
            "so that no AUC can choose between epochs; divide the data with split in the recipe's [data]"
        )


def validate(
    network: Classifier, valid: LabelledImages, labels: Sequence[str], loss: ClassifierLoss, fabric: Fabric, batch: int
) -> tuple[float, dict[str, float | None]]:
    """Return the mean loss, and the AUC of each label, None where one class is missing.

    Every process computes a part of the logits, and all have the result.
    """
    logits = _logits(network, valid, fabric, batch)
    mean = loss(logits, valid.targets.to(fabric.device))
    if isinstance(loss, OneAgainstAllLoss):
        logits = logits[:, 1:] - logits[:, :1]
    columns = zip(labels, logits.double().cpu().numpy().T, valid.targets.numpy().T, strict=True)
    return float(mean), {label: or_none(partial(auc, scores, targets)) for label, scores, targets in columns}


def mean_auc(aucs: dict[str, float | None]) -> float:
    """Return the mean over the labels that have one."""
    return float(np.mean([value for value in aucs.values() if value is not None]))


@torch.no_grad()
def _logits(network: Classifier, valid: LabelledImages, fabric: Fabric, batch: int) -> Tensor:
    network.eval()
    logits = torch.zeros(len(valid.images), network.head.final.out_features, device=fabric.device)
    parts = torch.split(torch.arange(len(valid.images)), batch)
    for indices in parts[fabric.global_rank :: fabric.world_size]:
        logits[indices] = network(valid.images[indices].to(fabric.device)).float()
    together: Tensor = fabric.all_reduce(logits, reduce_op="sum")  # type: ignore[assignment]  # zeros elsewhere
    return together
