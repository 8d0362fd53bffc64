"""The headers of WebP's two bitstreams: VP8 (RFC 6386) and VP8L (RFC 9649, section 3)."""

from sitegen_runtime.errors import DamagedImage, UnsupportedType
from sitegen_runtime.formats.inspected import TRUNCATED

_DAMAGED = "The header of the WebP image is damaged. Copy the file again from its source."
_LOSSLESS_SIGNATURE = 0x2F
_SEGMENTS = 4
_ALPHA_BIT = 1 << 28


def lossy_header(frame: bytes) -> tuple[int, int]:
    """Width and height of a VP8 key frame that is to be shown (RFC 6386, 9.1); raises DamagedImage otherwise."""
    if len(frame) < 10:
        raise DamagedImage(TRUNCATED)
    tag = int.from_bytes(frame[:3], "little")
    is_later_frame, version, shown, first_partition = tag & 1, tag >> 1 & 7, tag >> 4 & 1, tag >> 5
    if is_later_frame or version > 3 or not shown or frame[3:6] != b"\x9d\x01\x2a":
        raise DamagedImage(_DAMAGED)
    if 10 + first_partition > len(frame):
        raise DamagedImage(TRUNCATED)
    return int.from_bytes(frame[6:8], "little") & 0x3FFF, int.from_bytes(frame[8:10], "little") & 0x3FFF


def lossless_header(frame: bytes) -> tuple[int, int]:
    """Width and height of a VP8L image; raises DamagedImage for another signature or version."""
    if len(frame) < 6:
        raise DamagedImage(TRUNCATED)
    fields = int.from_bytes(frame[1:5], "little")
    if frame[0] != _LOSSLESS_SIGNATURE or fields >> 29:
        raise DamagedImage(_DAMAGED)
    return (fields & 0x3FFF) + 1, (fields >> 14 & 0x3FFF) + 1


def check_opaque(frame: bytes) -> None:
    """Raise UnsupportedType where a VP8L image is transparent (RFC 9649, 3.4: `alpha_is_used`).

    Its alpha is coded along with its colours, so it cannot be left out as from other files, and browsers premultiply.
    """
    if int.from_bytes(frame[1:5], "little") & _ALPHA_BIT:
        raise UnsupportedType(
            "This is a lossless WebP with transparency, which browsers do not read alike. Save the image as PNG and "
            "try again."
        )


def check_partitions(frame: bytes) -> None:
    """Raise DamagedImage where the partitions of a VP8 frame do not lie within it (RFC 6386, 9.5)."""
    end = 10 + (int.from_bytes(frame[:3], "little") >> 5)
    count = 1 << _log2_of_partitions(frame[10:end])
    start = end + 3 * (count - 1)
    sizes = [int.from_bytes(frame[end + 3 * number : end + 3 * number + 3], "little") for number in range(count - 1)]
    if start + sum(sizes) >= len(frame):
        raise DamagedImage(TRUNCATED)


class _BoolReader:
    """The boolean entropy decoder (RFC 6386, 7.3), for flags of even odds only; zeros follow the end of the data."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data[:64].ljust(64, b"\0"), "big")
        self._shift = 8 * 64 - 8
        self._range = 255

    def literal(self, bits: int) -> int:
        """An unsigned number, most significant bit first."""
        result = 0
        for _ in range(bits):
            split = 1 + ((self._range - 1) * 128 >> 8)
            bit = int(self._value >> self._shift >= split)
            if bit:
                self._value -= split << self._shift
                self._range -= split
            else:
                self._range = split
            while self._range < 128:
                self._range <<= 1
                self._shift -= 1
            result = result << 1 | bit
        return result

    def optional(self, bits: int) -> None:
        """Pass over a number that a flag may leave out."""
        if self.literal(1):
            self.literal(bits)


def _log2_of_partitions(partition: bytes) -> int:
    """The two bits that give the number of coefficient partitions (RFC 6386, 9.2 to 9.5 and 19.2)."""
    reader = _BoolReader(partition)
    reader.literal(2)
    if reader.literal(1):
        _skip_segmentation(reader)
    reader.literal(1 + 6 + 3)
    if reader.literal(1) and reader.literal(1):
        for _ in range(8):
            reader.optional(6 + 1)
    return reader.literal(2)


def _skip_segmentation(reader: _BoolReader) -> None:
    """Pass over `update_segmentation()` (RFC 6386, 9.3)."""
    updates_map, updates_features = reader.literal(1), reader.literal(1)
    if updates_features:
        reader.literal(1)
        for bits in [7 + 1] * _SEGMENTS + [6 + 1] * _SEGMENTS:
            reader.optional(bits)
    if updates_map:
        for _ in range(_SEGMENTS - 1):
            reader.optional(8)
