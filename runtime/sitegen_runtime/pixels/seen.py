"""How much of an image a network looks at: the share of its area, and where that square lies in the image.

Squares are those of the image as its file has it, upright by its own EXIF orientation: a correction that was asked for
is taken back here, so that what is told of an image does not move when the image is turned.
"""

from collections.abc import Mapping

from sitegen_runtime.document_types import SeenDocument, SeenPart
from sitegen_runtime.pixels.corrections import CORRECTIONS
from sitegen_runtime.pixels.geometry import Square, stored_square

GATE = "gate"


def seen_document(
    squares: Mapping[str, Square], role: str, width: int, height: int, correction: str | None = None
) -> SeenDocument:
    """Return what the network of a role sees of an image, and what the gate does where that is something else.

    `squares` are in pixels of the image as it was analysed, by role: upright, and then turned by `correction`. `width`
    and `height` are those of the upright image before the correction.
    """
    turn = CORRECTIONS[correction].orientation if correction else 1
    parts = {each: _part(stored_square(square, width, height, turn), width, height) for each, square in squares.items()}
    own = parts[role]
    seen: SeenDocument = {"share": own["share"], "square": own["square"]}
    if GATE in parts and parts[GATE] != own:
        seen["gate"] = parts[GATE]
    return seen


def _part(square: Square, width: int, height: int) -> SeenPart:
    return {
        "share": square.side**2 / (width * height),
        "square": [square.left, square.top, square.side, square.side],
    }
