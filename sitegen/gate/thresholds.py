"""Thresholds of the gate's scores, from validation images of the training distribution and from nothing else.

A bundle may have several scores, and an image is accepted where it passes all of them. What is promised is one number,
the share of ordinary images that are accepted; so each score alone has to let more of them pass. All scores get the
same own share, the smallest with which the promise holds for the images of every source.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from fractions import Fraction
from math import ceil, isfinite

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sitegen.errors import DataError, SettingsError
from sitegen.gate.quantiles import unlikeness

SHARE = 0.95
DIGITS = 6  # significant ones of a threshold

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Thresholds:
    """What was fitted: the threshold of each metric, the share that each lets pass alone, and what passes all of them.

    An image passes a metric at its threshold or on the good side of it. `passing` has the share of the images of each
    source that pass all, with the thresholds as they are here, rounded.
    """

    values: Mapping[str, float]
    own_share: float
    passing: Mapping[str, float]


def fit_thresholds(
    scores: Mapping[str, ArrayLike], sources: Sequence[str], share: float = SHARE, room: float = 0.0
) -> Thresholds:
    """Return the strictest thresholds with which at least `share` of the images of every source pass all metrics.

    `scores` has for each metric the raw values of the same validation images [N], `sources` the source of each. One
    metric alone gets the value that only the allowed number of images fall short of, of the source that needs the
    loosest: a plain quantile. Thresholds are rounded to DIGITS digits, never so that an image more is refused.
    `room`, in standard deviations of the metric, makes each looser still: the image that a threshold was taken from
    lies on it, and would fall short where another engine computes the score a little differently.

    Raises SettingsError for a share that is not between 0 and 1 and for no metric, DataError for no images, numbers of
    values that differ, values that are not finite, and a source with too few images for the share.
    """
    exact = checked_share(share)
    unlike = {metric: _unlike(metric, values, len(sources)) for metric, values in scores.items()}
    if not unlike:
        raise SettingsError("no metric was named to find a threshold for; name one at least, for instance ssim")
    groups = _groups(sources, exact)
    rooms = {metric: room * float(values.std()) for metric, values in unlike.items()}
    shares = sorted({1 - Fraction(count, len(group)) for group in groups.values() for count in range(len(group))})
    # More images pass all metrics, the more pass each: the first own share that is enough is found by halving.
    place = bisect_left(shares, True, key=lambda own: _met(_limits(unlike, groups, own, rooms), unlike, groups, exact))
    limits = _limits(unlike, groups, shares[place], rooms)
    passing = {source: float(np.mean(_passes(limits, unlike, group))) for source, group in groups.items()}
    values = {metric: float(unlikeness(metric, limit)) + 0.0 for metric, limit in limits.items()}
    return Thresholds(values, float(shares[place]), passing)


def checked_share(share: float) -> Fraction:
    """Return a share as the decimal fraction that it was written as. Raises SettingsError where it is not in 0..1.

    Neither end is possible: at 0 the gate would refuse everything, and no threshold can promise to accept everything.
    """
    if not (isfinite(share) and 0 < share < 1):
        raise SettingsError(
            f"the share of ordinary images that the gate accepts is {share}; it must lie between 0 and 1, "
            "without either: 0.95 is usual"
        )
    return Fraction(repr(float(share)))  # 0.95 in binary is a little less, which would cost an image in twenty


def needed_images(share: float) -> int:
    """Return how many images of a source are needed at least, so that one of them may fall short of the share."""
    return ceil(1 / (1 - checked_share(share)))


def _unlike(metric: str, values: ArrayLike, images: int) -> Values:
    """The values of a metric, turned so that higher is more unlike."""
    given = np.asarray(values, np.float64)
    if given.shape != (images,):
        raise DataError(f"The metric {metric} has values of the shape {list(given.shape)} for {images} images.")
    if not np.isfinite(given).all():
        bad = int((~np.isfinite(given)).argmax())
        raise DataError(
            f"The metric {metric} of validation image {bad} is {given[bad]}, which is no finite number. "
            "Leave out this image, or this metric."
        )
    return unlikeness(metric, given)


def _groups(sources: Sequence[str], share: Fraction) -> dict[str, NDArray[np.intp]]:
    """The indices of the images of each source."""
    if not len(sources):
        raise DataError("There are no validation images to find thresholds with. Give the data a split 'valid'.")
    names = np.asarray(sources)
    groups = {str(name): np.flatnonzero(names == name) for name in np.unique(names)}
    needed = needed_images(float(share))
    few = {name: len(group) for name, group in groups.items() if len(group) < needed}
    if few:
        counts = ", ".join(f"{name or 'the only source'} has {count}" for name, count in few.items())
        raise DataError(
            f"To let {float(share):.4g} of ordinary images pass, {needed} validation images of every source are "
            f"needed: {counts}. Give more, join sources, or choose a smaller share."
        )
    return groups


def _limits(
    unlike: Mapping[str, Values],
    groups: Mapping[str, NDArray[np.intp]],
    own: Fraction,
    rooms: Mapping[str, float],
) -> dict[str, float]:
    """The most that an image may be unlike by each metric, so that a share of every source passes that metric alone."""
    limits = {}
    for metric, values in unlike.items():
        loosest = max(np.sort(values[group])[ceil(own * len(group)) - 1] for group in groups.values())
        limits[metric] = _rounded(float(loosest) + rooms[metric])
    return limits


def _rounded(limit: float) -> float:
    """The limit with DIGITS digits, not below itself."""
    if not limit:
        return 0.0
    exact = Decimal(limit)
    step = Decimal(1).scaleb(exact.adjusted() - DIGITS + 1)
    return float(exact.quantize(step, ROUND_CEILING))


def _passes(limits: Mapping[str, float], unlike: Mapping[str, Values], group: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Which images of a group pass all metrics."""
    passed: NDArray[np.bool_] = np.all([unlike[metric][group] <= limit for metric, limit in limits.items()], axis=0)
    return passed


def _met(
    limits: Mapping[str, float],
    unlike: Mapping[str, Values],
    groups: Mapping[str, NDArray[np.intp]],
    share: Fraction,
) -> bool:
    counts = ((int(_passes(limits, unlike, group).sum()), len(group)) for group in groups.values())
    return all(Fraction(passed, images) >= share for passed, images in counts)
