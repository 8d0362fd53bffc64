"""How the images of a figure are related to those of the training, in words; `sitegen.bundle.origin` tells which is so.

From what flatters most to what flatters least.
"""

from collections.abc import Mapping
from typing import Literal

Relation = Literal["trained-on", "chosen-on", "unknown", "other-patients", "same-hospital", "elsewhere"]

RELATIONS: Mapping[Relation, str] = {
    "trained-on": "images that it was trained on",
    "chosen-on": "images that things were chosen on (validation)",
    "unknown": "images of which it is not recorded how near they are to the training's",
    "other-patients": "images of other patients of a collection that it was trained on",
    "same-hospital": "images of another collection of a hospital that it was trained on",
    "elsewhere": "images from elsewhere",
}

SHORT: Mapping[Relation, str] = {
    "trained-on": "trained on",
    "chosen-on": "chosen on",
    "unknown": "unknown",
    "other-patients": "other patients",
    "same-hospital": "same hospital",
    "elsewhere": "elsewhere",
}
"""The same where there is little room."""

NO_FINDING = frozenset({"no finding", "normal"})
"""What publishers, and labels, call the absence of findings, in lower case."""
