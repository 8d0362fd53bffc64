"""Images to compare on where none are named: the bundle's golden example, in every way that a file can carry it.

None comes from a patient. Both ways of decoding are there (browser and Python), each orientation, and files that must
fail.
"""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sitegen.bundle import Bundle
from sitegen.data.drawn_dicom import as_dicom, compressed_variants
from sitegen.prediction.pixels import shown_frame
from sitegen_runtime.formats import CELLS, inspect_image

_ORIENTATION_TAG = 0x0112


def images_in(folder: Path) -> list[Path]:
    """Return the files below a folder, sorted; manifests and texts are left out."""
    skipped = {".csv", ".md", ".txt", ".json"}
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix.lower() not in skipped)


def write_synthetic_set(bundle: Bundle, folder: Path) -> list[Path]:
    """Write the set into a folder; return its files."""
    golden = bundle.description.golden
    grey = _grey(bundle.path(golden.image).read_bytes()) if golden else _gradient()
    variants = _variants(grey)
    paths = []
    for name, content in variants.items():
        path = folder / name
        path.write_bytes(content)
        paths.append(path)
    return paths


def _grey(data: bytes) -> Image.Image:
    """An image file's picture as 8-bit grey, DICOM's as it is shown."""
    image = inspect_image(data)
    if image.decoder == CELLS:
        return Image.fromarray(shown_frame(image))
    return Image.open(io.BytesIO(data)).convert("L")


def _gradient() -> Image.Image:
    return Image.linear_gradient("L").resize((400, 320))


def _variants(grey: Image.Image) -> dict[str, bytes]:
    small = grey.resize((333, 277), Image.Resampling.BILINEAR)
    colour = Image.merge("RGB", (small, small.point(lambda value: 255 - value), small.rotate(90)))
    deep = Image.new("I;16", small.size)
    deep.putdata([value * 257 - 100 if value else 0 for value in small.tobytes()])
    alpha = small.copy()
    alpha.putalpha(small.rotate(180))
    transparent = colour.copy()
    transparent.putalpha(small.rotate(270))
    png, jpeg = _saver("PNG"), _saver("JPEG", quality=90)
    variants = {
        "grey.png": png(grey),
        "grey-small.png": png(small),
        "colour.png": png(colour),
        "palette.png": png(colour.quantize(64)),
        "alpha.png": png(alpha),
        "16-bit.png": png(deep),
        "two-level.png": png(small.convert("1")),
        "grey.jpg": jpeg(grey),
        "colour.jpg": jpeg(colour),
        "progressive.jpg": _saver("JPEG", progressive=True, quality=80)(colour),
        "lossy.webp": _saver("WEBP", quality=80)(colour),
        "lossless.webp": _saver("WEBP", lossless=True)(colour),
        "alpha.webp": _saver("WEBP", quality=80)(transparent),
        "alpha-lossless.webp": _saver("WEBP", lossless=True, exact=True)(transparent),
        "inverted.png": png(small.point(lambda value: 255 - value)),
        "tiny.png": png(small.resize((20, 30))),
        "cut-short.png": png(small)[:-2000],
        "cut-short.jpg": jpeg(small)[:-2000],
        "not-an-image.png": b"This is no image.",
        "empty.png": b"",
    }
    for orientation in range(2, 9):
        exif = Image.Exif()
        exif[_ORIENTATION_TAG] = orientation
        variants[f"orientation-{orientation}.jpg"] = _saver("JPEG", exif=exif.tobytes())(small)
    return variants | _dicom_variants(np.asarray(grey), np.asarray(small))


def _dicom_variants(grey: NDArray[np.uint8], small: NDArray[np.uint8]) -> dict[str, bytes]:
    whole = as_dicom(small)
    return {
        "grey.dcm": as_dicom(grey),
        **compressed_variants(small),
        "without-an-ending": whole,
        "cut-short.dcm": whole[:-2000],
    }


def _saver(kind: str, **options: object) -> Callable[[Image.Image], bytes]:
    def save(image: Image.Image) -> bytes:
        buffer = io.BytesIO()
        image.save(buffer, kind, **options)
        return buffer.getvalue()

    return save
