"""The page's maps: what is kept of an image between its analysis and its explanations, and maps as bytes for drawing.

A map's values go to the page with its first picture and come back for each other look, so that no network runs again
and nothing here has to be remembered. What is kept of images is only there to make their maps quicker: a worker that
was started anew does without.
"""

from __future__ import annotations  # array[float] is a name for type checkers until Python 3.12

import sys
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain
from math import ceil
from typing import Any

from sitegen_runtime.analysis import Seen
from sitegen_runtime.bundle.model import Model
from sitegen_runtime.document_types import ResultDocument
from sitegen_runtime.explanation import Explained, Explanation
from sitegen_runtime.gate.reconstruction_scores import as_shares
from sitegen_runtime.maps.heat_map import Look, drawn, legend, picture, picture_size
from sitegen_runtime.pixels.corrections import CORRECTIONS
from sitegen_runtime.pixels.geometry import Place, upright_size
from sitegen_runtime.pixels.grids import Shape
from sitegen_runtime.pixels.tensor import little_endian
from sitegen_runtime.running import image_input
from sitegen_runtime.wording.explanations import MIDDLE, PICTURE, SQUARE, describe_failure, describe_map, of_network
from sitegen_runtime.wording.localisation import worth_of_map

KEPT_IMAGES = 16  # the classifier's input of each, a few hundred kilobytes
NEARLY_ALL = 0.9  # of the longer side: a map of so much covers the picture, in words
_PERCENT = ("opacity", "threshold")


class KeptImages:
    """What analyses have seen, by a name that the page gives each of them; the oldest go first."""

    def __init__(self, limit: int = KEPT_IMAGES) -> None:
        self._limit = limit
        self._seen: dict[str, Seen] = {}

    def put(self, name: str | None, seen: Seen | None) -> None:
        """Keep what was seen, without the file itself; nothing where either is None."""
        if name is None or seen is None:
            return
        image = seen.draft.image
        stripped = replace(image, payload=b"") if image else None
        self._seen.pop(name, None)
        self._seen[name] = replace(seen, draft=replace(seen.draft, image=stripped))
        while len(self._seen) > self._limit:
            del self._seen[next(iter(self._seen))]

    def get(self, name: str | None) -> Seen | None:
        """Return what was seen under a name, or None."""
        return self._seen.get(name) if name is not None else None


def read_look(percents: Mapping[str, Any] | None) -> Look:
    """Return the look that the page's controls stand for: `opacity` and `threshold` in percent, `colour_map`.

    Raises BadExplanation where a part is out of range.
    """
    fields = dict(percents or {})
    return Look.read(fields | {name: fields[name] / 100 for name in _PERCENT if name in fields})


def end_of_map(explained: Explained, model: Model, look: Look) -> tuple[dict[str, Any], bytes | None]:
    """Return what the page needs to show the one map that was asked for, or to say why there is none.

    The fields are `document` and `wording`, and with a map also `map` (its `shape`), `picture` (its `width` and
    `height`) and `square` (the place in the upright image: left, top, width, height; beyond it where it was padded).
    The bytes are the map's values (float32), the picture's pixels and the legend's (RGBA).
    """
    document = explained.document
    if not explained.maps:
        entries = document.get("explanations")
        return {"document": document, "wording": describe_failure(document, entries[0] if entries else None)}, None
    (found,) = explained.maps
    place = explained.squares["classifier"]
    fields = {
        "document": document,
        "wording": words_of_map(explained, found),
        "map": {"shape": found.shape},
        "square": [place.left, place.top, place.width, place.height],
    }
    drawn, pixels = draw(found.values, found.shape, model, look)
    return fields | drawn, little_endian(found.values) + pixels


def words_of_map(explained: Explained, found: Explanation) -> dict[str, Any]:
    """Return what `describe_map` says of one of the maps of an image."""
    document = explained.document
    place, size = explained.squares["classifier"], _analysed_size(document)
    whole = place.width >= NEARLY_ALL * size[0] and place.height >= NEARLY_ALL * size[1]
    values, shape = _inside(found, place, size)
    model = explained.seen.draft.model if explained.seen else None
    return describe_map(
        document,
        found.finding,
        found.method,
        values,
        shape,
        covered=PICTURE if whole else SQUARE if place.width == place.height else MIDDLE,
        worth=worth_of_map(model, found.finding, found.method) if model else None,
        estimated=found.estimated,
        network=of_network(model, found.method) if model else None,
    )


def _analysed_size(document: ResultDocument) -> tuple[int, int]:
    """The size of the image as it was analysed: upright, and turned as was asked for."""
    size = document["image"]["width"] or 0, document["image"]["height"] or 0
    correction = document.get("correction")
    return upright_size(*size, CORRECTIONS[correction].orientation) if correction else size


def _inside(found: Explanation, place: Place, size: tuple[int, int]) -> tuple[Sequence[float], Shape]:
    """The cells of a map that lie on the image, and not beside it."""
    rows, columns = found.shape
    left, right = _ends(columns, place.left, place.width, size[0])
    top, bottom = _ends(rows, place.top, place.height, size[1])
    if (left, right, top, bottom) == (0, columns, 0, rows):
        return found.values, found.shape
    lines = [found.values[row * columns + left : row * columns + right] for row in range(top, bottom)]
    return list(chain.from_iterable(lines)), (bottom - top, right - left)


def _ends(cells: int, start: float, length: float, picture: int) -> tuple[int, int]:
    """The first of the cells along a side that lie on a picture, and the one after the last."""
    first = int(max(0.0, -start) / length * cells)
    last = ceil(min(1.0, (picture - start) / length) * cells)
    return first, max(last, first + 1)


def draw(values: Sequence[float], shape: Shape, model: Model, look: Look) -> tuple[dict[str, Any], bytes]:
    """Return the size of a map's picture, and the pixels of the picture and of its legend (RGBA)."""
    rows, columns = picture_size(shape, image_input(model, "classifier").grid)
    size = {"picture": {"width": columns, "height": rows}}
    return size, picture(values, shape, (rows, columns), look) + legend(look)


def draw_again(content: bytes, shape: Sequence[int], model: Model, look: Look) -> tuple[dict[str, Any], bytes]:
    """Return what `draw` does of a map's values as little-endian float32 bytes."""
    values = array("f", content)
    if sys.byteorder == "big":
        values.byteswap()
    rows, columns = shape
    return draw(values, (rows, columns), model, look)


def noisy_picture(values: Sequence[float], model: Model) -> bytes:
    """Return the RGBA bytes of an image as the classifier takes it, in 8 bits."""
    shares = as_shares(values, image_input(model, "classifier"))
    return drawn(list(chain.from_iterable(shares)), len(shares))
