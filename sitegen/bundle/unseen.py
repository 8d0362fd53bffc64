"""How much of its training data's images lies outside of what a model sees, where its bundle tells."""

from collections.abc import Mapping
from typing import Any

from sitegen.bundle.fitting import seen_share
from sitegen.bundle.folder import Bundle

MENTIONED = 0.1  # of the middle image: what is less is hardly missed


def unseen_words(bundle: Bundle) -> str | None:
    """Return a sentence on how much of the images that a model learned from it never saw.

    None where the bundle does not tell how long its data's images are (`provenance.audit.aspect`), and where of the
    middle one less than MENTIONED is unseen.
    """
    aspect = _aspects(bundle.description.provenance)
    if aspect is None:
        return None
    least, median, most = aspect
    unseen = 1 - _seen(bundle, median)
    if unseen < MENTIONED:
        return None
    longest = 1 - min(_seen(bundle, least), _seen(bundle, most))
    return (
        f"{bundle.description.title}: {100 * unseen:.0f} % of the middle image of its data ({median:.2f} times as wide "
        f"as high) lies outside of what the model sees, and {100 * longest:.0f} % of the longest."
    )


def _aspects(provenance: Mapping[str, Any]) -> tuple[float, float, float] | None:
    audit = provenance.get("audit")
    aspect = audit.get("aspect") if isinstance(audit, Mapping) else None
    if not isinstance(aspect, Mapping):
        return None
    told = [aspect.get(name) for name in ("least", "median", "most")]
    known = [float(each) for each in told if isinstance(each, (int, float)) and each > 0]
    return (known[0], known[1], known[2]) if len(known) == len(told) else None


def _seen(bundle: Bundle, aspect: float) -> float:
    """The share of an image, so many times as wide as high, that the classifier sees."""
    (image,) = bundle.model.graphs["classifier"].images
    return seen_share(image, aspect)
