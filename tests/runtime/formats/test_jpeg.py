"""JPEG: what is accepted, what is refused and why, and what the payload keeps."""

import io
import re
import struct

import numpy as np
import pytest
from PIL import Image

from sitegen_runtime.errors import DamagedImage, TooLarge, UnsupportedType
from sitegen_runtime.formats import inspect_image
from tests.helpers.runtime.images import decoded, picture, saved

GREY = saved(picture(67, 45, "L"), "JPEG", quality=90)
COLOUR = saved(picture(67, 45), "JPEG", quality=90)
OPTIMISED = saved(picture(67, 45), "JPEG", quality=90, optimize=True)
PROGRESSIVE = saved(picture(67, 45), "JPEG", quality=90, progressive=True)


def segment(code: int, body: bytes) -> bytes:
    """A marker segment with its length."""
    return bytes((0xFF, code)) + (len(body) + 2).to_bytes(2, "big") + body


def with_segment(data: bytes, code: int, body: bytes) -> bytes:
    """The file with one more segment in front."""
    return data[:2] + segment(code, body) + data[2:]


def changed(data: bytes, marker: int, offset: int, value: int) -> bytes:
    """The file with a byte changed, `offset` bytes behind the first such marker's code."""
    at = data.index(bytes((0xFF, marker))) + 2 + offset
    return data[:at] + bytes((value,)) + data[at + 1 :]


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("quality", [5, 75, 100])
@pytest.mark.parametrize(
    "options",
    [
        {"subsampling": 0},
        {"subsampling": 1},
        {"subsampling": 2},
        {"optimize": True},
        {"progressive": True},
        {"restart_marker_blocks": 3},
        {"restart_marker_rows": 1},
        {"progressive": True, "restart_marker_blocks": 5},
    ],
    ids=str,
)
def test_whole_files_keep_their_pixels(mode: str, quality: int, options: dict[str, int]) -> None:
    data = saved(picture(67, 45, mode), "JPEG", quality=quality, **options)
    image = inspect_image(data)
    assert (image.media_type, image.width, image.height, image.bits) == ("image/jpeg", 67, 45, 8)
    assert (image.grey, image.orientation, image.decoder, image.notes) == (mode == "L", 1, "platform", ())
    assert np.array_equal(decoded(image.payload), decoded(data))
    assert inspect_image(image.payload).payload == image.payload


@pytest.mark.parametrize("size", [(1, 1), (8, 8), (9, 7), (16, 16), (17, 33), (640, 3)])
@pytest.mark.parametrize("progressive", [False, True])
def test_sizes(size: tuple[int, int], progressive: bool) -> None:
    image = inspect_image(saved(picture(*size), "JPEG", progressive=progressive))
    assert (image.width, image.height) == size


def test_a_plain_picture_uses_runs_of_empty_blocks() -> None:
    data = saved(Image.new("L", (900, 700), 77), "JPEG", progressive=True)
    assert decoded(inspect_image(data).payload)[5, 5] == 77


def test_orientation_comes_from_exif_and_descriptions_go() -> None:
    exif = Image.Exif()
    exif[0x0112] = 8
    data = saved(picture(), "JPEG", exif=exif, icc_profile=b"profile" * 20, comment=b"said by no one")
    image = inspect_image(data)
    assert image.orientation == 8
    assert not re.search(rb"Exif|profile|no one", image.payload)


def test_pictures_behind_the_end_are_dropped() -> None:
    assert inspect_image(COLOUR + PROGRESSIVE).payload == inspect_image(COLOUR).payload
    pair = saved(picture(), "MPO", save_all=True, append_images=[picture(seed=1)])
    with Image.open(io.BytesIO(inspect_image(pair).payload)) as image:
        assert image.format == "JPEG"


def test_the_colour_space_is_stated_as_libjpeg_guesses_it() -> None:
    rgb = saved(picture(), "JPEG", keep_rgb=True)
    assert b"Adobe" in inspect_image(rgb).payload
    assert np.array_equal(decoded(inspect_image(rgb).payload), decoded(rgb))
    bare = COLOUR[:2] + COLOUR[20:]
    assert COLOUR[2:4] == b"\xff\xe0"
    for adobe in (b"Adobe\0d\0\0\0\0\0", b"Adobe\0d\0\0\0\0\1", b"Adobe\0d\0\0\0\0\7", b"Adobe\0d", b"Photo"):
        data = with_segment(bare, 0xEE, adobe)
        assert np.array_equal(decoded(inspect_image(data).payload), decoded(data))
    both = with_segment(COLOUR, 0xEE, b"Adobe\0d\0\0\0\0\0")
    assert np.array_equal(decoded(inspect_image(both).payload), decoded(both))


