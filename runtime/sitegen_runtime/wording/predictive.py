"""What above and below the threshold are worth where so many have a finding: the least favourable of the figures."""

from collections.abc import Iterable, Sequence
from typing import Any

from sitegen_runtime.bundle.figures import Images, is_absence
from sitegen_runtime.bundle.model import Model
from sitegen_runtime.predictive_values import predictive_values
from sitegen_runtime.wording.known import Rates, complete_rates, named_images
from sitegen_runtime.wording.shares import chance

PREVALENCES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5)


def describe_predictive(model: Model, finding: str) -> list[dict[str, Any]]:
    """Return `prevalence` (0..1), its `name` and `text` for each of PREVALENCES; nothing without figures.

    Nothing either of a label that means the absence of findings: how common that is says nothing of a finding.
    """
    rates = [] if is_absence(finding) else complete_rates(model, finding)
    if not rates:
        return []
    return [{"prevalence": share, "name": f"{100 * share:g} %", "text": _text(rates, share)} for share in PREVALENCES]


def _text(rates: Sequence[Rates], prevalence: float) -> str:
    values = [(predictive_values(found.value, spared.value, prevalence), images) for found, spared, images in rates]
    positive = _least((value.positive, images) for value, images in values)
    negative = _least((value.negative, images) for value, images in values)
    said = [
        f"{chance(positive[0])} of those above the threshold have it" if positive else "none is above the threshold",
        f"{chance(negative[0])} of those below do not" if negative else "none is below it",
    ]
    used = list(dict.fromkeys(named_images(found[1]) for found in (positive, negative) if found))
    return f"Where {100 * prevalence:g} of 100 have it, {' and '.join(said)} ({_figures_of(used, len(rates))})."


def _least(values: Iterable[tuple[float | None, Images]]) -> tuple[float, Images] | None:
    known = [(value, images) for value, images in values if value is not None]
    return min(known, key=_first, default=None)


def _figures_of(used: list[str], known: int) -> str:
    if known == 1:
        return f"by the figures of {used[0]}"
    if len(used) == 1:
        return f"by the least favourable figures, those of {used[0]}"
    return f"by the least favourable figures: above, those of {used[0]}; below, those of {used[1]}"


def _first(pair: tuple[float, Images]) -> float:
    return pair[0]
