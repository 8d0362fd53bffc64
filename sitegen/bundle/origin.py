"""Where the images of a figure come from, seen from the training: a word for each, and what was not measured.

    relation(images, learned, use)      one of RELATIONS
    together(relations)                 that of a figure over images of several
    not_measured(relations)             a sentence on what nobody measured, "" where nothing is missing

What is not known is "unknown", and never guessed as good. A figure on images from elsewhere says the most of what to
expect on one's own, one on images that were trained on says nothing: RELATIONS has them in this order.
"""

from collections.abc import Collection as Names
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from sitegen_runtime.bundle.relations import RELATIONS, Relation

Use = Literal["trained", "chosen", "kept"]
"""What a training did with images: trained on them, chose something on them, or kept them out."""

_FARTHER: Mapping[Relation, str] = {
    "other-patients": "other patients of its collections",
    "same-hospital": "another collection of the same hospital",
    "elsewhere": "images from elsewhere",
}
_ORDER = tuple(RELATIONS)
SAME_COLLECTION = (
    "The test images are other patients' of the same collection that it was trained on: on other images expect less."
)


@dataclass(frozen=True)
class Collection:
    """Images as people know them: the name of the collection and who made the images, "" where nobody said."""

    name: str
    hospital: str = ""


def relation(images: Collection, learned: Names[Collection], use: Use | None = None) -> Relation:
    """Return how images are related to the collections `learned` that a model was trained on or chosen with.

    `use` is what the training did with these very images; None where that is not known, and then images of a
    collection that it learned from are "unknown", for they may be the same. Without `learned`, so are all. Names are
    compared without regard to capitals and spaces. Images are from "elsewhere" only where all hospitals are known.
    """
    if not learned:
        return "unknown"
    if use in ("trained", "chosen"):
        return "trained-on" if use == "trained" else "chosen-on"
    if _plain(images.name) in {_plain(each.name) for each in learned}:
        return "other-patients" if use == "kept" else "unknown"
    hospitals = {_plain(each.hospital) for each in learned}
    if not images.hospital:
        return "unknown"
    if _plain(images.hospital) in hospitals:
        return "same-hospital" if images.name else "unknown"  # without a name it may be the same collection
    return "unknown" if "" in hospitals else "elsewhere"


def together(relations: Iterable[Relation]) -> Relation:
    """Return the relation of a figure over images of several: the one that flatters most; "unknown" of none."""
    return min(relations, key=_ORDER.index, default="unknown")


def not_measured(relations: Iterable[Relation]) -> str:
    """Return a sentence on what is farther from the training than all that was measured; "" where nothing is."""
    known = [each for each in relations if each != "unknown"]
    farthest = max(map(_ORDER.index, known), default=-1)
    missing = [words for each, words in _FARTHER.items() if _ORDER.index(each) > farthest]
    if not missing:
        return ""
    told = " and ".join(filter(None, [", ".join(missing[:-1]), *missing[-1:]]))
    return f"Not measured: {told}."


def _plain(name: str) -> str:
    return " ".join(name.split()).casefold()
