"""Runs an inspected image through the preprocessor, whoever decodes it."""

from __future__ import annotations  # array[float] is a name for type checkers until Python 3.12

from array import array
from collections.abc import Generator, Iterator, Mapping
from typing import Any, TypeAlias

from sitegen_runtime.bundle.model import NetworkInput
from sitegen_runtime.errors import DamagedImage
from sitegen_runtime.formats import InspectedImage, PngPixels, decode_png
from sitegen_runtime.pixels.colour_sample import ColourSample
from sitegen_runtime.pixels.preprocess import PixelFormat, Preprocessor
from sitegen_runtime.pixels.views import View
from sitegen_runtime.requests import OpenImage, Progress, ReadPixels, Request, SumCells

_DECODED = 0.5  # of the work on pixels

Pixels: TypeAlias = "tuple[dict[str, array[float]], dict[str, View]]"


def collect(
    image: InspectedImage, inputs: Mapping[str, NetworkInput], colour: ColourSample | None = None
) -> Generator[Request, Any, Pixels]:
    """Yield requests for pixels; return tensors, and what they show of the upright image, by role.

    Pixels that may have a colour are shown to `colour`.
    """
    if image.decoder == "python":
        return (yield from _decoded_here(image, inputs, colour))
    if image.decoder == "cells":
        return (yield from _from_cells(image, inputs))
    return (yield from _decoded_by_platform(image, inputs, colour))


def _decoded_by_platform(
    image: InspectedImage, inputs: Mapping[str, NetworkInput], colour: ColourSample | None
) -> Generator[Request, Any, Pixels]:
    pixels = PixelFormat(channels=4, sample_bits=image.bits, grey=image.grey)
    preprocessor = Preprocessor(image.width, image.height, image.orientation, pixels, inputs, colour)
    size = yield OpenImage(image.media_type, image.payload)
    if tuple(size) != (image.width, image.height):
        raise DamagedImage(
            f"The file announces {image.width} x {image.height} pixels but holds {size[0]} x {size[1]}. "
            "Copy it again from its source."
        )
    yield Progress("pixels", _DECODED)
    if colour and not image.grey:
        left, top, _, _ = preprocessor.window
        rows, columns = colour.places
        colour.take_pixels((yield ReadPixels(_moved(rows, top), _moved(columns, left))))
    preprocessor.enter((yield SumCells(preprocessor.grids())))
    return preprocessor.tensors(), preprocessor.views


def _moved(places: range, by: int) -> range:
    return range(places.start + by, places.stop + by, places.step)


def _decoded_here(
    image: InspectedImage, inputs: Mapping[str, NetworkInput], colour: ColourSample | None
) -> Generator[Request, Any, Pixels]:
    decoder = decode_png(image)
    pixels = PixelFormat(decoder.channels, decoder.sample_bits)
    preprocessor = Preprocessor(image.width, image.height, image.orientation, pixels, inputs, colour)
    for first_row, rows in _inside(decoder, pixels, preprocessor.window, image.width):
        yield Progress("pixels", first_row / image.height)
        preprocessor.add_rows(rows)
    return preprocessor.tensors(), preprocessor.views


def _from_cells(image: InspectedImage, inputs: Mapping[str, NetworkInput]) -> Generator[Request, Any, Pixels]:
    # Here, so that whoever opens no DICOM imports nothing of it.
    from sitegen_runtime.pixels.grey_cells import luma_rows

    preprocessor = Preprocessor(image.width, image.height, image.orientation, PixelFormat(channels=1), inputs)
    yield from luma_rows(image, preprocessor.window, preprocessor.add_rows)
    return preprocessor.tensors(), preprocessor.views


def _inside(
    decoder: PngPixels, pixels: PixelFormat, window: tuple[int, int, int, int], image_width: int
) -> Iterator[tuple[int, bytes]]:
    """Cut the window out of full-width pieces of rows."""
    left, top, width, height = window
    stride, size = image_width * pixels.pixel_bytes, pixels.pixel_bytes
    for piece in decoder.pieces():
        first = max(piece.first_row, top)
        last = min(piece.first_row + piece.row_count, top + height)
        starts = range((first - piece.first_row) * stride + left * size, (last - piece.first_row) * stride, stride)
        if width == image_width:
            yield piece.first_row, piece.samples[starts.start : starts.start + len(starts) * stride]
        else:
            yield piece.first_row, b"".join(piece.samples[start : start + width * size] for start in starts)
