"""Concepts for people: one HTML file with the table of all effects, and each concept's strongest images and places.

as_html(document, strongest, entry)     loads nothing; the same gives the same bytes. It holds small pictures of the
                                        measured images: it is for whoever may see these
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from sitegen.evaluation.concepts.effects import INTERVENTIONS, MASKING, ZERO
from sitegen.evaluation.concepts.pictures import Picture, Strongest, picture_of
from sitegen.evaluation.report.page import WIDE, render
from sitegen_runtime.bundle.model import NetworkInput

Part = Mapping[str, Any]
HEADS = {ZERO: "Z₀", MASKING: "masking"} | {name: name.upper() for name in INTERVENTIONS if name not in (ZERO, MASKING)}
SCALES = {
    "probability": "Effects on the probability, means over images and findings",
    "top": "Effects on the probability of each image's most probable finding",
    "logit": "Effects on the logit, means over images and findings",
}
_HERE = Path(__file__).parent


def as_html(document: Part, strongest: Sequence[Sequence[Strongest]], entry: NetworkInput) -> str:
    """Return the page of a document that `study.study` made, in UTF-8 with LF line ends.

    `strongest` has for each of its nodes the images of the node's `strongest`, in their order.
    """
    shown = [
        (node, most_moved(node), _figures(node, images, entry))
        for node, images in zip(document["nodes"], strongest, strict=True)
    ]
    return render(_HERE, {"effect": effect}, (WIDE,), document=document, heads=HEADS, scales=SCALES, shown=shown)


def most_moved(node: Part) -> Part:
    """Return the finding that a concept moves most where it is set to zero, by its logit."""
    found: Part = max(node["findings"], key=lambda each: abs(each["logit"]["value"]))
    return found


def effect(value: Part) -> Markup:
    """Return an effect with its sign, and its interval below."""
    return Markup('{:+.4f} <span class="range">{:+.4f} to {:+.4f}</span>').format(
        value["value"], value["low"], value["high"]
    )


def _figures(node: Part, images: Sequence[Strongest], entry: NetworkInput) -> list[tuple[str, Part, Picture]]:
    return [
        (Path(place["file"]).name, place, picture_of(shown, entry))
        for place, shown in zip(node["strongest"], images, strict=True)
    ]
