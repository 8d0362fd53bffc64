"""Headers as programs write them: with what the standard asks for left out, doubled, or written in another way."""

import struct

import numpy as np
import pytest

from sitegen.prediction.pixels import shown_frame
from sitegen_runtime.errors import DamagedImage, ImageError, UnsupportedType
from sitegen_runtime.formats import inspect_image
from tests.helpers.runtime.dicom_bytes import EXPLICIT, cells_of, element, header, item, meta, number, pixels

CELLS = np.random.default_rng(0).integers(100, 4000, (24, 20), dtype=np.uint16)
SHADES = shown_frame(inspect_image(meta() + header(24, 20) + pixels(CELLS)))
GREY = element(0x00280004, b"CS", b"MONOCHROME2 ")
SIZE = number(0x00280010, 24) + number(0x00280011, 20)
DEPTH = number(0x00280100, 16)
EXACT = element(0x00281050, b"DS", b"2000") + element(0x00281051, b"DS", b"3000")


def unknown(tag: int, value: bytes) -> bytes:
    return element(tag, b"UN", value)


@pytest.mark.parametrize(
    "described",
    [
        GREY + SIZE + DEPTH,  # no BitsStored, HighBit, PixelRepresentation, SamplesPerPixel
        number(0x00280002, 1) + GREY + SIZE + DEPTH + number(0x00280101, 16),
        GREY.replace(b"MONOCHROME2 ", b"MONOCHROME2\0") + SIZE + DEPTH,
        GREY.replace(b"MONOCHROME2 ", b"monochrome2 ") + SIZE + DEPTH,
        element(0x00280004, b"CS", b" MONOCHROME2") + SIZE + DEPTH,
        element(0x00280004, b"LO", b"MONOCHROME2 ") + SIZE + DEPTH,
        GREY + SIZE + number(0x00280010, 99) + DEPTH,  # the first of two counts
        element(0x00280000, b"UL", struct.pack("<I", 999)) + GREY + SIZE + DEPTH,
        element(0x00280002, b"US", b"") + GREY + SIZE + DEPTH,
        GREY + unknown(0x00280010, b"\x18\0") + unknown(0x00280011, b"\x14\0") + unknown(0x00280100, b"\x10\0"),
        GREY + element(0x00280010, b"UL", b"\x18\0\0\0") + number(0x00280011, 20) + DEPTH,
        GREY + element(0x00280008, b"IS", b"0 ") + SIZE + DEPTH,
        GREY + element(0x00280008, b"IS", b"\0\0") + SIZE + DEPTH,
        GREY + SIZE + element(0x00280034, b"IS", b"1\\0 ") + DEPTH,
        GREY + SIZE + DEPTH + element(0x00281050, b"DS", b"") + element(0x00281051, b"DS", b""),
        GREY + SIZE + DEPTH + element(0x00281050, b"DS", b"\\ ") + element(0x00281051, b"DS", b"\\ "),
        GREY + SIZE + DEPTH + element(0x00281052, b"DS", b"0.00") + element(0x00281053, b"DS", b"+1.0E0"),
        GREY + SIZE + DEPTH + element(0x00281053, b"DS", b""),
        GREY + SIZE + DEPTH + element(0x00283010, b"SQ", b""),
        GREY + SIZE + DEPTH + element(0x00283010, b"SQ", item(b"")),
        GREY + SIZE + DEPTH + element(0x00283000, b"SQ", item(element(0x00283006, b"OW", b"abcd"))),
        GREY + SIZE + DEPTH + element(0x00280120, b"US", b""),
        element(0x00090010, b"LO", b"ACME") + element(0x00091001, b"OB", b"\xff" * 500) + GREY + SIZE + DEPTH,
    ],
)
def test_it_is_read_all_the_same(described: bytes) -> None:
    raw = meta() + described + pixels(CELLS)
    assert np.array_equal(cells_of(raw), CELLS)
    assert np.array_equal(shown_frame(inspect_image(raw)), SHADES)


@pytest.mark.parametrize("start", [b"II*\0", b"MM\0*", b"%PDF-1.7", b"\0" * 4, b"Doe^Jane", b"GIF89a", b"PK\x03\x04"])
def test_a_preamble_may_hold_anything(start: bytes) -> None:
    raw = meta() + header(24, 20) + pixels(CELLS)
    assert np.array_equal(cells_of(start + raw[len(start) :]), CELLS)


def test_meta_information_whose_length_lies() -> None:
    lying = bytes(128) + b"DICM" + element(0x00020000, b"UL", struct.pack("<I", 7)) + meta()[132:]
    assert np.array_equal(cells_of(lying + header(24, 20) + pixels(CELLS)), CELLS)


def test_meta_information_without_representations() -> None:
    uid = EXPLICIT.encode() + b"\0"
    implicit = struct.pack("<HHI", 2, 0x10, len(uid)) + uid
    assert np.array_equal(cells_of(bytes(128) + b"DICM" + implicit + header(24, 20) + pixels(CELLS)), CELLS)


@pytest.mark.parametrize("function", [b"linear_exact", b"LINEAR_EXACT\0\0", b" LINEAR_EXACT "])
def test_a_function_may_be_padded_or_in_small_letters(function: bytes) -> None:
    extra = [EXACT, element(0x00281056, b"CS", function)]
    expected = [EXACT, element(0x00281056, b"CS", b"LINEAR_EXACT")]
    shown, right = (
        shown_frame(inspect_image(meta() + header(24, 20, extra=each) + pixels(CELLS))) for each in (extra, expected)
    )
    assert np.array_equal(shown, right)
    assert not np.array_equal(shown, SHADES)


@pytest.mark.parametrize(
    ("described", "error"),
    [
        (SIZE + DEPTH, UnsupportedType),  # who does not say that it is grey may mean colours
        (GREY + SIZE, UnsupportedType),
        (GREY + DEPTH, DamagedImage),
        (GREY + element(0x00280010, b"US", b"\x18") + number(0x00280011, 20) + DEPTH, DamagedImage),
        (GREY + SIZE + number(0x00280100, 12), UnsupportedType),
        (GREY + SIZE + number(0x00280100, 64), UnsupportedType),
        (GREY + element(0x00280010, b"IS", b"24") + number(0x00280011, 20) + DEPTH, ImageError),
        (GREY + SIZE + DEPTH + number(0x00280101, 17), DamagedImage),
        (GREY + SIZE + DEPTH + number(0x00280102, 16), DamagedImage),
    ],
)
def test_what_nobody_can_know_is_refused(described: bytes, error: type[ImageError]) -> None:
    with pytest.raises(error):
        inspect_image(meta() + described + pixels(CELLS))
