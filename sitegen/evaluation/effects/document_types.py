"""The keys of a document of expected effects (schema sitegen.effects/1): docs/effects.md has their meanings."""

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
