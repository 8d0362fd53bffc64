"""Images to learn from, with what is known of them and how much each counts."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from sitegen.data.records import Record
from sitegen.errors import DataError
from sitegen.settings.data import DataSettings


@dataclass(frozen=True)
class LabelledImages:
    """Images float32 [N, C, H, W], targets float32 [N, L]: 1, 0 or NaN (unknown), weights float32 [N] with mean 1."""

    images: Tensor
    targets: Tensor
    weights: Tensor


def equal_weights(sources: Sequence[str]) -> Tensor:
    """Return one weight an image, float32 [N] with mean 1, so that every source counts the same in all."""
    names, inverse, counts = np.unique(np.asarray(sources), return_inverse=True, return_counts=True)
    return torch.from_numpy((len(sources) / (len(names) * counts[inverse])).astype(np.float32))


def image_weights(records: Sequence[Record], data: DataSettings) -> Tensor:
    """Return one weight an image, float32 [N] with mean 1, as a recipe's [data] balances patients and sources.

    An image of a patient with n images weighs 1 / sqrt(n), with `balance_patients`; then every source is given its
    share of the whole: an equal one with `balance_sources`, that of `source_shares`, or else what its images have.
    Raises DataError where a share is of no source, or a source has none.
    """
    patients = Counter(record.patient for record in records)
    weights = np.array([patients[each.patient] ** -0.5 if data.balance_patients else 1.0 for each in records])
    shares = _shares([record.source for record in records], data)
    for source, share in shares.items():
        own = np.array([record.source == source for record in records])
        weights[own] *= share / weights[own].sum()
    return torch.from_numpy((weights / weights.mean()).astype(np.float32))


def _shares(sources: Sequence[str], data: DataSettings) -> dict[str, float]:
    """The share of each source in the whole weight; none where nothing balances them."""
    there = sorted(set(sources))
    if not data.source_shares:
        return {source: 1 / len(there) for source in there} if data.balance_sources else {}
    if sorted(data.source_shares) != there:
        raise DataError(
            f"source_shares in the recipe's [data] names {', '.join(sorted(data.source_shares))}, and the training "
            f"images are of {', '.join(there)}. Give every source one share."
        )
    return dict(data.source_shares)
