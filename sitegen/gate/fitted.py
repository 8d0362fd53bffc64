"""All that a bundle says of its gate, fitted to the scores of validation images, ready to be written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from sitegen.bundle import GateSettings
from sitegen.errors import DataError, SettingsError
from sitegen.gate.combination import Combination, combined_scores, fit_combination
from sitegen.gate.quantiles import positions, quantile_table
from sitegen.gate.thresholds import SHARE, Thresholds, fit_thresholds
from sitegen_runtime.gate.metrics import COMBINED, METRICS, SSIM

Scores = Mapping[str, ArrayLike]


@dataclass(frozen=True)
class Combining:
    """What a combination is fitted with: its metrics, and the raw scores of altered images by kind and metric."""

    metrics: Sequence[str]
    altered: Mapping[str, Scores]


@dataclass(frozen=True)
class FittedGate:
    """The gate's settings, and how its thresholds came about."""

    settings: GateSettings
    thresholds: Thresholds


def fit_gate(
    scores: Scores,
    sources: Sequence[str],
    refusing: Sequence[str] = (),
    *,
    share: float = SHARE,
    combining: Combining | None = None,
    vim_alpha: float | None = None,
    room: float = 0.0,
) -> FittedGate:
    """Return the gate that lets `share` of the validation images of every source pass.

    `scores` has for each metric the raw values of the validation images [N], `ssim` among them; all of them get a table
    of quantiles. `refusing` names those that refuse images beside the SSIM; `combined` needs `combining`. `room` is as
    in `fit_thresholds`. Raises SettingsError and DataError, as the parts of this room do, and where a metric to refuse
    by has no scores.
    """
    values = {metric: np.asarray(column, np.float64) for metric, column in scores.items()}
    combination = _combination(values, combining) if COMBINED in refusing else None
    if combination:
        values[COMBINED] = combined_scores(values, quantile_table(values), combination)
    _need(refusing, values)
    thresholds = fit_thresholds({metric: values[metric] for metric in (SSIM, *refusing)}, sources, share, room)
    limits = [
        {"metric": metric, "threshold": thresholds.values[metric], "higher": METRICS[metric].higher}
        for metric in refusing
    ]
    settings = GateSettings.model_validate(
        {
            "metric": SSIM,
            "threshold": thresholds.values[SSIM],
            "share": share,
            "scores": limits,
            "quantiles": quantile_table(values),
            "combination": combination.document if combination else None,
            "vim_alpha": vim_alpha,
        }
    )
    return FittedGate(settings, thresholds)


def _combination(values: Scores, combining: Combining | None) -> Combination:
    if combining is None:
        raise SettingsError("a gate that refuses by 'combined' needs the scores of altered images to fit it to")
    return fit_combined(values, combining)


def _need(refusing: Sequence[str], values: Scores) -> None:
    """Raise an error where a metric to refuse by has no scores, or stands there twice."""
    wanted = [SSIM, *refusing]
    if missing := [metric for metric in wanted if metric not in values]:
        raise DataError(f"The gate is to refuse by {missing}, of which the validation images have no scores.")
    if len(set(wanted)) < len(wanted):
        raise SettingsError(
            f"metrics to refuse by repeat, or the SSIM is named, which always refuses: {list(refusing)}"
        )


def fit_combined(scores: Scores, combining: Combining) -> Combination:
    """Return the combination of some metrics, fitted to where validation and altered images lie in the former's table.

    Raises SettingsError for no metrics and for some without scores, DataError for altered images without them.
    """
    parts = combining.metrics
    if not parts:
        raise SettingsError("a combination is made of one other metric at least, and there is none; name some")
    if missing := [metric for metric in parts if metric not in scores]:
        raise SettingsError(f"the combination needs {missing}, of which the validation images have no scores")
    table = quantile_table({metric: scores[metric] for metric in parts})
    inside = positions({metric: scores[metric] for metric in parts}, table)
    outside: dict[str, list[float]] = {metric: [] for metric in parts}
    kinds: list[str] = []
    for kind, given in combining.altered.items():
        if missing := [metric for metric in parts if metric not in given]:
            raise DataError(f"Images altered as {kind!r} have no scores of {missing}, which the combination needs.")
        found = positions({metric: given[metric] for metric in parts}, table)
        for metric, places in found.items():
            outside[metric].extend(places)
        kinds += [kind] * len(found[parts[0]])
    return fit_combination(inside, outside, kinds)
