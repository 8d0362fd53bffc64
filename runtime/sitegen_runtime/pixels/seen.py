"""How much of an image a network looks at: the share of its area, and where that part lies in the image.

Places are those of the image as its file has it, upright by its own EXIF orientation: a correction that was asked for
is taken back here, so that what is told of an image does not move when the image is turned.
"""

from collections.abc import Mapping

from sitegen_runtime.document_types import SeenDocument, SeenPart
from sitegen_runtime.pixels.corrections import CORRECTIONS
from sitegen_runtime.pixels.geometry import Place, stored_place

GATE = "gate"


def seen_document(
    squares: Mapping[str, Place], role: str, width: int, height: int, correction: str | None = None
) -> SeenDocument:
    """Return what the network of a role sees of an image, and what the gate does where that is something else.

    `squares` are the parts that are seen, by role, in pixels of the image as it was analysed: upright, and then turned
    by `correction`. `width` and `height` are those of the upright image before the correction.
    """
    turn = CORRECTIONS[correction].orientation if correction else 1
    parts = {each: _part(stored_place(square, width, height, turn), width, height) for each, square in squares.items()}
    own = parts[role]
    seen: SeenDocument = {"share": own["share"], "square": own["square"]}
    if GATE in parts and parts[GATE] != own:
        seen["gate"] = parts[GATE]
    return seen


def _part(seen: Place, width: int, height: int) -> SeenPart:
    return {
        "share": seen.width * seen.height / (width * height),
        "square": [int(each) for each in (seen.left, seen.top, seen.width, seen.height)],
    }
