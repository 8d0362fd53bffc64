"""What maps are worth against boxes that radiologists drew, in words: for page, card and reports alike."""

from sitegen_runtime.bundle.localisation import Pointing
from sitegen_runtime.bundle.model import Model

BETTER, NO_BETTER, WORSE, TOO_FEW, UNKNOWN = "better", "no-better", "worse", "too-few", "unknown"
ENOUGH = 20  # patients with boxes, below which nothing is concluded: intervals over few patients are too narrow
VERDICTS = {
    BETTER: "The maps find more than the usual place does.",
    NO_BETTER: "It is not shown that the maps find the lesion: pointing at the usual place does as well.",
    WORSE: "The maps do not find the lesion: pointing at the usual place does better.",
    TOO_FEW: f"There are boxes of fewer than {ENOUGH} patients: too few to tell whether the maps find anything.",
    UNKNOWN: "Nothing is known of the usual place, so the maps were compared with nothing.",
}
"""What is said of a method, by its verdict: whether its maps point into boxes more often than the place where boxes of
the finding usually lie."""

_CONCLUSIONS = {
    BETTER: "such a map tells more of where the finding is than that place does",
    NO_BETTER: "such a map is not shown to tell where the finding is",
    WORSE: "such a map does not show where the finding is",
}
_SPLITS = {"test": "test images", "valid": "validation images", "train": "training images"}


def worth_of_map(model: Model, finding: str, method: str) -> str | None:
    """Return what a method's maps of a finding are worth, in a sentence; None where the bundle does not know.

    Where fewer than ENOUGH patients have boxes of it, the figures are those of all findings together, and the sentence
    says so; nothing is said where these are too few, too.
    """
    known = model.localisation
    own = known.findings.get((method, finding)) if known else None
    if known is None or own is None:
        return None
    images, whole = _SPLITS.get(known.split or "", "images"), known.methods[method]
    if own.patients >= ENOUGH:
        return _sentence(own, images, "")
    return _sentence(whole, images, "of all its findings, ") if whole.patients >= ENOUGH else None


def worth_of_maps(model: Model) -> list[tuple[str, str]]:
    """Return methods, each with what its maps of all findings together are worth in a sentence; none where unknown."""
    known = model.localisation
    if known is None:
        return []
    images = _SPLITS.get(known.split or "", "images")
    return [(method, _sentence(found, images, "of all findings, ")) for method, found in known.methods.items()]


def _sentence(found: Pointing, images: str, whose: str) -> str:
    begin = (
        f"On {images} with boxes drawn by radiologists ({whose}{found.cases} cases), the strongest place of such maps "
        f"lay in the box in {_of_hundred(found.maps)} of 100"
    )
    if found.usual is None or found.verdict not in _CONCLUSIONS:
        return f"{begin}."
    return (
        f"{begin}; the place where such boxes usually lie did so in {_of_hundred(found.usual)} of 100: "
        f"{_CONCLUSIONS[found.verdict]}."
    )


def _of_hundred(share: float) -> int:
    return int(100 * share + 0.5)
