"""The icons of an installed page, drawn at build time: a picture, and the part of it that somebody looks at.

They are not the marks of the model or the hospital.
"""

import io

from PIL import Image, ImageDraw

SIZES = (192, 512)  # what browsers ask for before they offer to install a page
GROUND, PAPER, MARK = "#0b5cad", "#ffffff", "#f08263"
_UNIT = 64  # the drawing is 64 x 64 units; systems cut icons into circles, so it keeps to the middle 40
_SMOOTHING = 4


def icon(size: int) -> bytes:
    """Return the PNG of a square icon with `size` pixels a side. Equal sizes give equal bytes."""
    scale = size * _SMOOTHING / _UNIT
    image = Image.new("RGB", (size * _SMOOTHING, size * _SMOOTHING), GROUND)
    draw = ImageDraw.Draw(image)

    def box(left: float, top: float, right: float, bottom: float) -> tuple[float, float, float, float]:
        return left * scale, top * scale, right * scale - 1, bottom * scale - 1

    draw.rounded_rectangle(box(14, 14, 50, 50), 5 * scale, fill=PAPER)
    for left, right in ((19, 30), (34, 45)):  # two lungs
        draw.rounded_rectangle(box(left, 20, right, 44), 5 * scale, fill=GROUND)
    draw.ellipse(box(32, 32, 47, 47), outline=MARK, width=round(3 * scale))
    buffer = io.BytesIO()
    image.resize((size, size), Image.Resampling.BOX).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
