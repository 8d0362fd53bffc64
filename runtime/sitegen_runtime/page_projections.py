"""The page's projections: what is shown on the way and at the end, as words and pixels."""

import json
from typing import Any

from sitegen_runtime.bundle.model import Model
from sitegen_runtime.gate.reconstruction_scores import as_shares
from sitegen_runtime.maps.heat_map import drawn, error_overlay
from sitegen_runtime.projection.loop import ROLE
from sitegen_runtime.projection.way import OnItsWay, Reconstructed, curve
from sitegen_runtime.running import image_input
from sitegen_runtime.wording.projection import describe_projection, heights
from sitegen_runtime.wording.results import describe


def sketch_of(made: OnItsWay) -> tuple[str, bytes]:
    """Return what is shown of a projection on its way: fields as JSON (step, steps, curve, side), and RGBA pixels."""
    planes = as_shares(made.now.reconstruction, made.image)
    distances = made.now.distances
    fields = {
        "step": len(distances),
        "steps": made.steps,
        "curve": heights(curve(distances), made.steps),
        "side": made.image.side,
    }
    return json.dumps(fields), drawn([value for plane in planes for value in plane], len(planes))


def end_of_projection(found: Reconstructed, model: Model) -> tuple[dict[str, Any], bytes | None]:
    """Return what the page needs to show a projection, or to say why there is none.

    The fields are `document` and `wording` (headline and details of the result); with a projection also `projection`
    (its `entry` and `wording`), `side`, and `square`, its place in the upright image. The bytes are RGBA: the
    reconstruction, and after it where the image differs.
    """
    words = describe(found.document, model)
    fields: dict[str, Any] = {
        "document": found.document,
        "wording": {"headline": words["headline"], "details": words["details"]},
    }
    made = found.closer
    if made is None:
        return fields, None
    square = made.square
    fields |= {
        "projection": {"entry": made.entry, "wording": describe_projection(made.entry, image_input(model, ROLE).side)},
        "side": made.side,
        "square": [square.left, square.top, square.width, square.height],
    }
    planes = made.compared.reconstruction
    shares = [value for plane in planes for value in plane]
    return fields, drawn(shares, len(planes)) + error_overlay(made.compared.errors)
