"""Where a concept is strongest, as pictures: what the classifier saw, and beside it the concept's map over it.

They are small JPEG files inside a page: a page with them holds people's images.
"""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from sitegen_runtime.bundle.model import NetworkInput
from sitegen_runtime.gate.reconstruction_scores import as_shares
from sitegen_runtime.maps.heat_map import picture, picture_size
from sitegen_runtime.pixels.grids import Shape

SMALLEST, LARGEST = 128, 256  # pixels along a picture's side
GAP = 4  # pixels between the two
QUALITY = 85  # of the JPEG
LINE = 2  # pixels, of the frame around the strongest cell: black outside, white inside


@dataclass(frozen=True)
class Strongest:
    """An image on which a concept is strong: flat values as the classifier takes it, and the concept's map [H, W]."""

    values: Sequence[float]
    codes: NDArray[np.float32]


@dataclass(frozen=True)
class Picture:
    """A data URI of a JPEG with its width and height, in pixels."""

    source: str
    width: int
    height: int


def picture_of(shown: Strongest, entry: NetworkInput) -> Picture:
    """Return an image, and beside it the same with a concept's map in colour and a frame around its strongest cell.

    Colours go from the least value of the map, which is clear, to its greatest.
    """
    seen = _seen(shown.values, entry)
    pair = Image.new("RGB", (2 * seen.width + GAP, seen.height), "white")
    pair.paste(seen, (0, 0))
    pair.paste(_marked(seen, shown.codes, entry.grid), (seen.width + GAP, 0))
    out = BytesIO()
    pair.save(out, "JPEG", quality=QUALITY, subsampling=0)
    return Picture("data:image/jpeg;base64," + b64encode(out.getvalue()).decode("ascii"), *pair.size)


def _seen(values: Sequence[float], entry: NetworkInput) -> Image.Image:
    """The input as 8 bits of red, green and blue; small ones are enlarged by whole cells, large ones reduced."""
    planes = np.clip(as_shares(values, entry), 0, 1).reshape(-1, *entry.grid)
    levels = np.rint(255 * planes).astype(np.uint8)
    channels = levels if len(levels) == 3 else np.repeat(levels[:1], 3, axis=0)
    seen = Image.fromarray(np.ascontiguousarray(channels.transpose(1, 2, 0)))
    longest = max(seen.size)
    if longest > LARGEST:
        reduced = [max(1, round(length * LARGEST / longest)) for length in seen.size]
        return seen.resize((reduced[0], reduced[1]), Image.Resampling.BOX)
    times = -(-SMALLEST // longest)
    return seen.resize((seen.width * times, seen.height * times), Image.Resampling.NEAREST)


def _marked(seen: Image.Image, codes: NDArray[np.float32], grid: Shape) -> Image.Image:
    risen, (rows, columns) = codes - codes.min(), codes.shape
    high, wide = picture_size((rows, columns), grid)
    overlay = Image.frombytes("RGBA", (wide, high), picture(risen.ravel().tolist(), (rows, columns), (high, wide)))
    marked = seen.convert("RGBA")
    marked.alpha_composite(overlay.resize(seen.size, Image.Resampling.BILINEAR))
    drawn = marked.convert("RGB")
    row, column = np.unravel_index(int(codes.argmax()), codes.shape)
    across, down = seen.width / columns, seen.height / rows
    left, top = int(column * across), int(row * down)
    right, bottom = int((column + 1) * across) - 1, int((row + 1) * down) - 1
    pen = ImageDraw.Draw(drawn)
    pen.rectangle((left, top, right, bottom), outline="black", width=LINE)
    pen.rectangle(
        (left + LINE, top + LINE, max(right - LINE, left + LINE), max(bottom - LINE, top + LINE)), outline="white"
    )
    return drawn
