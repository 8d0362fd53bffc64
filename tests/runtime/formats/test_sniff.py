"""The type of a file is told by its content, and a refusal says what the file seems to be."""

import gzip

import pytest

from sitegen_runtime.errors import DamagedImage, UnsupportedType
from sitegen_runtime.formats import inspect_image
from tests.helpers.runtime.images import picture, saved


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (saved(picture().convert("P"), "GIF"), "a GIF image"),
        (saved(picture(), "BMP"), "a BMP image"),
        (saved(picture(), "TIFF"), "a TIFF image"),
        (b"MM\0*" + bytes(20), "a TIFF image"),
        (b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(20), "a JPEG 2000 image"),
        (b"\xff\x4f\xff\x51" + bytes(20), "a JPEG 2000 image"),
        (b"\xff\x0a" + bytes(20), "a JPEG XL image"),
        (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(20), "a JPEG XL image"),
        (b"\0\0\0\x20ftypavif" + bytes(20), "an AVIF image"),
        (b"\0\0\0\x20ftypheic" + bytes(20), "a HEIC image"),
        (b"\0\0\0\x20ftypmp42" + bytes(20), "a video"),
        (b'<?xml version="1.0"?><svg/>', "an SVG drawing"),
        (b'\xef\xbb\xbf <svg xmlns="x"/>', "an SVG drawing"),
        (b"<!DOCTYPE html><p>", "a web page"),
        (b"<?xml version='1.0'?><a/>", "an XML document"),
        (b"%PDF-1.7", "a PDF document"),
        (b"PK\x03\x04" + bytes(20), "a ZIP archive"),
        (gzip.compress(b"x", mtime=0), "compressed with gzip"),
        (b"RIFF\x10\0\0\0WAVEfmt ", "a sound or video file"),
        (b"once upon a time", "not a kind of file that is known"),
        (bytes(1000), "not a kind of file that is known"),
    ],
)
def test_other_types_are_named_with_the_next_step(data: bytes, words: str) -> None:
    with pytest.raises(UnsupportedType, match=f"{words}.*as PNG or JPEG"):
        inspect_image(data)


@pytest.mark.parametrize("data", [b"", b"\x89PN", b"\xff\xd8"])
def test_nothing_or_next_to_nothing(data: bytes) -> None:
    with pytest.raises(DamagedImage, match="Copy it again"):
        inspect_image(data)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_the_three_types(kind: str) -> None:
    assert inspect_image(saved(picture(), kind)).media_type == f"image/{kind.lower()}"


def test_any_buffer_of_bytes_will_do() -> None:
    data = saved(picture(), "PNG")
    assert inspect_image(memoryview(data)) == inspect_image(data)  # type: ignore[arg-type]
