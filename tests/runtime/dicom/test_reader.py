"""What is read of a DICOM file, however it is written; what is none, or damaged, is refused with a code."""

import struct
import tracemalloc
import zlib
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
)

from sitegen.prediction.pixels import shown_frame
from sitegen_runtime.errors import DamagedImage, ImageError, TooLarge, UnsupportedType
from sitegen_runtime.formats import inspect_image
from sitegen_runtime.formats.dicom.reader import read_header
from tests.helpers.dicom_files import PLAIN, as_bytes, compressed, in_fragments, radiograph, without_prefix
from tests.helpers.runtime.dicom_bytes import OPEN, cells_of, element, header, item, meta, number, pixels

DEEP = np.random.default_rng(0).integers(100, 4000, (24, 20), dtype=np.uint16)
FLAT = np.random.default_rng(1).integers(3, 250, (24, 20), dtype=np.uint8)
WHOLE = meta() + header(24, 20) + pixels(DEEP)


def wrapped(body: bytes, depth: int, *, closed: bool) -> bytes:
    """A private sequence inside a sequence, and so on."""
    for _ in range(depth):
        length = len(item(body)) if closed else OPEN
        inside = item(body) if closed else item(body, OPEN) + item(b"", tag=0xFFFEE00D) + item(b"", tag=0xFFFEE0DD)
        body = element(0x00091001, b"SQ", inside, length)
    return body


@pytest.mark.parametrize("syntax", PLAIN)
@pytest.mark.parametrize("values", [DEEP, FLAT, DEEP.astype(np.int16) - 2000], ids=["16", "8", "signed"])
def test_every_way_of_writing_bytes(syntax: str, values: np.ndarray) -> None:
    assert np.array_equal(cells_of(as_bytes(radiograph(values, syntax))), values)


def test_a_prefix_and_meta_information_may_be_missing() -> None:
    assert np.array_equal(cells_of(without_prefix(radiograph(DEEP))), DEEP)
    assert np.array_equal(cells_of(as_bytes(radiograph(DEEP))[132:]), DEEP)  # meta information alone
    explicit = element(0x00080060, b"CS", b"DX") + header(24, 20) + pixels(DEEP)
    assert np.array_equal(cells_of(explicit), DEEP)


