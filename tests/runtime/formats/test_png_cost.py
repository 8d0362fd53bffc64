"""PNG files that the runtime would decode for too long are refused before it begins; the same in every place."""

import struct
import zlib
from collections.abc import Callable

import pytest

from sitegen_runtime.errors import TooLarge
from sitegen_runtime.formats import PYTHON, decode_png, inspect_image
from sitegen_runtime.formats.png.layout import Header
from tests.helpers.runtime.images import SIGNATURE, chunk

NO_FILTER, SUB, UP, AVERAGE, PAETH = range(5)


def flat(
    width: int,
    height: int,
    bits: int,
    colour_type: int,
    filter_of: Callable[[int], int],
    interlaced: bool = False,
) -> bytes:
    """A PNG of zeros, each row of which has the filter type that the function says."""
    header = Header(width, height, bits, colour_type, interlaced)
    rows = [(part, row) for part in header.passes() for row in range(part.height)]
    packer = zlib.compressobj(1)
    packed = b"".join(packer.compress(bytes((filter_of(row),)).ljust(part.row_bytes + 1, b"\0")) for part, row in rows)
    body = struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, interlaced)
    palette = chunk(b"PLTE", bytes(3)) if colour_type == 3 else b""
    return b"".join(
        [SIGNATURE, chunk(b"IHDR", body), palette, chunk(b"IDAT", packed + packer.flush()), chunk(b"IEND", b"")]
    )


@pytest.mark.parametrize(
    ("size", "bits", "colour_type", "kind", "fits", "interlaced"),
    [
        ((5_000, 4_000), 16, 2, PAETH, 5, False),
        ((65_500, 1_526), 16, 2, PAETH, 5, False),  # 4 s / (6 bytes of 113 ns)
        ((3_000, 2_500), 16, 6, PAETH, 5, True),  # alpha costs nothing
        ((10_000, 10_000), 8, 3, PAETH, 35, True),
        ((5_000, 5_000), 16, 2, SUB, 16, True),
        ((5_000, 5_000), 16, 6, AVERAGE, 11, False),
    ],
)
def test_slow_files_are_refused_with_what_would_fit(
    size: tuple[int, int], bits: int, colour_type: int, kind: int, fits: int, interlaced: bool
) -> None:
    with pytest.raises(TooLarge, match=f"at most {fits} million pixels"):
        inspect_image(flat(*size, bits, colour_type, lambda row: kind, interlaced))


@pytest.mark.parametrize(
    ("size", "bits", "colour_type", "filter_of"),
    [
        ((5_000, 5_000), 16, 2, lambda row: UP),
        ((10_000, 10_000), 1, 0, lambda row: PAETH),
        ((3_000, 1_900), 16, 2, lambda row: PAETH),
        ((3_000, 3_000), 16, 2, lambda row: PAETH if row % 2 else UP),
    ],
)
def test_large_files_with_quick_filters_and_honest_ones_are_taken(
    size: tuple[int, int], bits: int, colour_type: int, filter_of: Callable[[int], int]
) -> None:
    image = inspect_image(flat(*size, bits, colour_type, filter_of))
    assert (image.width, image.height, image.decoder) == (*size, PYTHON)


def test_files_that_the_platform_decodes_cost_nothing_here() -> None:
    assert inspect_image(flat(8_000, 8_000, 8, 0, lambda row: PAETH, True)).width == 8_000
    assert inspect_image(flat(8_000, 5_000, 16, 0, lambda row: PAETH)).width == 8_000  # a mammogram


def test_interlaced_files_that_would_fill_the_memory_are_refused() -> None:
    with pytest.raises(TooLarge, match="interlaced"):
        inspect_image(flat(10_000, 7_000, 16, 2, lambda row: NO_FILTER, True))


def test_an_interlaced_image_comes_in_pieces_too() -> None:
    pieces = list(decode_png(inspect_image(flat(1_000, 900, 16, 2, lambda row: NO_FILTER, True))).pieces())
    assert max(len(piece.samples) for piece in pieces) <= 1 << 19
    assert sum(piece.row_count for piece in pieces) == 900
