"""Why the gate refuses an image, in sentences: one for the SSIM, one for each other score that fails."""

from collections.abc import Mapping

_ADVICE = "Check that it is the kind of image this model is for, upright, uncropped and not inverted."
_REASONS: Mapping[str, str] = {
    "ssim-gaussian": "Its similarity to its reconstruction, in a Gaussian window, is too low",
    "l1": "Its reconstruction is too far off, on average",
    "l2": "Its reconstruction is too far off, large errors counted more",
    "latent": "The reconstruction network describes it by a code far from those of the training images",
    "turned": "It may lie on its side, be upside down or be inverted: changed so, it is rebuilt better by too much",
    "mahalanobis": "What the classifier sees in it lies too far from what it sees in the training images",
    "energy": "The classifier's answers are unlike those for the training images: their energy is too high",
    "max-logit": "The classifier is too sure that there is nothing in it: its largest logit is too low",
    "vim": "The classifier sees too much in it that is in none of the training images",
    "combined": "Its scores, taken together, are too unlike those of the training images",
}


def reason_of_ssim(score: float, threshold: float) -> str:
    """Say that the SSIM is too low."""
    return (
        f"This image is unlike the images the model was trained on: its similarity to the model's own "
        f"reconstruction is {score:.3f}, and at least {threshold:.3f} is needed. {_ADVICE}"
    )


def reason_of_score(metric: str, value: float, threshold: float, higher: str) -> str:
    """Say that another score is on the wrong side of its threshold."""
    limit = "at least" if higher == "alike" else "at most"
    return f"{_REASONS[metric]} ({metric} is {value:.3f}; {limit} {threshold:.3f} is needed)."
