"""One definition of an effect: what the model says of the changed image, minus what it says of the image.

Effect(x' → y, Z) = P(y | do(x'), Z) − P(y | Z): Eq. 1 of Yang et al., "When causal intervention meets adversarial
examples and image masking for deep neural networks" (ICIP 2019). P is the model's own probability, the sigmoid of its
logit; beside it stands the change of the logit, which does not shrink where the probability is near 0 or 1.
"""

from collections.abc import Iterator, Sequence

from sitegen_runtime.document_types import Effect, Finding


def effects_of(before: Sequence[Finding], after: Sequence[Finding]) -> Iterator[Effect]:
    """Yield the effect on each finding, in their order, which both must share."""
    for first, second in zip(before, after, strict=True):
        yield {
            "label": first["label"],
            "before": first["probability"],
            "after": second["probability"],
            "effect": second["probability"] - first["probability"],
            "logit_effect": second["logit"] - first["logit"],
            "calibrated_before": first["calibrated"],
            "calibrated_after": second["calibrated"],
        }
