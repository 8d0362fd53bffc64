"""The zlib stream of a PNG's pixels (RFC 1950): inflated in bounded pieces, and made plain for decoders.

Two things that writers get wrong lose no pixel, and decoders differ in what they show of them: rows too many, and a
header that promises to look back less far than the data does. Both are taken, and put right in what decoders are given.
"""

import zlib
from collections.abc import Iterator

from sitegen_runtime.errors import DamagedImage
from sitegen_runtime.formats.inspected import TRUNCATED

PIECE_BYTES = 1 << 20

WIDEST = 15
"""The exponent of the widest window, 32 KiB, in which every stream can be inflated."""


class PixelStream:
    """Pieces of at most 1 MiB of a zlib stream that inflates to `size` bytes, or to more, which are left out.

    Iterating raises DamagedImage when the stream is corrupt, incomplete or shorter than `size`, or twice as long. It is
    inflated to its end, where its Adler-32 sum proves what was given before.
    """

    def __init__(self, compressed: bytes, size: int, window: int = WIDEST) -> None:
        self._compressed, self._size, self._window = compressed, size, window
        self.used = 0
        """Bytes of `compressed` that the stream takes, once all was inflated."""
        self.surplus = 0
        """Bytes that were left out, once all was inflated."""

    def __iter__(self) -> Iterator[bytes]:
        total = 0
        for piece in self._inflated():
            wanted = max(0, self._size - total)
            total += len(piece)
            if total >= 2 * self._size:
                raise DamagedImage(
                    "The file holds twice the image data that its size calls for, if not more. Copy it from its source."
                )
            yield piece if len(piece) <= wanted else piece[:wanted]
        if total < self._size:
            raise DamagedImage(TRUNCATED)
        self.surplus = total - self._size

    def _inflated(self) -> Iterator[bytes]:
        decompressor = zlib.decompressobj(wbits=self._window)
        source = memoryview(self._compressed)
        fed, pending = 0, b""
        while not decompressor.eof:
            if not pending:
                pending = bytes(source[fed : fed + PIECE_BYTES // 4])
                fed += len(pending)
            try:
                piece = decompressor.decompress(pending, PIECE_BYTES)
            except zlib.error:
                raise DamagedImage(
                    "The compressed image data of the file is damaged. Copy it again from its source."
                ) from None
            if not piece and not pending and not decompressor.eof:
                raise DamagedImage(TRUNCATED)
            pending = decompressor.unconsumed_tail
            yield piece
        self.used = fed - len(pending) - len(decompressor.unused_data)


def understates_window(compressed: bytes, size: int) -> bool:
    """Whether a stream of at least `size` inflated bytes looks back further than its header says (RFC 1950, CINFO)."""
    window = 8 + (compressed[0] >> 4)
    if window >= WIDEST or 1 << window >= size:
        return False
    try:
        for _ in PixelStream(compressed, size, window=0):  # as the header says
            pass
    except DamagedImage:
        return True
    return False


def with_widest_window(compressed: bytes) -> bytes:
    """The same stream with a header that promises to look back 32 KiB, as no stream looks back further."""
    level = compressed[1] & 0xC0  # how it was compressed, which nobody needs
    header = (0x78 << 8) + level
    return bytes([0x78, level + 31 - header % 31]) + compressed[2:]


def without_surplus(compressed: bytes, size: int) -> list[bytes]:
    """Parts of a stream of the first `size` bytes alone."""
    compressor = zlib.compressobj(1)
    parts = [compressor.compress(piece) for piece in PixelStream(compressed, size)]
    return [*filter(None, parts), compressor.flush()]