def test_the_file_counts_and_not_what_its_syntax_says() -> None:
    for syntax in PLAIN[:2]:
        assert np.array_equal(cells_of(meta(syntax) + without_prefix(radiograph(DEEP))), DEEP)
    assert np.array_equal(cells_of(WHOLE.replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2\0\0\0")), DEEP)


def test_unknown_representations_have_long_lengths() -> None:
    future = struct.pack("<HH2sHI", 0x0011, 0x0010, b"ZZ", 0, 4) + b"abcd"
    assert np.array_equal(cells_of(meta() + future + header(24, 20) + pixels(DEEP)), DEEP)


@pytest.mark.parametrize("closed", [True, False])
def test_sequences_are_stepped_over(closed: bool) -> None:
    inside = wrapped(number(0x00280010, 7), 5, closed=closed)
    assert np.array_equal(cells_of(meta() + inside + header(24, 20) + pixels(DEEP)), DEEP)


def test_what_is_unknown_is_implicit_inside() -> None:
    implicit = struct.pack("<HHI", 0x0028, 0x0010, 2) + b"\7\0"
    unknown = element(0x00091001, b"UN", item(implicit) + item(b"", tag=0xFFFEE0DD), OPEN)
    assert np.array_equal(cells_of(meta() + unknown + header(24, 20) + pixels(DEEP)), DEEP)


def test_an_image_inside_a_sequence_is_not_the_image() -> None:
    icon = element(0x00880200, b"SQ", item(header(4, 4, 8) + pixels(np.zeros((4, 4), np.uint8))))
    assert np.array_equal(cells_of(meta() + header(24, 20, extra=[icon]) + pixels(DEEP)), DEEP)


@pytest.mark.parametrize("count", [1, 2, 9])
def test_one_frame_in_many_fragments(count: int) -> None:
    dataset = radiograph(DEEP, JPEG2000Lossless)
    dataset.PixelData = in_fragments(compressed(DEEP, JPEG2000Lossless), count)
    assert np.array_equal(cells_of(as_bytes(dataset)), DEEP)


@pytest.mark.parametrize("table", [True, False])
def test_of_several_frames_the_first(table: bool) -> None:
    frames = [compressed(DEEP + step, JPEG2000Lossless) for step in (0, 1, 2)]
    dataset = radiograph(DEEP, JPEG2000Lossless, NumberOfFrames=3)
    dataset.PixelData = encapsulate(frames, fragments_per_frame=2, has_bot=table)
    data = as_bytes(dataset)
    assert np.array_equal(cells_of(data), DEEP)
    image = inspect_image(data)
    assert image.acquisition is not None
    assert image.acquisition.frames == 3
    assert image.notes[0] == "The DICOM file has 3 frames; only the first one was looked at."


@pytest.mark.parametrize("said", ["1", "1A", "", "-3"])
def test_a_number_of_frames_that_is_none_is_one(said: str) -> None:
    raw = meta() + header(24, 20, extra=[element(0x00280008, b"IS", said.encode().ljust(2))]) + pixels(DEEP)
    assert np.array_equal(cells_of(raw), DEEP)


def test_bytes_behind_the_pixels_do_not_count() -> None:
    assert np.array_equal(cells_of(WHOLE + element(0xFFFCFFFC, b"OB", bytes(100)) + b"junk"), DEEP)


def directory() -> bytes:
    return meta() + element(0x00041130, b"CS", b"DISC") + element(0x00041220, b"SQ", b"")


@pytest.mark.parametrize(
    ("data", "error", "words"),
    [
        (bytes(128) + b"DICM" + bytes(20), DamagedImage, "has no image, or ends before it"),
        (directory(), UnsupportedType, "is a DICOMDIR"),
        (directory()[132:], UnsupportedType, "is a DICOMDIR"),
        (b"\x08\0\x05\0" + b"\xff" * 200, UnsupportedType, "not a kind of file that is known"),
        (b"\2\0\0\0", UnsupportedType, "not a kind of file that is known"),
        (meta() + element(0x00080016, b"UI", b"1.2.840.10008.5.1.4.1.1.104.1\0"), UnsupportedType, "a PDF document"),
        (meta() + element(0x00080016, b"UI", b"1.2.840.10008.5.1.4.1.1.88.11\0"), UnsupportedType, "is a report"),
        (meta() + element(0x7FE00008, b"OF", bytes(8)), UnsupportedType, "floating point"),
        (meta("1.2.840.10008.1.2.4.110") + header(4, 4), UnsupportedType, r"JPEG XL Lossless \(1\.2\.840"),
        (meta("1.2.840.10008.1.2.4.102") + header(4, 4), UnsupportedType, r"H\.264 video"),
        (meta("1.2.840.10008.1.2.4.55") + header(4, 4), UnsupportedType, "JPEG Full Progression"),
        (meta("1.2.840.10008.1.2.77") + header(4, 4), UnsupportedType, r"syntax is 1\.2\.840\.10008\.1\.2\.77,"),
        (meta("1.2.3.4711") + header(4, 4), UnsupportedType, "syntax is a private one"),
        (meta("Doe^Jane") + header(24, 20) + pixels(DEEP), None, ""),  # no UID at all: as if it had none
        (meta() + header(0, 20) + pixels(DEEP), DamagedImage, "20 x 0 pixels"),
        (meta() + header(24, 0) + pixels(DEEP), DamagedImage, "0 x 24 pixels"),
        (meta() + header(65535, 65535) + pixels(DEEP), TooLarge, "the limit is 100,000,000"),
        (meta() + header(1, 65535, 8) + pixels(np.zeros((1, 65536), np.uint8)), TooLarge, "no side may exceed"),
        (meta() + header(24, 20, 32) + pixels(DEEP), UnsupportedType, "32 bits a pixel"),
        (meta() + header(24, 20, 1) + pixels(DEEP), UnsupportedType, "1 bits a pixel"),
        (meta() + header(25, 20) + pixels(DEEP), DamagedImage, "ends before its image data is complete"),
        (WHOLE[:-1], DamagedImage, "ends before its image data is complete"),
    ],
)
def test_what_is_no_image_here_is_refused(data: bytes, error: type[ImageError] | None, words: str) -> None:
    if error is None:
        assert np.array_equal(cells_of(data), DEEP)
        return
    with pytest.raises(error, match=words):
        inspect_image(data)


@pytest.mark.parametrize(
    ("elements", "words"),
    [
        ({"PhotometricInterpretation": "RGB"}, r"in colour \(RGB\)"),
        ({"PhotometricInterpretation": "PALETTE COLOR"}, r"in colour \(PALETTE COLOR\)"),
        ({"SamplesPerPixel": 3}, "only grey ones are read"),
        ({"PhotometricInterpretation": "Doe^Jane"}, "not said to be grey"),
    ],
)
def test_colours_are_refused(elements: dict[str, Any], words: str) -> None:
    with pytest.raises(UnsupportedType, match=words):
        inspect_image(as_bytes(radiograph(FLAT, **elements)))


@pytest.mark.parametrize(
    "body",
    [
        element(0x00091001, b"SQ", b"", OPEN),  # without an end
        element(0x00091001, b"SQ", b"", 500_000),
        element(0x00091001, b"SQ", number(0x00280010, 4), OPEN),  # no items
        element(0x00283010, b"SQ", item(element(0x00283006, b"OW", b"", 4_000_000_000)), 20),
        element(0x00283010, b"SQ", item(b"", 4_000_000_000), 8),
        element(0x00091001, b"OB", b"", 4_000_000_000),
        element(0x00091001, b"LO", b"", 65_535),
        wrapped(b"", 33, closed=False),
        wrapped(b"", 5_000, closed=False),
        element(0x00091001, b"SQ", item(b"", OPEN) * 20_000, OPEN),
        item(b""),
        number(0x00090001, 1) * 100_001,
    ],
)
def test_lengths_that_lie(body: bytes) -> None:
    with pytest.raises(DamagedImage, match="DICOM file"):
        inspect_image(meta() + body + header(24, 20) + pixels(DEEP))


def test_tables_inside_themselves() -> None:
    nested = b""
    for _ in range(200):
        nested = element(0x00283010, b"SQ", item(nested, OPEN) + item(b"", tag=0xFFFEE00D), OPEN)
        nested += item(b"", tag=0xFFFEE0DD)
    with pytest.raises(DamagedImage, match="nested more than 32 deep"):
        inspect_image(meta() + header(24, 20, extra=[nested]) + pixels(DEEP))


def deflated(body: bytes) -> bytes:
    squeezer = zlib.compressobj(9, wbits=-15)
    return meta(DeflatedExplicitVRLittleEndian) + squeezer.compress(body) + squeezer.flush()


@pytest.mark.parametrize(
    "body",
    [
        header(24, 20) + element(0x7FE00010, b"OW", bytes(1 << 28)),
        header(24, 20, extra=[element(0x00291010, b"OB", bytes(1 << 28))]) + pixels(DEEP),
        bytes(1 << 28),
        (number(0x00090001, 1) * (1 << 25))[: 1 << 28],
    ],
    ids=["pixels", "header", "zeros", "elements"],
)
def test_deflate_bombs_stay_small(body: bytes) -> None:
    bomb = deflated(body)
    tracemalloc.start()
    try:
        try:
            assert not shown_frame(inspect_image(bomb)).any()
        except ImageError as error:
            assert error.code == "damaged-image"
        assert tracemalloc.get_traced_memory()[1] < 64 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("syntax", [*PLAIN, JPEG2000Lossless])
def test_half_a_file_is_refused(syntax: str, keep: float) -> None:
    raw = as_bytes(radiograph(np.tile(DEEP, (20, 20)), syntax))
    with pytest.raises(DamagedImage):
        shown_frame(inspect_image(raw[: int(len(raw) * keep)]))


def fragments(*pieces: bytes, end: bool = True) -> bytes:
    body = b"".join(pieces) + (item(b"", tag=0xFFFEE0DD) if end else b"")
    return meta(JPEG2000Lossless) + header(24, 20) + element(0x7FE00010, b"OB", body, OPEN)


FRAME = compressed(DEEP, JPEG2000Lossless)


@pytest.mark.parametrize(
    "data",
    [
        fragments(),
        fragments(item(b"")),
        fragments(item(b""), end=False),
        fragments(item(b""), item(FRAME), end=False),
        fragments(item(b""), item(FRAME, 4_000_000_000)),
        fragments(item(b""), item(FRAME, OPEN)),
        fragments(item(b""), item(b"")),
        fragments(item(b""), item(FRAME[:-40])),
        fragments(item(b""), item(FRAME[:100]), item(FRAME[140:])),
        fragments(item(b""), item(FRAME[:60]), *[item(b"")] * 100_001),
        meta(JPEG2000Lossless) + header(24, 20) + pixels(DEEP),  # not compressed after all
    ],
)
def test_fragments_that_do_not_add_up(data: bytes) -> None:
    with pytest.raises(DamagedImage):
        shown_frame(inspect_image(data))


@pytest.mark.parametrize(("rows", "columns"), [(24, 21), (25, 20), (2, 240)])
def test_the_frames_own_size_is_compared_before_it_is_decoded(rows: int, columns: int) -> None:
    raw = as_bytes(radiograph(DEEP, JPEG2000Lossless, Rows=rows, Columns=columns))
    with pytest.raises(DamagedImage, match=f"says {columns} x {rows} pixels, and its compressed frame 20 x 24"):
        inspect_image(raw)


def test_a_table_of_offsets_that_lies_is_left_out() -> None:
    assert np.array_equal(cells_of(fragments(item(struct.pack("<3I", 0, 7, 1 << 31)), item(FRAME))), DEEP)


def test_nothing_but_what_is_wanted_is_kept() -> None:
    dataset = radiograph(DEEP, ExplicitVRLittleEndian, PatientName="Doe^Jane", PatientID="4711", StudyDate="20260101")
    dataset.OtherPatientIDsSequence = [Dataset()]
    found = read_header(as_bytes(dataset))
    kept = b"".join(found.values.values())
    assert not any(word in kept for word in (b"Doe", b"4711", b"20260101"))
    assert {"Rows", "Columns", "SOPClassUID"} <= set(found.values)


def test_big_endian_words_are_turned_and_bytes_are_not() -> None:
    dataset = radiograph(FLAT, ExplicitVRBigEndian)
    dataset["PixelData"].VR = "OB"
    assert np.array_equal(cells_of(as_bytes(dataset)), FLAT)
