"""Why the gate refuses an image, in sentences: one for the SSIM, one for each other score that fails."""

from sitegen_runtime.gate.metrics import ALIKE, METRICS, SSIM

_ADVICE = "Check that it is the kind of image this model is for, upright, uncropped and not inverted."


def reason_of_ssim(score: float, threshold: float) -> str:
    """Say that the SSIM is too low."""
    return (
        f"{METRICS[SSIM].refused}: its similarity to the gate's own "
        f"reconstruction is {score:.3f}, and at least {threshold:.3f} is needed. {_ADVICE}"
    )


def reason_of_score(metric: str, value: float, threshold: float, higher: str) -> str:
    """Say that another score is on the wrong side of its threshold."""
    row = METRICS[metric]
    limit = row.scale.limit(value, threshold, at_least=higher == ALIKE)
    return f"{row.refused} ({row.scale.what or f'{metric} is'} {limit})."
