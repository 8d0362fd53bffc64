"""JPEG files that break the letter of the standard as encoders do: taken where libjpeg decodes all their pixels.

Pillow, which decodes with libjpeg-turbo, judges.
"""

import io
import random

import numpy as np
import pytest
from PIL import Image

from sitegen_runtime.errors import DamagedImage, ImageError
from sitegen_runtime.formats import inspect_image
from sitegen_runtime.formats.jpeg_tables import STANDARD_CODES, huffman_segment
from tests.helpers.runtime.images import decoded, picture, saved

SURPLUS = "The file holds bytes or restart markers that belong to no part of the image. They were left out."
STANDARD = "The file lacks tables that its image data needs. The JPEG standard's own were taken, as other programs do."
FILES = {
    "grey": saved(picture(67, 45, "L"), "JPEG", quality=90),
    "colour": saved(picture(67, 45), "JPEG", quality=70),
    "sharp": saved(picture(67, 45), "JPEG", quality=100, subsampling=0),
    "optimised": saved(picture(67, 45), "JPEG", quality=90, optimize=True),
    "restarts": saved(picture(67, 45), "JPEG", quality=90, restart_marker_blocks=3),
    "progressive": saved(picture(67, 45), "JPEG", quality=90, progressive=True),
}
JUNK = {
    "counted": bytes(range(1, 0x67)),
    "text": b"trailing text of a camera, longer than any block; " * 3,
    "two": b"\x12\x34",
    "ones": b"\xfe" * 40,
    "zeros": bytes(30),
    "random": random.Random(6).randbytes(70_000).replace(b"\xff", b"\xfe"),
}


def without_tables(data: bytes) -> bytes:
    """The file without its Huffman tables."""
    while (at := data.find(b"\xff\xc4")) >= 0:
        data = data[:at] + data[at + 2 + int.from_bytes(data[at + 2 : at + 4], "big") :]
    return data


def judged(data: bytes, notes: tuple[str, ...]) -> None:
    """Assert that the file is taken, with these notes, and shows what Pillow sees in it; a payload has nothing odd."""
    image = inspect_image(data)
    assert np.array_equal(decoded(image.payload), decoded(data))
    assert image.notes == notes
    again = inspect_image(image.payload)
    assert (again.payload, again.notes) == (image.payload, ())


@pytest.mark.parametrize("junk", JUNK)
@pytest.mark.parametrize("name", FILES)
def test_surplus_bytes_before_the_end_marker(name: str, junk: str) -> None:
    data = FILES[name][:-2] + JUNK[junk] + b"\xff\xd9"
    if name == "progressive":
        with Image.open(io.BytesIO(data)) as image:
            assert image.size == (67, 45)
        assert inspect_image(data).height == 45  # the last scan refines: only that it is there is checked
    else:
        judged(data, () if junk == "zeros" else (SURPLUS,))


@pytest.mark.parametrize("count", [1, 3, 9])
@pytest.mark.parametrize("name", FILES)
def test_surplus_restart_markers_behind_the_image(name: str, count: int) -> None:
    markers = b"".join(bytes((0xFF, 0xD0 + number % 8)) for number in range(count))
    judged(FILES[name][:-2] + markers + b"\xff\xd9", (SURPLUS,))
    judged(FILES[name][:-2] + b"\xff\xd5" * count + b"\xff\xd9", (SURPLUS,))


def test_restart_markers_before_the_image() -> None:
    data = FILES["grey"]
    at = data.index(b"\xff\xc4")
    judged(data[:at] + b"\xff\xd3\xff\xd3" + data[at:], (SURPLUS,))


@pytest.mark.parametrize("name", ["grey", "colour", "sharp", "restarts"])
def test_absent_huffman_tables_are_the_standards(name: str) -> None:
    bare = without_tables(FILES[name])
    judged(bare, (STANDARD,))
    assert np.array_equal(decoded(inspect_image(bare).payload), decoded(FILES[name]))


def test_one_absent_table_is_the_standards() -> None:
    data = FILES["colour"]
    body = huffman_segment(1, 1, STANDARD_CODES[1, 1])
    segment = b"\xff\xc4" + (2 + len(body)).to_bytes(2, "big") + body
    assert segment in data
    judged(data.replace(segment, b""), (STANDARD,))


@pytest.mark.parametrize("name", ["optimised", "progressive"])
def test_absent_tables_that_were_others_are_damage(name: str) -> None:
    with pytest.raises(DamagedImage):
        inspect_image(without_tables(FILES[name]))


def test_what_is_left_over_when_the_count_slips_is_damage() -> None:
    data = saved(picture(300, 200, "L"), "JPEG", quality=90)
    at = data.index(b"\xff\xc0") + 5
    lower = data[:at] + (168).to_bytes(2, "big") + data[at + 2 :]  # a header that says too few rows
    with pytest.raises(ImageError):
        inspect_image(lower)
    twice = data[:-400] + data[-500:]
    with pytest.raises(ImageError):
        inspect_image(twice)


def test_surplus_between_restart_markers_is_damage() -> None:
    data = FILES["restarts"]
    at = data.index(b"\xff\xd1", data.index(b"\xff\xda"))
    with pytest.raises(DamagedImage):
        inspect_image(data[:at] + JUNK["counted"] + data[at:])
