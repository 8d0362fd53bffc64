"""Rows too many and windows too small: what loses no pixel is taken, and decoders are given files without either."""

import io
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from sitegen_runtime.errors import DamagedImage
from sitegen_runtime.formats import inspect_image
from tests.helpers.runtime.images import KINDS, chunk, encode_png, random_samples

SURPLUS = "The file holds more rows than its size calls for. They were left out."
WINDOW = "The compressed image data looks back further than it says, which some programs cannot read. It is complete."
END = chunk(b"IEND", b"")


def made(colour_type: int, bits: int, interlaced: bool) -> tuple[bytes, bytes]:
    """A file up to its pixels, and its inflated pixels with their filters."""
    palette = chunk(b"PLTE", (bytes(range(256)) * 3)[: 3 << bits]) if colour_type == 3 else b""
    samples = random_samples(4, 23, 17, colour_type, bits)
    file = encode_png(samples, colour_type, bits, interlaced=interlaced, before=palette)
    at = file.index(b"IDAT") - 4
    return file[:at], zlib.decompress(file[at + 8 : -16])


def with_window(raw: bytes, declared: int) -> bytes:
    """A stream that looks back 32 KiB under a header that says 2 to the power `declared` (RFC 1950, 2.2)."""
    stream = zlib.compress(raw, 9)
    first = (declared - 8) << 4 | 8
    return bytes([first, -(first << 8) % 31]) + stream[2:]


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize(("colour_type", "bits"), KINDS)
def test_rows_too_many_are_left_out(colour_type: int, bits: int, interlaced: bool) -> None:
    before, raw = made(colour_type, bits, interlaced)
    good = inspect_image(before + chunk(b"IDAT", zlib.compress(raw)) + END)
    for surplus in (b"\0", b"\7" + bytes(300)[: len(raw) // 2]):  # no filter has the number 7
        image = inspect_image(before + chunk(b"IDAT", zlib.compress(raw + surplus)) + END)
        assert image.notes == (SURPLUS,)
        assert idat(image.payload) == idat(good.payload)
        assert image.payload[:33] == good.payload[:33]


def idat(payload: bytes) -> bytes:
    """The inflated pixels of a file of few chunks."""
    at = payload.index(b"IDAT")
    return zlib.decompress(payload[at + 4 : at + 4 + int.from_bytes(payload[at - 4 : at], "big")])


@pytest.mark.parametrize(("end", "words"), [(b"", "ends before"), (b"!", "damaged")])
def test_surplus_without_its_sum_proves_nothing(end: bytes, words: str) -> None:
    before, raw = made(0, 8, False)
    with pytest.raises(DamagedImage, match=words):
        inspect_image(before + chunk(b"IDAT", zlib.compress(raw + bytes(18))[:-1] + end) + END)


def test_twice_the_data_is_no_surplus() -> None:
    before, raw = made(2, 8, False)
    taken = inspect_image(before + chunk(b"IDAT", zlib.compress(raw + raw[:-1])) + END)
    assert taken.notes == (SURPLUS,)
    with pytest.raises(DamagedImage, match="twice"):
        inspect_image(before + chunk(b"IDAT", zlib.compress(raw + raw)) + END)


@settings(max_examples=20)
@given(declared=st.integers(8, 14), distance=st.integers(1, 32_000), side=st.integers(220, 260))
def test_windows_that_say_too_little(declared: int, distance: int, side: int) -> None:
    """The same noise twice, `distance` bytes apart, so that the second looks back as far."""
    noise = np.random.default_rng(side).integers(0, 256, distance, dtype=np.uint8).tobytes()
    pixels = (noise * (side * side // distance + 1))[: side * side]
    raw = b"".join(b"\0" + pixels[row * side : (row + 1) * side] for row in range(side))
    header = encode_png(np.zeros((side, side, 1), np.uint16), 0, 8)[:33]
    file = header + chunk(b"IDAT", with_window(raw, declared)) + END
    image = inspect_image(file)
    try:
        zlib.decompressobj(wbits=0).decompress(with_window(raw, declared))
        expected: tuple[str, ...] = ()
    except zlib.error:
        expected = (WINDOW,)
    assert image.notes == expected
    at = image.payload.index(b"IDAT") + 4
    assert image.payload[at] == 0x78  # method 8, a window of 32 KiB
    assert int.from_bytes(image.payload[at : at + 2], "big") % 31 == 0
    assert zlib.decompressobj(wbits=0).decompress(image.payload[at:-16]) == raw
    if expected:  # Pillow looks back as far as the data asks, whatever the header says
        assert np.asarray(Image.open(io.BytesIO(file))).tobytes() == pixels


def test_a_small_window_that_suffices_is_no_news() -> None:
    before, raw = made(0, 8, False)
    compressor = zlib.compressobj(9, wbits=9)
    image = inspect_image(before + chunk(b"IDAT", compressor.compress(raw) + compressor.flush()) + END)
    assert image.notes == ()
    assert idat(image.payload) == raw


@pytest.mark.parametrize("first", [0x88, 0xF8, 0x79])
def test_other_headers_are_damage(first: int) -> None:
    """A window beyond 32 KiB, and another method."""
    before, raw = made(0, 8, False)
    stream = bytes([first, -(first << 8) % 31]) + zlib.compress(raw)[2:]
    with pytest.raises(DamagedImage, match="damaged"):
        inspect_image(before + chunk(b"IDAT", stream) + END)
