"""Where the one frame that is read lies: in native pixel data, or in the fragments of encapsulated ones."""

from array import array

from sitegen_runtime.errors import DamagedImage
from sitegen_runtime.formats.dicom.header import Header
from sitegen_runtime.formats.dicom.walk import DAMAGED

_ITEM_BYTES = 8
_END_OF_IMAGE = b"\xff\xd9"
_CUT_SHORT = "it ends before its image data is complete"


def native_frame(header: Header, size: int) -> bytes | memoryview:
    """Return the first `size` bytes of native pixel data, cells of two bytes with the lower first.

    Raises DamagedImage where there are fewer.
    """
    pixels = joined(header.fragments) if header.pixels is None else header.pixels
    if len(pixels) < size:
        raise DamagedImage(DAMAGED.format(_CUT_SHORT))
    if header.order == "<" or not header.pixel_words:
        return pixels[:size]
    words = array("H", bytes(pixels[: size + size % 2]).ljust(size + size % 2, b"\0"))
    words.byteswap()
    return memoryview(words).cast("B")[:size]


def encapsulated_frame(header: Header, frames: int) -> memoryview:
    """Return the first frame of encapsulated pixel data. Raises DamagedImage where it is cut short or there is none."""
    fragments = header.fragments
    if not fragments or (header.truncated and frames == 1):
        raise DamagedImage(DAMAGED.format(_CUT_SHORT))
    if frames > 1:
        fragments = _of_first_frame(fragments, header.offsets, frames)
    return joined(fragments)


def joined(fragments: list[memoryview] | None) -> memoryview:
    """Return what lies in some fragments; one is not copied."""
    if fragments and len(fragments) == 1:
        return fragments[0]
    return memoryview(b"".join(fragments or ()))


def _of_first_frame(fragments: list[memoryview], offsets: tuple[int, ...], frames: int) -> list[memoryview]:
    """The fragments up to where the table says that the second frame begins, or else up to the image's end."""
    if len(fragments) == frames:
        return fragments[:1]
    place, kept = 0, []
    for fragment in fragments:
        if len(offsets) > 1 and place >= offsets[1]:
            break
        kept.append(fragment)
        place += _ITEM_BYTES + len(fragment)
        if len(offsets) < 2 and _END_OF_IMAGE in bytes(fragment[-4:]):
            break
    return kept
