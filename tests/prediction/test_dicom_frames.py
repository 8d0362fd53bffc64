"""Compressed frames of DICOM files in CPython: values to the bit, damage refused, and what to install."""

import sys
from collections.abc import Callable
from typing import Any

import imagecodecs
import numpy as np
import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import (
    HTJ2K,
    UID,
    HTJ2KLossless,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from sitegen.bundle import Bundle
from sitegen.prediction import Predictor
from sitegen.prediction.pixels import shown_frame
from sitegen_runtime.errors import DamagedImage, UnsupportedType
from sitegen_runtime.formats import inspect_image
from tests.helpers.dicom_files import LOSSLESS, as_bytes, compressed, in_fragments, lossless_jpeg, radiograph
from tests.helpers.runtime.dicom_bytes import cells_of

RANDOM = np.random.default_rng(0)
DEEP = RANDOM.integers(100, 4000, (40, 36), dtype=np.uint16)
SMOOTH = (np.add.outer(np.arange(64), np.arange(50)) * 30 + RANDOM.integers(0, 9, (64, 50))).astype(np.uint16)
FLAT = (SMOOTH >> 4).astype(np.uint8)
CODECS = (JPEGLossless, JPEGLosslessSV1, JPEGLSLossless, JPEG2000Lossless, HTJ2KLossless)
ALL = pytest.mark.parametrize("syntax", LOSSLESS, ids=lambda uid: UID(uid).name)
COMPRESSED = pytest.mark.parametrize("syntax", CODECS, ids=lambda uid: UID(uid).name)


def holding(frame: bytes, pixels: np.ndarray, syntax: str, **elements: Any) -> bytes:
    dataset = radiograph(pixels, **elements)
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
    dataset.PixelData = encapsulate([frame])
    dataset["PixelData"].VR = "OB"
    return as_bytes(dataset)


@ALL
@pytest.mark.parametrize(
    "pixels", [DEEP, SMOOTH, FLAT, SMOOTH.astype(np.int16) - 2000], ids=["noise", "16", "8", "signed"]
)
def test_what_loses_nothing_gives_the_cells(syntax: str, pixels: np.ndarray) -> None:
    assert np.array_equal(cells_of(as_bytes(radiograph(pixels, syntax))), pixels)


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
@pytest.mark.parametrize("syntax", [JPEGLossless, JPEGLosslessSV1, JPEG2000Lossless])
def test_the_codestreams_precision_counts(syntax: str, bits: int) -> None:
    """Headers often say another: the cells of the frame decide where the sign is, and what a table covers."""
    pixels: np.ndarray = SMOOTH >> (16 - bits) if bits < 12 else SMOOTH
    pixels = pixels.astype(np.uint8) if bits == 8 else pixels
    frame = compressed(pixels, syntax, bits)
    raw = holding(frame, SMOOTH, syntax, BitsStored=12, HighBit=11)
    assert np.array_equal(cells_of(raw), pixels)
    assert inspect_image(raw).bits == bits


@pytest.mark.parametrize("predictor", range(1, 8))
def test_every_predictor_of_lossless_jpeg(predictor: int) -> None:
    raw = holding(lossless_jpeg(SMOOTH, 12, predictor), SMOOTH, JPEGLossless)
    assert np.array_equal(cells_of(raw), SMOOTH)


@pytest.mark.parametrize("syntax", [JPEGLosslessSV1, JPEG2000Lossless, RLELossless])
@pytest.mark.parametrize("count", [2, 5, 11])
def test_a_frame_in_many_fragments(syntax: str, count: int) -> None:
    dataset = radiograph(SMOOTH, syntax)
    dataset.PixelData = in_fragments(compressed(SMOOTH, syntax, 16), count)
    assert np.array_equal(cells_of(as_bytes(dataset)), SMOOTH)


def test_a_file_of_jpeg_2000_around_the_frame() -> None:
    boxed = bytes(imagecodecs.jpeg2k_encode(SMOOTH, codecformat="jp2", reversible=True))
    assert boxed[4:8] == b"jP  "
    assert np.array_equal(cells_of(holding(boxed, SMOOTH, JPEG2000Lossless)), SMOOTH)


def test_the_header_says_the_sign_of_jpeg_2000() -> None:
    signed = SMOOTH.astype(np.int16) - 2000
    raw = holding(compressed(signed.view(np.uint16), JPEG2000Lossless), signed, JPEG2000Lossless)
    assert np.array_equal(cells_of(raw), signed)


@pytest.mark.parametrize("syntax", [JPEGBaseline8Bit, JPEGLSNearLossless, HTJ2K], ids=lambda uid: UID(uid).name)
def test_what_loses_something_is_what_its_decoder_says(syntax: str) -> None:
    decode: Callable[[bytes], np.ndarray]
    if syntax == JPEGBaseline8Bit:
        frame, decode = compressed(FLAT, syntax), imagecodecs.jpeg8_decode
    elif syntax == JPEGLSNearLossless:
        frame, decode = bytes(imagecodecs.jpegls_encode(FLAT, level=2)), imagecodecs.jpegls_decode
    else:
        frame, decode = compressed(FLAT, syntax), imagecodecs.jpeg2k_decode
    found = cells_of(holding(frame, FLAT, syntax))
    assert np.array_equal(found, decode(frame))
    assert 0 < np.abs(found - FLAT.astype(int)).max() < 40


@COMPRESSED
@pytest.mark.parametrize("keep", [0.3, 0.6, 0.9, 0.98])
def test_half_a_frame_is_refused(syntax: str, keep: float) -> None:
    frame = compressed(DEEP, syntax)
    cut = frame[: int(len(frame) * keep)]
    for damaged in (cut, cut + b"\xff\xd9"):
        with pytest.raises(DamagedImage):
            shown_frame(inspect_image(holding(damaged, DEEP, syntax)))


@COMPRESSED
def test_a_frame_without_its_middle_is_refused(syntax: str) -> None:
    frame = compressed(DEEP, syntax)
    half = len(frame) // 2
    with pytest.raises(DamagedImage):
        shown_frame(inspect_image(holding(frame[:half] + frame[half + 200 :], DEEP, syntax)))


def with_point_transform(pixels: np.ndarray, bits: int, shift: int) -> bytes:
    """A frame of lossless JPEG with the upper bits of cells alone; its scan says how many are not there."""
    frame = bytearray(lossless_jpeg(pixels, bits - shift))
    start = frame.index(b"\xff\xc3")
    frame[start + 4] = bits
    scan = frame.index(b"\xff\xda")
    frame[scan + 9] = shift
    return bytes(frame)


@pytest.mark.parametrize("shift", [1, 2, 4])
def test_a_point_transform_of_lossless_jpeg(shift: int) -> None:
    small = SMOOTH >> 2
    found = cells_of(holding(with_point_transform(small, 16, shift), SMOOTH, JPEGLossless))
    assert np.array_equal(found >> shift << shift, found)
    difference = found - (small.astype(int) << shift)
    assert np.array_equal(difference, np.full_like(difference, difference[0, 0]))  # but for the first prediction


@pytest.mark.parametrize("rows", [1, 4, 64])
def test_restarts_of_lossless_jpeg_are_counted(rows: int) -> None:
    """A frame that has fewer restarts than it says lacks data, which libjpeg fills up."""
    frame = lossless_jpeg(SMOOTH, 12)
    scan = frame.index(b"\xff\xda")
    said = frame[:scan] + b"\xff\xdd\0\4" + (50 * rows).to_bytes(2, "big") + frame[scan:]
    raw = holding(said, SMOOTH, JPEGLossless)
    if rows == 64:
        assert np.array_equal(cells_of(raw), SMOOTH)
        return
    with pytest.raises(DamagedImage):
        cells_of(raw)


def test_a_frame_that_is_too_small_for_its_size_is_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = bytearray(lossless_jpeg(SMOOTH, 12))
    start = frame.index(b"\xff\xc3")
    frame[start + 5 : start + 9] = b"\x27\x10\x27\x10"  # 10,000 x 10,000
    monkeypatch.setattr(imagecodecs, "jpeg8_decode", None)
    with pytest.raises(DamagedImage):
        shown_frame(inspect_image(holding(bytes(frame), SMOOTH, JPEGLossless, Rows=10_000, Columns=10_000)))


def test_12_bit_jpeg_is_refused_by_its_name() -> None:
    frame = bytes(imagecodecs.jpeg8_encode(SMOOTH, level=90, bitspersample=12))
    with pytest.raises(UnsupportedType, match=r"JPEG Extended \(Process 2 and 4\).*of 12 bits"):
        inspect_image(holding(frame, SMOOTH, JPEGExtended12Bit))
    easy = compressed(FLAT, JPEGBaseline8Bit)
    assert inspect_image(holding(easy, FLAT, JPEGExtended12Bit)).bits == 8


def test_colour_inside_a_grey_header_is_refused() -> None:
    colour = np.repeat(FLAT[..., None], 3, axis=2)
    in_jpeg_2000 = imagecodecs.jpeg2k_encode(colour, codecformat="j2k")
    for frame in (in_jpeg_2000, imagecodecs.jpegls_encode(colour), imagecodecs.jpeg8_encode(colour)):
        with pytest.raises(DamagedImage, match="3 components"):
            inspect_image(holding(bytes(frame), FLAT, JPEG2000Lossless))


@COMPRESSED
def test_without_imagecodecs_the_next_step_is_named(
    syntax: str, bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    easy = compressed(FLAT, JPEGBaseline8Bit)
    files = {
        "compressed": as_bytes(radiograph(DEEP, syntax)),
        "plain": as_bytes(radiograph(DEEP)),
        "rle": as_bytes(radiograph(DEEP, RLELossless)),
        "jpeg": holding(easy, FLAT, JPEGBaseline8Bit),
    }
    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    predictor = Predictor(bundle)
    found = {name: predictor.predict(raw, force=True) for name, raw in files.items()}
    error = found.pop("compressed")["error"]
    assert error["code"] == "unsupported-type"
    assert error["message"].endswith(
        "imagecodecs, which decodes that, is not installed. Install it: pip install 'offline-sitegen[dicom]'"
    )
    for name, document in found.items():
        assert "error" not in document, name
        assert document["findings"]


@ALL
def test_a_prediction_does_not_depend_on_the_syntax(bundle: Bundle, syntax: str) -> None:
    predictor = Predictor(bundle)
    expected = predictor.predict(as_bytes(radiograph(SMOOTH)), force=True)
    found = predictor.predict(as_bytes(radiograph(SMOOTH, syntax)), force=True)
    assert "error" not in found
    assert found["image"]["type"] == "application/dicom"
    assert (found["tensors"], found["findings"]) == (expected["tensors"], expected["findings"])