def test_every_cut_is_refused() -> None:
    for data in (GREY, COLOUR, PROGRESSIVE):
        for length in range(3, len(data) - 1, 3):
            with pytest.raises(DamagedImage):
                inspect_image(data[:length])


@pytest.mark.parametrize("options", [{}, {"restart_marker_blocks": 4}, {"subsampling": 0}], ids=str)
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_scan_cut_short_but_ended_is_refused(mode: str, options: dict[str, int]) -> None:
    data = saved(picture(67, 45, mode), "JPEG", quality=90, **options)
    start = data.index(b"\xff\xda") + 14
    for length in range(start, len(data) - 3, 5):
        with pytest.raises(DamagedImage):
            inspect_image(data[:length] + b"\xff\xd9")


def test_a_progressive_file_that_lacks_scans_is_refused() -> None:
    scans = [found.start() for found in re.finditer(b"\xff\xda", PROGRESSIVE)]
    assert len(scans) == 10
    for start in scans:
        tables_before = PROGRESSIVE.rindex(b"\xff\xc4", 0, start) if b"\xff\xc4" in PROGRESSIVE[:start] else start
        for cut in (start, tables_before):
            with pytest.raises(DamagedImage):
                inspect_image(PROGRESSIVE[:cut] + b"\xff\xd9")


def in_scans(bands: list[tuple[int, int]], refined: int) -> bytes:
    """A grey block of 8 x 8 whose bands of coefficients come in a scan each, the first `refined` of them in two."""

    def scan(first: int, last: int, bits: int) -> bytes:
        return segment(0xDA, bytes((1, 1, 0, first, last, bits))) + b"\x7f"  # one code of one bit, then padding

    one_code = bytes((1, *[0] * 15, 0))
    return b"".join(
        [
            b"\xff\xd8",
            segment(0xDB, bytes((0, *[1] * 64))),
            segment(0xC2, bytes((8, 0, 8, 0, 8, 1, 1, 0x11, 0))),
            segment(0xC4, b"\x00" + one_code + b"\x10" + one_code),
            *(scan(*band, 1 if place < refined else 0) for place, band in enumerate(bands)),
            *(scan(*band, 0x10) for band in bands[:refined]),
            b"\xff\xd9",
        ]
    )


def test_as_many_as_a_hundred_scans_are_read() -> None:
    bands = [(0, 0), *((index, index) for index in range(1, 50)), (50, 63)]
    most = in_scans(bands, refined=49)
    assert most.count(b"\xff\xda") == 100
    assert (decoded(most) == 128).all()
    assert np.array_equal(decoded(inspect_image(most).payload), decoded(most))
    with pytest.raises(UnsupportedType, match=r"has more than 100 scans\. Save it as plain JPEG or PNG"):
        inspect_image(in_scans(bands, refined=50))


@pytest.mark.parametrize("run", range(1, 15))
def test_runs_of_ended_blocks_belong_to_progressive_files(run: int) -> None:
    # One block: its first coefficient by a code of one bit, the others by another, which says that all are 0.
    def in_one_scan(symbol: int) -> bytes:
        tables = bytes((0x00, 1, *[0] * 15, 0, 0x10, 1, *[0] * 15, symbol))
        return b"".join(
            [
                b"\xff\xd8",
                segment(0xDB, bytes((0, *[1] * 64))),
                segment(0xC0, bytes((8, 0, 8, 0, 8, 1, 1, 0x11, 0))),
                segment(0xC4, tables),
                segment(0xDA, bytes((1, 1, 0, 0, 63, 0))) + bytes(8),
                b"\xff\xd9",
            ]
        )

    assert inspect_image(in_one_scan(0)).width == 8
    with pytest.raises(DamagedImage):
        inspect_image(in_one_scan(run << 4))


def test_padding_behind_the_last_block_is_forgiven() -> None:
    data = COLOUR[:-2] + bytes(5) + COLOUR[-2:]
    assert np.array_equal(decoded(inspect_image(data).payload), decoded(COLOUR))


