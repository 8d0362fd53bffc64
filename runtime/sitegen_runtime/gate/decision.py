"""Knowing when not to predict: is the image like those the model was trained on?

A reconstruction network that has seen nothing but such images rebuilds the image; where it cannot, the image is
something else. The score is the structural similarity of the image and its reconstruction (see `ssim`), from -1 to 1;
the image is accepted where the score reaches the bundle's threshold, every other score that the bundle lists passes,
and no check of the picture itself (see `structure`) refuses it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import nan

from sitegen_runtime.bundle.gate import Gate, ScoreLimit
from sitegen_runtime.bundle.model import NetworkInput
from sitegen_runtime.gate.combination import combined
from sitegen_runtime.gate.metrics import ALIKE, COMBINED, SSIM, STAGE_ONE, Evidence, measure, of_stage, stage
from sitegen_runtime.gate.positions import position
from sitegen_runtime.gate.reconstruction_scores import absolute_errors, as_shares
from sitegen_runtime.gate.refusal import reason_of_score, reason_of_ssim
from sitegen_runtime.gate.variants import Variant
from sitegen_runtime.pixels.corrections import CORRECTIONS

_OFFERS = {correction.check for correction in CORRECTIONS.values()}  # these refuse nothing: the score `turned` does


@dataclass(frozen=True)
class Score:
    """One score of an image beside the SSIM, with its limit and its position among the reference images or None."""

    metric: str
    value: float
    threshold: float
    higher: str
    position: float | None

    @property
    def passed(self) -> bool:
        """Whether the value lies at the threshold or on its good side."""
        return self.value >= self.threshold if self.higher == ALIKE else self.value <= self.threshold


@dataclass(frozen=True)
class Check:
    """What was found in the picture itself, in a word and in a sentence, and how it might be put right or None."""

    check: str
    message: str
    correction: str | None = None

    @property
    def refuses(self) -> bool:
        """Whether an image of which this was found is refused: an offer to turn or invert it refuses nothing."""
        return self.check not in _OFFERS


@dataclass(frozen=True)
class Decision:
    """What the gate says of one image.

    `errors` is the reconstruction error of each cell, row-major: |image - reconstruction| as a share of full scale,
    averaged over channels. `reconstruction` has `channels` planes of `side` x `side` shares of the range, row-major.
    `measured` has the raw values of all metrics so far.
    """

    metric: str
    score: float
    threshold: float
    errors: tuple[float, ...]
    side: int
    position: float | None = None
    scores: tuple[Score, ...] = ()
    checks: tuple[Check, ...] = ()
    reconstruction: tuple[float, ...] = ()
    measured: Mapping[str, float] = field(default_factory=dict)

    @property
    def channels(self) -> int:
        """How many planes the reconstruction has."""
        return len(self.reconstruction) // self.side**2

    @property
    def accepted(self) -> bool:
        """Whether the model may judge the image."""
        refused = any(check.refuses for check in self.checks) or not all(score.passed for score in self.scores)
        return self.score >= self.threshold and not refused

    @property
    def reason(self) -> str | None:
        """Why an image was refused, in sentences; None where it was accepted."""
        return None if self.accepted else " ".join(self._reasons())

    def _reasons(self) -> Iterator[str]:
        if not self.score >= self.threshold:
            yield reason_of_ssim(self.score, self.threshold)
        for score in self.scores:
            if not score.passed:
                yield reason_of_score(score.metric, score.value, score.threshold, score.higher)
        yield from (check.message for check in self.checks if check.refuses)

    def measuring(self, values: Mapping[str, float], gate: Gate, number: int = STAGE_ONE) -> "Decision":
        """Return the decision with more raw values, and with the scores of a stage that the gate makes of them."""
        measured = {**self.measured, **values}
        scores = (_score(limit, measured, gate) for limit in gate.scores if stage(limit.metric, gate) == number)
        return replace(self, measured=measured, scores=(*self.scores, *scores))

    def noting(self, checks: Iterable[Check]) -> "Decision":
        """Return the decision with more checks."""
        return replace(self, checks=(*self.checks, *checks))


def decide(
    image: Sequence[float],
    answer: Mapping[str, Sequence[float]],
    network_input: NetworkInput,
    gate: Gate,
    variant: Variant | None = None,
) -> Decision:
    """Judge an image, given as values of the network's input (NCHW, flat), by what the network makes of it.

    `answer` has the network's outputs by role: "reconstruction", values like those of the image, and the others that
    scores of the gate need. So do some the `variant` (see `variants.closest`). Scores of stage two stay out: see
    `Decision.measuring`.
    """
    first, second = as_shares(image, network_input), as_shares(answer["reconstruction"], network_input)
    outputs = {("gate", role): values for role, values in answer.items()}
    similarity = variant.similarity if variant else nan
    seen = Evidence(outputs, first, second, network_input.side, similarity)
    values = measure(of_stage(STAGE_ONE, gate), seen)
    decision = Decision(
        metric=gate.metric,
        score=values[SSIM],
        threshold=gate.threshold,
        errors=tuple(absolute_errors(first, second)),
        side=network_input.side,
        position=position(values[SSIM], SSIM, gate),
        reconstruction=tuple(value for plane in second for value in plane),
    )
    return decision.measuring(values, gate)


def _score(limit: ScoreLimit, measured: Mapping[str, float], gate: Gate) -> Score:
    metric = limit.metric
    value = combined(measured, gate) if metric == COMBINED else measured[metric]
    return Score(metric, value, limit.threshold, limit.higher, position(value, metric, gate))
