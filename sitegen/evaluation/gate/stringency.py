"""How well the classifier does on the images that a gate lets through, the stricter the gate the fewer.

Figure 6 of the Chester papers: if a detector refuses what the classifier cannot judge, the AUC of those that stay rises
as fewer do.
"""

import numpy as np
from numpy.typing import NDArray

from sitegen.evaluation.gate.document_types import Stringency
from sitegen.metrics.examples import Scores
from sitegen.metrics.roc import auc

SHARES = tuple(round(1 - 0.05 * step, 2) for step in range(19))  # 1, 0.95, …, 0.1


def stringency_curve(unlikeness: Scores, logits: Scores, targets: NDArray[np.float64]) -> Stringency:
    """Return the mean AUC over labels on the images that are most like the training images, ever fewer of them.

    `unlikeness` is [N]; `logits` and `targets` are [N, L], targets NaN where unknown. Of each share in SHARES all
    images are kept that are no more unlike than that share of them; images of equal scores stay or go together, so that
    more may be kept. The keys are `retained`, the share that stays, `images`, and `auc`, None where a label has lost
    one of its classes.
    """
    curve: Stringency = {"retained": [], "images": [], "auc": []}
    for share in SHARES:
        kept = unlikeness <= np.quantile(unlikeness, share, method="inverted_cdf")
        count = int(kept.sum())
        if count in curve["images"]:
            continue
        curve["retained"].append(count / len(unlikeness))
        curve["images"].append(count)
        curve["auc"].append(mean_auc(logits[kept], targets[kept]))
    return curve


def measurable(targets: NDArray[np.float64]) -> list[int]:
    """Return the columns of targets [N, L] that have both classes."""
    return [at for at in range(targets.shape[1]) if {0.0, 1.0} <= set(targets[:, at].tolist())]


def mean_auc(logits: Scores, targets: NDArray[np.float64]) -> float | None:
    """Return the mean AUC over labels, [N, L] each; None where a label lacks one of its classes, or there is none."""
    try:
        areas = [auc(logits[:, at], targets[:, at]) for at in range(logits.shape[1])]
    except ValueError:
        return None
    return float(np.mean(areas)) if areas else None
