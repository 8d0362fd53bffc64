"""JPEG files as cameras, scanners and programs write them, and what is to become of each: its pixels, or a refusal."""

import io

from PIL import Image

from tests.helpers.runtime.images import picture, saved

WIDTH, HEIGHT = 152, 104


def _segment(code: int, body: bytes) -> bytes:
    return bytes((0xFF, code)) + (len(body) + 2).to_bytes(2, "big") + body


def _behind_start(data: bytes, *segments: bytes) -> bytes:
    return data[:2] + b"".join(segments) + data[2:]


def _before(data: bytes, code: int, addition: bytes) -> bytes:
    at = data.index(bytes((0xFF, code)))
    return data[:at] + addition + data[at:]


def _mpo(first: Image.Image, second: Image.Image) -> bytes:
    buffer = io.BytesIO()
    first.save(buffer, "MPO", save_all=True, append_images=[second])
    return buffer.getvalue()


def _height_later(data: bytes) -> bytes:
    """With the height behind the scan (DNL), as the standard allows and hardly a decoder reads."""
    at = data.index(b"\xff\xc0") + 5
    height = data[at : at + 2]
    return data[:at] + b"\0\0" + data[at + 2 : -2] + _segment(0xDC, height) + data[-2:]


def _exif(thumbnail: bytes) -> bytes:
    """An Exif segment with a directory for the thumbnail, and the thumbnail, which is a whole JPEG file."""
    tiff = b"II*\0\x08\0\0\0\0\0" + (14).to_bytes(4, "little")
    entries = [(0x0103, 3, 1, 6), (0x0201, 4, 1, 14 + 2 + 36 + 4), (0x0202, 4, 1, len(thumbnail))]
    directory = len(entries).to_bytes(2, "little")
    for tag, kind, count, value in entries:
        directory += tag.to_bytes(2, "little") + kind.to_bytes(2, "little")
        directory += count.to_bytes(4, "little") + value.to_bytes(4, "little")
    return _segment(0xE1, b"Exif\0\0" + tiff + directory + bytes(4) + thumbnail)


def taken() -> dict[str, bytes]:
    """Files whose pixels are all there, by what is odd about them."""
    colour, grey = picture(WIDTH, HEIGHT), picture(WIDTH, HEIGHT, "L")
    plain, dim = saved(colour, "JPEG", quality=85), saved(grey, "JPEG", quality=85)
    small = saved(picture(16, 16), "JPEG")
    thumbnail = b"JFIF\0\1\2\0\0\1\0\1\2\2" + bytes(range(12))
    sampling = dim.index(b"\xff\xc0") + 11
    return {
        "two pictures in one file (MPO)": _mpo(colour, picture(WIDTH, HEIGHT, seed=1)),
        "bytes behind the end": plain + b"written by a camera" + bytes(5_000),
        "another file behind the end": plain + small,
        "a JFIF thumbnail": _behind_start(plain[:2] + plain[20:], _segment(0xE0, thumbnail)),
        "a JFXX thumbnail": plain[:20] + _segment(0xE0, b"JFXX\0\x10" + small) + plain[20:],
        "an Exif thumbnail": _behind_start(plain, _exif(small)),
        "Adobe's marker, RGB": _behind_start(
            saved(colour, "JPEG", quality=85, keep_rgb=True, subsampling=0), _segment(0xEE, b"Adobe\0\x64\0\0\0\0\0")
        ),
        "Adobe's marker, YCbCr": _behind_start(plain[:2] + plain[20:], _segment(0xEE, b"Adobe\0\x64\0\0\0\0\1")),
        "a grey plane with sampling factors": dim[:sampling] + b"\x22" + dim[sampling + 1 :],
        "half the colours across": saved(colour, "JPEG", subsampling="4:2:2"),
        "empty comments": _behind_start(plain, *[_segment(0xFE, b"")] * 3),
        "fill bytes before markers": _before(_before(plain, 0xDA, b"\xff" * 9), 0xC0, b"\xff"),
        "a colour profile in two parts": _behind_start(
            plain, *(_segment(0xE2, b"ICC_PROFILE\0" + bytes((number, 2)) + bytes(300)) for number in (1, 2))
        ),
        "an interval of restarts that says none": _before(plain, 0xDA, _segment(0xDD, b"\0\0")),
        "restart markers, and a thumbnail that is turned": _behind_start(
            saved(colour, "JPEG", restart_marker_rows=1), _exif(small).replace(b"\x03\x01\x03\0", b"\x12\x01\x03\0", 1)
        ),
    }


def refused() -> dict[str, bytes]:
    """Files that are read in different ways, or not at all."""
    plain = saved(picture(WIDTH, HEIGHT), "JPEG", quality=85)
    return {
        "the height behind the scan (DNL)": _height_later(plain),
        "a segment of length zero": _before(plain, 0xDA, b"\xff\xe5\0\0"),
        "four inks": saved(picture(WIDTH, HEIGHT).convert("CMYK"), "JPEG"),
        "no end": plain[:-400],
    }
