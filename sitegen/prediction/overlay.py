"""A map over its image, with a legend below."""

import io
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont, ImageOps

from sitegen.prediction.images import UPRIGHT
from sitegen.prediction.pixels import shown_frame
from sitegen_runtime.analysis import Analysis
from sitegen_runtime.explanation import Explanation
from sitegen_runtime.formats import MAX_SIDE, inspect_image
from sitegen_runtime.formats.sniff import DICOM, sniff
from sitegen_runtime.maps.heat_map import LEVELS, Look, legend, picture, picture_size
from sitegen_runtime.pixels.grids import Shape
from sitegen_runtime.wording.explanations import LEGEND

SMALLEST_WIDTH = 480  # so that the legend can be read below a small image, too
Font = ImageFont.ImageFont | ImageFont.FreeTypeFont


def explained_image(data: bytes, analysis: Analysis, drawn: Explanation, grid: Shape, look: Look) -> Image.Image:
    """Return the whole image (RGB, upright, corrected as it was analysed) with the map over what the classifier saw.

    `data` are the bytes of the file that `analysis` is of, and `grid` the rows and columns of what the classifier sees.
    The map is drawn on as many pixels as `picture_size` says and then scaled to its place in the image, as the page
    does it.
    """
    size = picture_size(drawn.shape, grid)
    rows, columns = size
    upright = _upright(data, analysis)
    square = analysis.squares["classifier"]
    overlay = Image.frombytes("RGBA", (columns, rows), picture(drawn.values, drawn.shape, size, look))
    left, top = max(0, round(square.left)), max(0, round(square.top))
    right, bottom = (
        min(upright.width, round(square.left + square.width)),
        min(upright.height, round(square.top + square.height)),
    )
    across, down = columns / square.width, rows / square.height
    corners = ((left, top), (right, bottom))
    (x, y), (far, low) = [((x - square.left) * across, (y - square.top) * down) for x, y in corners]
    box = (max(x, 0.0), max(y, 0.0), min(far, columns), min(low, rows))
    # Of a padded image, what lies on it; with opacity as weight.
    scaled = overlay.resize((right - left, bottom - top), Image.Resampling.BILINEAR, box=box)
    canvas = upright.convert("RGBA")
    canvas.alpha_composite(scaled, (left, top))
    return canvas.convert("RGB")


def with_legend(image: Image.Image, lines: Sequence[str], look: Look | None) -> Image.Image:
    """Return the image with lines of text, broken where they are too long, and the scale of colours of a look below."""
    width = max(image.width, SMALLEST_WIDTH)
    size = max(13, width // 45)
    row = size * 3 // 2
    font = ImageFont.load_default(size)
    lines = [part for line in lines for part in _broken(line, width - 2 * size, font)]
    canvas = Image.new("RGB", (width, image.height + row * (len(lines) + bool(look)) + size), "white")
    canvas.paste(image, ((width - image.width) // 2, 0))
    pen = ImageDraw.Draw(canvas)
    top = image.height + size // 2
    for place, line in enumerate(lines):
        pen.text((size, top + place * row), line, "black", font)
    if look:
        _draw_scale(canvas, pen, (size, top + len(lines) * row), font, look)
    return canvas


def _broken(line: str, width: int, font: Font) -> list[str]:
    """Break a line at its spaces into parts of at most `width` pixels; a longer word keeps a part for itself."""
    parts = [""]
    for word in line.split(" "):
        longer = f"{parts[-1]} {word}".lstrip()
        if parts[-1] and font.getlength(longer) > width:
            parts.append(word)
        else:
            parts[-1] = longer
    return parts


def _draw_scale(canvas: Image.Image, pen: ImageDraw.ImageDraw, corner: tuple[int, int], font: Font, look: Look) -> None:
    """Draw the words for weak and strong, and between them the colours over the grey of a radiograph."""
    left, top = corner
    pen.text(corner, LEGEND["least"], "black", font)
    start = left + int(pen.textlength(LEGEND["least"], font)) + left
    height = left * 5 // 4
    bar = Image.new("RGBA", (canvas.width // 3, height), (128, 128, 128, 255))
    scale = Image.frombytes("RGBA", (LEVELS, 1), legend(look))
    bar.alpha_composite(scale.resize(bar.size, Image.Resampling.NEAREST))
    canvas.paste(bar.convert("RGB"), (start, top))
    pen.text((start + bar.width + left, top), LEGEND["most"], "black", font)


def _dicom(data: bytes) -> Image.Image:
    return Image.fromarray(shown_frame(inspect_image(data, max_pixels=MAX_SIDE**2)))


def _upright(data: bytes, analysis: Analysis) -> Image.Image:
    image: Image.Image = _dicom(data) if sniff(data) == DICOM else Image.open(io.BytesIO(data))
    if image.mode.startswith("I"):  # 16 bits a sample, which Pillow would cut off instead of scaling
        image = image.convert("I").point(lambda level: level / 257).convert("L")
    upright = image.convert("RGB")
    if analysis.orientation in UPRIGHT:
        upright = upright.transpose(UPRIGHT[analysis.orientation])
    return ImageOps.invert(upright) if analysis.inverted else upright
