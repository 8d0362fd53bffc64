"""The keys of documents of expected effects (sitegen.effects/1) and of masked boxes (sitegen.box-effects/1).

docs/effects.md has their meanings.
"""

from typing import TypedDict

from sitegen.data.audit.document_types import ProblemDocument
from sitegen.metrics.document_types import IntervalDocument
from sitegen_runtime.document_types import BundleDocument


class ExpectedEffect(TypedDict):
    """The mean effect on one finding over the draws for one image, with standard errors."""

    label: str
    before: float
    effect: float
    effect_error: float
    logit_effect: float
    logit_effect_error: float


class ImageEffects(TypedDict):
    """One image: its findings, and the gate's similarity of it and, on average, of its changed copies."""

    image: str
    findings: list[ExpectedEffect]
    similarity: float | None
    changed_similarity: float | None
    changed_passed: float | None


class LabelEffects(TypedDict):
    """The mean effect on one finding over images, with its interval."""

    label: str
    effect: IntervalDocument
    logit_effect: IntervalDocument


class EffectsDocument(TypedDict):
    """Expected effects of one masking, on several images."""

    schema: str
    bundle: BundleDocument
    masking: str
    share: float
    filling: str
    runs: int
    seed: int
    resamples: int
    images: list[ImageEffects]
    findings: list[LabelEffects]
    unreadable: list[ProblemDocument]


class BoxCase(TypedDict):
    """A finding of an image with boxes: the effect of masking them, and the mean of that of the same boxes elsewhere.

    `elsewhere` is None where they fit nowhere else.
    """

    image: str
    patient: str
    finding: str
    before: float
    effect: float
    logit_effect: float
    elsewhere: float | None
    logit_elsewhere: float | None
    similarity: float | None


class BoxedLabel(TypedDict):
    """The mean over the cases of one finding, or of all; differences are over those that could be `compared`."""

    finding: str
    cases: int
    patients: int
    compared: int
    effect: IntervalDocument
    logit_effect: IntervalDocument
    difference: IntervalDocument | None
    logit_difference: IntervalDocument | None


class BoxEffectsDocument(TypedDict):
    """What findings lose where their boxes are masked."""

    schema: str
    bundle: BundleDocument
    boxes: str
    split: str | None
    filling: str
    places: int
    seed: int
    resamples: int
    cases: list[BoxCase]
    findings: list[BoxedLabel]
    unreadable: list[ProblemDocument]
