"""Files made of very much of very little: none takes time or memory out of proportion.

Where a check took the square of a length, these tests would not end.
"""

import re

import pytest

from sitegen_runtime.errors import DamagedImage, ImageError, TooLarge, UnsupportedType
from sitegen_runtime.formats import inspect_image
from tests.helpers.runtime.images import chunk, encode_png, picture, random_samples, saved

MANY = 1_500_000
GREY = saved(picture(67, 45, "L"), "JPEG", quality=90)
PNG = encode_png(random_samples(1, 9, 7, 0, 8), 0, 8)
WEBP = saved(picture(), "WEBP", exif=b"Exif\0\0II*\0\x08\0\0\0\0\0")


def before(marker: int, flood: bytes) -> bytes:
    """The grey JPEG with more before the first such marker."""
    at = GREY.index(bytes((0xFF, marker)))
    return GREY[:at] + flood + GREY[at:]


@pytest.mark.parametrize("tail", [b"", b"\0", b"\0\xff\xd9"], ids=["nothing", "zero", "end"])
def test_a_run_of_fill_bytes_that_leads_nowhere(tail: bytes) -> None:
    with pytest.raises(DamagedImage):
        inspect_image(GREY[:-2] + b"\xff" * MANY + tail)


@pytest.mark.parametrize("marker", [0xDB, 0xC0, 0xC4, 0xDA, 0xD9])
def test_fill_bytes_before_a_marker_are_passed_over(marker: int) -> None:
    assert inspect_image(before(marker, b"\xff" * MANY)).payload == inspect_image(GREY).payload


def test_runs_of_fill_bytes_between_restart_markers() -> None:
    data = saved(picture(67, 45, "L"), "JPEG", restart_marker_blocks=1)
    spread = re.sub(rb"\xff[\xd0-\xd7]", lambda found: b"\xff" * 20_000 + found.group(), data)
    assert inspect_image(spread).height == 45


@pytest.mark.parametrize(
    "piece", [b"\xff\xfe\0\2", b"\xff\xdd\0\4\0\0", b"\xff\xc4\0\2", b"\xff\xe1\0\3x"], ids=bytes.hex
)
def test_a_flood_of_segments(piece: bytes) -> None:
    with pytest.raises(TooLarge, match="parts"):
        inspect_image(before(0xDA, piece * (MANY // len(piece))))


def test_a_flood_of_huffman_tables() -> None:
    table = b"\0\1" + bytes(15) + b"\0"
    segment = b"\xff\xc4" + (2 + 3_600 * len(table)).to_bytes(2, "big") + 3_600 * table
    with pytest.raises(UnsupportedType, match="Huffman"):
        inspect_image(before(0xDA, segment * 20))


def test_a_flood_of_restart_markers() -> None:
    with pytest.raises(ImageError):
        inspect_image(before(0xD9, b"".join(bytes((0xFF, 0xD0 + number % 8)) for number in range(MANY // 2))))


@pytest.mark.parametrize("name", [b"teXt", b"IDAT", b"fdAT"])
def test_a_flood_of_png_chunks(name: bytes) -> None:
    with pytest.raises(TooLarge, match="parts"):
        inspect_image(PNG[:33] + chunk(name, b"") * (MANY // 12) + PNG[33:])


def test_a_flood_of_webp_chunks() -> None:
    body = WEBP[12:] + b"ABCD\0\0\0\0" * (MANY // 8)
    with pytest.raises(TooLarge, match="parts"):
        inspect_image(b"RIFF" + (len(body) + 4).to_bytes(4, "little") + b"WEBP" + body)


def test_as_many_chunks_as_encoders_write() -> None:
    samples = random_samples(1, 300, 300, 0, 16)
    assert inspect_image(encode_png(samples, 0, 16, idat_size=16)).height == 300  # some 8,000 chunks
