"""What a decision means at a prevalence: predictive values, by Bayes' rule from sensitivity and specificity."""

from dataclasses import dataclass


@dataclass(frozen=True)
class PredictiveValues:
    """The chance that a decision is right: `positive` of one that found something, `negative` of one that did not.

    None where such a decision never falls.
    """

    prevalence: float
    positive: float | None
    negative: float | None


def predictive_values(sensitivity: float, specificity: float, prevalence: float) -> PredictiveValues:
    """Return the predictive values where a share `prevalence` of all images has the finding.

    Test sets hold far more ill people than a ward does, so their own shares say little. Raises ValueError for a share
    outside 0..1.
    """
    for name, share in (("sensitivity", sensitivity), ("specificity", specificity), ("prevalence", prevalence)):
        if not 0 <= share <= 1:
            raise ValueError(f"{name} must lie in 0..1, not at {share}")
    healthy = 1 - prevalence
    return PredictiveValues(
        prevalence,
        _share(sensitivity * prevalence, (1 - specificity) * healthy),
        _share(specificity * healthy, (1 - sensitivity) * prevalence),
    )


def _share(right: float, wrong: float) -> float | None:
    return right / (right + wrong) if right + wrong else None
