"""The metrics of the gate: which way each points, what it needs, and when it can be had.

Those of stage one need the gate's network alone, those of stage two the classifier's logits or features. The formulas
stand in `ssim`, `gaussian_ssim`, `reconstruction_scores`, `variants`, `feature_scores` and `combination`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sitegen_runtime.bundle.gate import Gate

ALIKE, UNLIKE = "alike", "unlike"
SSIM, COMBINED = "ssim", "combined"
STAGE_ONE, STAGE_TWO = 1, 2


@dataclass(frozen=True)
class Metric:
    """What a higher value means, the stage that computes it, and which outputs of which graphs it needs.

    `needs` holds pairs of a graph's role and the role of one of its outputs.
    """

    higher: str
    stage: int
    needs: tuple[tuple[str, str], ...] = ()


_RECONSTRUCTION = (("gate", "reconstruction"),)
_LOGITS = ("classifier", "logits")
_FEATURES = ("classifier", "features")

METRICS: Mapping[str, Metric] = {
    SSIM: Metric(ALIKE, STAGE_ONE, _RECONSTRUCTION),
    "ssim-gaussian": Metric(ALIKE, STAGE_ONE, _RECONSTRUCTION),
    "l1": Metric(UNLIKE, STAGE_ONE, _RECONSTRUCTION),
    "l2": Metric(UNLIKE, STAGE_ONE, _RECONSTRUCTION),
    "latent": Metric(UNLIKE, STAGE_ONE, (("gate", "latent"),)),
    "turned": Metric(UNLIKE, STAGE_ONE, _RECONSTRUCTION),
    "mahalanobis": Metric(UNLIKE, STAGE_TWO, (_FEATURES, ("features", "whitened"))),
    "energy": Metric(UNLIKE, STAGE_TWO, (_LOGITS,)),
    "max-logit": Metric(ALIKE, STAGE_TWO, (_LOGITS,)),
    "vim": Metric(UNLIKE, STAGE_TWO, (_LOGITS, _FEATURES, ("features", "residual"))),
    COMBINED: Metric(UNLIKE, STAGE_TWO),  # at the latest: see `stage`
}


def measured_metrics(gate: Gate) -> tuple[str, ...]:
    """Return the metrics whose formulas this gate asks for, the combination's parts included, in the table's order."""
    names = {gate.metric, *(limit.metric for limit in gate.scores)}
    if COMBINED in names:
        names.remove(COMBINED)
        names |= set(_parts(gate))
    return tuple(metric for metric in METRICS if metric in names)


def stage(metric: str, gate: Gate) -> int:
    """Return the stage that gives a score of this gate: for the combination, the later stage of its parts."""
    if metric == COMBINED:
        return max((METRICS[part].stage for part in _parts(gate)), default=STAGE_ONE)
    return METRICS[metric].stage


def of_stage(number: int, gate: Gate) -> tuple[str, ...]:
    """Return those of `measured_metrics` that a stage computes."""
    return tuple(metric for metric in measured_metrics(gate) if METRICS[metric].stage == number)


def unlikeness(metric: str, value: float) -> float:
    """Return the value, turned so that higher is more unlike the training images."""
    return value if METRICS[metric].higher == UNLIKE else -value


def _parts(gate: Gate) -> Iterable[str]:
    return gate.combination.weights if gate.combination else ()
