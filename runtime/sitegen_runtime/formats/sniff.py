"""What kind of file some bytes are, told by their content alone; a file's name is never trusted."""

import re

from sitegen_runtime.errors import DamagedImage, UnsupportedType

PNG = "image/png"
JPEG = "image/jpeg"
WEBP = "image/webp"
DICOM = "application/dicom"

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"

_NEXT_STEP = "Save the image as PNG or JPEG and try again."

_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"GIF87a", "a GIF image"),
    (b"GIF89a", "a GIF image"),
    (b"II*\0", "a TIFF image"),
    (b"MM\0*", "a TIFF image"),
    (b"II+\0", "a BigTIFF image"),
    (b"MM\0+", "a BigTIFF image"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "a JPEG 2000 image"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 image"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "a JPEG XL image"),
    (b"\xff\x0a", "a JPEG XL image"),
    (b"II\xbc", "a JPEG XR image"),
    (b"8BPS", "a Photoshop document"),
    (b"%PDF-", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"PK\x05\x06", "a ZIP archive"),
    (b"\x1f\x8b", "a file compressed with gzip"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"\x8aMNG\r\n\x1a\n", "an MNG animation"),
    (b"\0\0\1\0", "an icon file"),
    (b"BM", "a BMP image"),
)
"""Beginnings of files and what they are; a longer one stands before a shorter one that it contains."""

_BRANDS: dict[bytes, str] = {
    b"avif": "an AVIF image",
    b"avis": "an AVIF image",
    b"heic": "a HEIC image",
    b"heix": "a HEIC image",
    b"hevc": "a HEIC image",
    b"heim": "a HEIC image",
    b"heis": "a HEIC image",
    b"mif1": "a HEIF image",
    b"msf1": "a HEIF image",
}
"""Major brands of ISO base media files ("ftyp" at byte 4), ISO/IEC 23008-12."""

_MARKUP = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:[!?]|/?[A-Za-z])")


def sniff(data: bytes) -> str:
    """The media type of `data`: `PNG`, `JPEG`, `WEBP` or `DICOM`.

    A file that begins as DICOM files without a prefix do may be none: see `inspect`. Raises UnsupportedType, naming
    what the file seems to be, for everything else, and DamagedImage for a file without any bytes or a beginning of one
    of the first three types.
    """
    if not data:
        raise DamagedImage("The file is empty. Copy it again from its source.")
    if data.startswith(PNG_SIGNATURE):
        return PNG
    if data.startswith(b"\xff\xd8\xff"):
        return JPEG
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return WEBP
    if data in (PNG_SIGNATURE[: len(data)], b"\xff\xd8"):
        raise DamagedImage("The file ends within its first bytes. Copy it again from its source.")
    if begins_as_dicom(data):
        return DICOM
    kind = _other_kind(data)
    if kind is None:
        raise unknown_kind()
    raise UnsupportedType(f"This is {kind}, and only PNG, JPEG, WebP and DICOM images are read. {_NEXT_STEP}")


def begins_as_dicom(start: bytes) -> bool:
    """Whether a file that begins so may be DICOM: by its prefix, or by a first element as old files have it.

    Without a prefix, that is one of the groups 0002 and 0008, little-endian, with a number below 0x100.
    """
    return start[128:132] == b"DICM" or (start[:2] in (b"\2\0", b"\x08\0") and start[3:4] == b"\0")


def unknown_kind() -> UnsupportedType:
    """What to raise for a file that nothing is known of."""
    return UnsupportedType(f"This is not a kind of file that is known here. {_NEXT_STEP}")


def _other_kind(data: bytes) -> str | None:
    """What a file that is not read here seems to be, with its article; None where nothing fits."""
    for signature, kind in _SIGNATURES:
        if data.startswith(signature):
            return kind
    if data[4:8] == b"ftyp":
        return _BRANDS.get(data[8:12], "a video, or an image kept in a video's container,")
    if data[:4] == b"RIFF":
        return "a sound or video file"
    if _MARKUP.match(data[:256]):
        return _markup_kind(data[:4096].lower())
    return None


def _markup_kind(text: bytes) -> str:
    """Which markup language `text`, in lower case, is written in, with the article."""
    if b"<svg" in text:
        return "an SVG drawing"
    if b"<!doctype html" in text or b"<html" in text:
        return "a web page (HTML)"
    return "an XML document"
