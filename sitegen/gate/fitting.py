"""What a gate decides by: its scores on the validation images, the thresholds that these give, and the tables.

Images outside the training distribution have no part in it. The formulas are the runtime's.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from sitegen.errors import DataError
from sitegen.gate.altered import ALTERATIONS, altered
from sitegen.gate.feature_statistics import fit_residual, fit_whitening, logit_origin
from sitegen.gate.features_graph import FeatureStatistics
from sitegen.gate.fitted import Combining, FittedGate, fit_gate
from sitegen.gate.network_scores import score_gate_network
from sitegen.graphs.names import FEATURES, LOGITS, RESIDUAL, WHITENED
from sitegen.networks.heads import LinearHead
from sitegen.networks.trained import TrainedClassifier
from sitegen.networks.trained_gate import TrainedGate
from sitegen.settings.recipe import GatePlan
from sitegen.training.examples import equal_weights
from sitegen_runtime.gate.metrics import COMBINED, METRICS, SSIM, STAGE_ONE, Evidence, measure, needed, with_formula

BATCH = 64
ROOM = 1e-3  # of a score's standard deviation: far more than engines differ by, and one image in ten thousand
MOST_ALTERED = 60  # validation images that are altered in each way: enough for a handful of weights
Images = NDArray[np.float32]
Scores = dict[str, NDArray[np.float64]]


@dataclass(frozen=True)
class SplitImages:
    """Images of a split as the classifier and as the gate see them, in one order, with the source of each."""

    classifier: Images
    gate: Images
    sources: list[str]


@dataclass(frozen=True)
class GateParts:
    """The networks whose scores are measured; `statistics` are None where no score is of the classifier's features."""

    gate: TrainedGate
    classifier: TrainedClassifier
    statistics: FeatureStatistics | None


def wants_pooled(plan: GatePlan) -> bool:
    """Whether a plan has a score of the classifier's pooled features, as they are or as the features graph has them."""
    return FEATURES in needed("classifier", _measured(plan))


def wants_features(plan: GatePlan) -> bool:
    """Whether a plan has a score of what the features graph makes of the pooled features."""
    return bool(needed(FEATURES, _measured(plan)))


def fit_gate_settings(
    plan: GatePlan, gate: TrainedGate, classifier: TrainedClassifier, train: SplitImages | None, valid: SplitImages
) -> tuple[FittedGate, FeatureStatistics | None]:
    """Fit what a plan asks for: feature statistics on training images, everything else on validation images.

    `train` may be None where `wants_features` is False. Raises what the parts of `sitegen.gate` raise.
    """
    statistics = _statistics(classifier, train, plan) if train and wants_features(plan) else None
    parts = GateParts(gate, classifier, statistics)
    fitted = fit_gate(
        gate_scores(parts, valid, _measured(plan)),
        valid.sources,
        plan.scores,
        share=plan.share,
        room=ROOM,
        combining=_combining(plan, parts, valid) if COMBINED in plan.scores else None,
        vim_alpha=statistics.residual.alpha if statistics and statistics.residual else None,
    )
    return fitted, statistics


def gate_scores(parts: GateParts, images: SplitImages, metrics: Iterable[str]) -> Scores:
    """Return the raw values [N] of metrics. Raises DataError where a network gives what is no finite number."""
    wanted = list(metrics)
    found: Scores = {}
    if any(METRICS[metric].stage == STAGE_ONE for metric in wanted):
        scored = score_gate_network(parts.gate, images.gate)
        if scored.problems:
            at, problem = next(iter(scored.problems.items()))
            raise DataError(f"The gate cannot judge validation image {at}: {problem} Train the gate again.")
        found |= {metric: scored.metrics[metric] for metric in wanted if metric in scored.metrics}
    if len(found) < len(wanted):
        pooled, logits = pooled_features(parts.classifier, images.classifier)
        found |= _of_features(parts.statistics, pooled, logits, [metric for metric in wanted if metric not in found])
    return {metric: found[metric] for metric in wanted}


@torch.inference_mode()
def pooled_features(trained: TrainedClassifier, images: Images) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the averages of the last feature maps [N, F], and the logits [N, L], of images [N, C, side, side]."""
    network = trained.network.eval()
    pooled, logits = [], []
    for start in range(0, len(images), BATCH):
        maps = network.feature_maps(torch.from_numpy(np.ascontiguousarray(images[start : start + BATCH])))
        pooled.append(maps.mean((2, 3)))
        logits.append(network.head(maps))
    return torch.cat(pooled).double().numpy(), torch.cat(logits).double().numpy()


def _measured(plan: GatePlan) -> list[str]:
    """The metrics with a formula of their own, those that `combined` is made of included, in the table's order."""
    return list(with_formula((SSIM, *plan.scores), plan.combine))


def _statistics(trained: TrainedClassifier, train: SplitImages, plan: GatePlan) -> FeatureStatistics:
    """Fit to the training images, every source weighing the same."""
    pooled, logits = pooled_features(trained, train.classifier)
    weights = equal_weights(train.sources).numpy()
    outputs = needed(FEATURES, _measured(plan))
    final = trained.network.head.final
    linear = isinstance(trained.network.head, LinearHead)
    origin = logit_origin(final.weight.detach().numpy(), final.bias.detach().numpy()) if linear else None
    return FeatureStatistics(
        fit_whitening(pooled, weights) if WHITENED in outputs else None,
        fit_residual(pooled, logits, weights, origin) if RESIDUAL in outputs else None,
    )


def _of_features(
    statistics: FeatureStatistics | None,
    pooled: NDArray[np.float64],
    logits: NDArray[np.float64],
    metrics: Iterable[str],
) -> Scores:
    parts = statistics.parts() if statistics else {}
    outputs = {("classifier", LOGITS): logits, ("classifier", FEATURES): pooled}
    outputs |= {(FEATURES, output): (pooled - origin) @ matrix for output, (origin, matrix) in parts.items()}
    alpha = statistics.residual.alpha if statistics and statistics.residual else 0.0
    wanted = list(metrics)
    rows = [
        measure(wanted, Evidence({need: values[row].tolist() for need, values in outputs.items()}, vim_alpha=alpha))
        for row in range(len(logits))
    ]
    return {metric: np.array([row[metric] for row in rows], np.float64) for metric in wanted}


def _combining(plan: GatePlan, parts: GateParts, valid: SplitImages) -> Combining:
    """Measure some validation images, altered in every way, by the metrics that are combined."""
    chosen = np.linspace(0, len(valid.gate) - 1, min(len(valid.gate), MOST_ALTERED)).astype(int)
    sources = [valid.sources[index] for index in chosen]
    changed = {
        kind: SplitImages(
            altered(valid.classifier[chosen], parts.classifier.image, kind),
            altered(valid.gate[chosen], parts.gate.image, kind),
            sources,
        )
        for kind in ALTERATIONS
    }
    return Combining(plan.combine, {kind: gate_scores(parts, images, plan.combine) for kind, images in changed.items()})
