"""The runtime's requests for pixels, answered with Pillow and imagecodecs."""

from collections.abc import Generator
from dataclasses import replace
from fractions import Fraction
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from sitegen.prediction.cell_sums import sum_cells
from sitegen.prediction.frames import decode_frame, shade_cells
from sitegen.prediction.images import OpenedImage
from sitegen_runtime.errors import EngineFailed
from sitegen_runtime.formats import InspectedImage
from sitegen_runtime.requests import DecodeFrame, OpenImage, ReadPixels, ReadRows, Request, ShadeCells, SumCells

T = TypeVar("T")


class PixelSource:
    """One image at a time, as requests ask for it."""

    def __init__(self) -> None:
        self._opened: OpenedImage | None = None

    def answer(self, request: Request) -> Any:
        """Return the answer to a request for pixels; None to any other.

        Raises `sitegen_runtime.errors.ImageError` where the image cannot be decoded.
        """
        match request:
            case OpenImage(media_type, payload):
                self._opened = OpenedImage(media_type, payload)
                return self._opened.size
            case ReadRows(left, top, width, height):
                return self._image.rows(left, top, width, height)
            case ReadPixels(rows, columns):
                return self._image.pixels(rows, columns)
            case SumCells():
                return sum_cells(self._image, request)
            case DecodeFrame():
                return decode_frame(request)
            case ShadeCells():
                return shade_cells(request)
        return None

    @property
    def _image(self) -> OpenedImage:
        if self._opened is None:
            raise EngineFailed("Pixels of an image were asked for before it was open.")
        return self._opened


def decoded(requests: Generator[Request, Any, T]) -> T:
    """Answer a generator that asks for nothing but pixels; return what it does, and raise what decoders raise."""
    source, answer = PixelSource(), None
    while True:
        try:
            request = requests.send(answer)
        except StopIteration as end:
            result: T = end.value
            return result
        answer = source.answer(request)


def shown_frame(image: InspectedImage) -> NDArray[np.uint8]:
    """Return a DICOM file's frame as it is shown: 8-bit luma, [height, width].

    Raises `sitegen_runtime.errors.ImageError` where it cannot be decoded.
    """
    from sitegen_runtime.pixels.grey_cells import luma_of  # here: few open DICOM files

    return np.frombuffer(decoded(luma_of(image)), np.uint8).reshape(image.height, image.width)


def deep_frame(image: InspectedImage) -> NDArray[np.uint16]:
    """Return a DICOM file's frame by the same rule in 16 bits, 0 to 65,535: [height, width].

    Raises `sitegen_runtime.errors.ImageError` where it cannot be decoded.
    """
    from sitegen_runtime.formats.dicom.display import Shades
    from sitegen_runtime.pixels.grey_cells import decoded_cells

    assert image.cells is not None and isinstance(image.cells.shades, Shades)  # noqa: S101 (it is a DICOM file)
    shades, cells = image.cells.shades, np.array(decoded(decoded_cells(image, image.cells)))
    present = (int(cell) for cell in np.unique(cells)) if shades.needs_cells else ()
    greys = np.array(shades.greys(present, 0xFFFF), np.uint16)
    stored = shades.stored
    deep: NDArray[np.uint16] = greys[cells >> stored.shift & (1 << stored.bits) - 1]
    return deep.reshape(image.height, image.width)


def with_window(image: InspectedImage, window: tuple[Fraction, Fraction] | None) -> InspectedImage:
    """Return a DICOM file's image with a window, its centre and width, in the place of its own; or with none.

    Values, after the file's own rescale, are black up to centre - width / 2, white from centre + width / 2 on, and rise
    in a line between (LINEAR_EXACT). The width is above 0.
    """
    from sitegen_runtime.formats.dicom.display import LINEAR_EXACT, Shades, Window

    assert image.cells is not None and isinstance(image.cells.shades, Shades)  # noqa: S101 (it is a DICOM file)
    shades = replace(image.cells.shades, voi=Window(*window, LINEAR_EXACT) if window else None)
    return replace(image, cells=replace(image.cells, shades=shades))
