"""The orientation that an EXIF block asks for. Nothing else of EXIF is read."""

import struct

_PREFIX = b"Exif\0\0"
_ORIENTATION_TAG = 0x0112
_SHORT = 3


def orientation(block: bytes) -> int:
    """The orientation, 1 to 8, stored in an EXIF block, with or without its "Exif" prefix; never raises.

    Orientation is tag 0x0112 of the first directory: one SHORT (TIFF 6.0, pages 15 and 36). Whatever is absent,
    cut short, of another type or out of range gives 1, which means "as stored".
    """
    tiff = block[len(_PREFIX) :] if block.startswith(_PREFIX) else block
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None or len(tiff) < 8:
        return 1
    (directory,) = struct.unpack_from(order + "I", tiff, 4)
    if directory + 2 > len(tiff):
        return 1
    (count,) = struct.unpack_from(order + "H", tiff, directory)
    for position in range(directory + 2, directory + 2 + 12 * count, 12):
        if position + 12 > len(tiff):
            return 1
        tag, kind, length, value = struct.unpack_from(order + "HHIH", tiff, position)
        if tag == _ORIENTATION_TAG:
            return value if kind == _SHORT and length == 1 and 1 <= value <= 8 else 1
    return 1
