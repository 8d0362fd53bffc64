"""What people are told of the form of a network's weights."""

from collections.abc import Mapping
from typing import Any

_FORMS = {
    "half": "Weights are rounded to 16 bits.",
    "int8": "Weights are rounded to 8 bits, with a scale for each channel; the arithmetic stays in float32.",
    "static-int8": (
        "Then the classifier was made to compute with whole numbers: weights are rounded to 8 bits, and so is what is "
        "computed of an image. Maps that need gradients or activations are of the network in float32 that it was made "
        "of."
    ),
}


def form_words(stored: Mapping[str, Any]) -> str:
    """Return the form in sentences, "" for float32; `stored` is `weights` of a bundle's provenance."""
    return _FORMS.get(stored["form"], "")


def moved_words(stored: Mapping[str, Any]) -> str:
    """Return by how much probabilities moved, as the end of a sentence."""
    return (
        f"moved probabilities by {100 * stored['mean']:.2g} percentage points on average, by "
        f"{100 * stored['largest']:.2g} at most"
    )