def test_restart_markers_must_be_in_order_and_complete() -> None:
    data = saved(picture(67, 45, "L"), "JPEG", restart_marker_blocks=4)
    first, second = data.index(b"\xff\xd0"), data.index(b"\xff\xd1")
    for broken in (
        data[:first] + data[second:],
        data[: first + 1] + b"\xd1" + data[first + 2 :],
        data[:first] + b"\0\0" + data[first + 2 :],
        data.replace(segment(0xDD, b"\0\4"), b""),
        data.replace(segment(0xDD, b"\0\4"), segment(0xDD, b"\0\5")),
    ):
        assert broken != data
        with pytest.raises(DamagedImage):
            inspect_image(broken)


@pytest.mark.parametrize(
    ("data", "error", "words"),
    [
        (COLOUR.replace(b"\xff\xc0", b"\xff\xc3"), UnsupportedType, "lossless"),
        (COLOUR.replace(b"\xff\xc0", b"\xff\xc5"), UnsupportedType, "hierarchical"),
        (COLOUR.replace(b"\xff\xc0", b"\xff\xc9"), UnsupportedType, "arithmetic"),
        (COLOUR.replace(b"\xff\xc0", b"\xff\xf7"), UnsupportedType, "JPEG-LS"),
        (changed(COLOUR, 0xC0, 2, 12), UnsupportedType, "12 bits"),
        (changed(changed(COLOUR, 0xC0, 3, 0), 0xC0, 4, 0), UnsupportedType, "height"),
        (changed(changed(COLOUR, 0xC0, 5, 0), 0xC0, 6, 0), DamagedImage, "no image"),
        (saved(picture().convert("CMYK"), "JPEG"), UnsupportedType, "CMYK"),
        (changed(COLOUR, 0xC0, 9, 0x51), DamagedImage, "header"),
        (changed(COLOUR, 0xC0, 9, 0x33), UnsupportedType, "samples its colours"),
        (changed(COLOUR, 0xC0, 10, 3), DamagedImage, "image data"),
        (changed(COLOUR, 0xDB, 2, 0x05), DamagedImage, "table"),
        (changed(COLOUR, 0xDB, 9, 0), DamagedImage, "table"),
        (changed(COLOUR, 0xC4, 3, 9), DamagedImage, "table"),
        (changed(OPTIMISED, 0xC4, 2, 0x02), DamagedImage, "image data"),
        (changed(COLOUR, 0xDA, 4, 0x33), DamagedImage, "image data"),
        (changed(COLOUR, 0xDA, 3, 9), DamagedImage, "image data"),
        (changed(COLOUR, 0xDA, 9, 1), DamagedImage, "image data"),
        (COLOUR[:20] + b"\0" + COLOUR[20:], DamagedImage, "first 20 bytes"),
        (COLOUR[:2] + b"\xff\xd9", DamagedImage, "no image data"),
        (COLOUR[:2] + b"\xff\xe0\0\1", DamagedImage, "first 4 bytes"),
        (COLOUR[:-2] + segment(0xC0, b""), DamagedImage, "two frame headers"),
    ],
)
def test_refusals(data: bytes, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        inspect_image(data)


def test_too_many_pixels() -> None:
    with pytest.raises(TooLarge, match="67 x 45 = 3,015 pixels; the limit is 3,014"):
        inspect_image(COLOUR, max_pixels=3014)


def test_fill_bytes_before_markers_are_allowed() -> None:
    data = COLOUR[:-2] + b"\xff\xff" + COLOUR[-2:]
    assert np.array_equal(decoded(inspect_image(data).payload), decoded(COLOUR))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("value", range(10))
def test_orientation_in_both_byte_orders(order: str, value: int) -> None:
    block = {"<": b"II*\0", ">": b"MM\0*"}[order] + struct.pack(order + "IHHHIHHI", 8, 1, 0x0112, 3, 1, value, 0, 0)
    image = inspect_image(with_segment(GREY, 0xE1, b"Exif\0\0" + block))
    assert image.orientation == (value if 1 <= value <= 8 else 1)
    for length in range(len(block) - 7):
        assert inspect_image(with_segment(GREY, 0xE1, b"Exif\0\0" + block[:length])).orientation == 1
