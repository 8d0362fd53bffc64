"""PNG: what is accepted, what is refused and why, and the pixels of the Python decoder."""

import io
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from sitegen_runtime.errors import DamagedImage, TooLarge, UnsupportedType
from sitegen_runtime.formats import InspectedImage, decode_png, inspect_image
from tests.helpers.runtime.images import (
    CHANNELS,
    KINDS,
    SIGNATURE,
    Samples,
    chunk,
    decoded,
    encode_png,
    packed_row,
    picture,
    random_samples,
    saved,
)

PALETTE = bytes(range(256)) * 3


def pixels(image: InspectedImage) -> Samples:
    """The Python decoder's pixels, height x width x channels."""
    found = decode_png(image)
    pieces = list(found.pieces())
    assert [piece.first_row for piece in pieces if piece.row_count] == list(
        np.cumsum([0] + [piece.row_count for piece in pieces if piece.row_count])[:-1]
    )
    assert sum(piece.row_count for piece in pieces) == image.height
    kind = "<u2" if found.sample_bits == 16 else "u1"
    values = np.frombuffer(b"".join(piece.samples for piece in pieces), kind)
    return values.reshape(image.height, image.width, found.channels)


def expected(samples: Samples, colour_type: int, bits: int, palette: bytes = PALETTE) -> Samples:
    """What decoding must give, by NumPy."""
    if colour_type == 3:
        return np.frombuffer(palette, np.uint8).reshape(-1, 3)[samples[:, :, 0]]
    colours = samples[:, :, : {4: 1, 6: 3}.get(colour_type)]
    return colours if bits >= 8 else colours * 255 // ((1 << bits) - 1)


def palette_for(colour_type: int, bits: int) -> bytes:
    """A palette chunk where one is needed."""
    return chunk(b"PLTE", PALETTE[: 3 << bits]) if colour_type == 3 else b""


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize(("colour_type", "bits"), KINDS)
def test_pixels_of_every_kind(colour_type: int, bits: int, interlaced: bool) -> None:
    samples = random_samples(bits, 21, 13, colour_type, bits)
    data = encode_png(
        samples, colour_type, bits, interlaced=interlaced, before=palette_for(colour_type, bits), idat_size=50
    )
    image = inspect_image(data)
    assert (image.media_type, image.width, image.height, image.bits) == ("image/png", 13, 21, bits)
    assert image.grey == (colour_type in (0, 4))
    assert image.decoder == (
        "platform" if (bits == 8 and colour_type != 3) or (bits == 16 and image.grey) else "python"
    )
    assert np.array_equal(pixels(image), expected(samples, colour_type, bits))


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize("colour_type", [4, 6])
def test_alpha_is_taken_out_for_the_platforms_decoder(colour_type: int, interlaced: bool) -> None:
    samples = random_samples(3, 70, 45, colour_type, 8)
    data = encode_png(samples, colour_type, 8, interlaced=interlaced, filter_of=lambda row: row % 5)
    with Image.open(io.BytesIO(inspect_image(data).payload)) as opaque:
        assert opaque.mode == {4: "L", 6: "RGB"}[colour_type]
        found = np.asarray(opaque).reshape(70, 45, -1)
    assert np.array_equal(found, expected(samples, colour_type, 8)[:, :, : found.shape[2]])


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize("colour_type", [0, 4])
def test_sixteen_bits_of_grey_are_two_of_eight_for_the_platforms_decoder(colour_type: int, interlaced: bool) -> None:
    samples = random_samples(4, 70, 45, colour_type, 16)
    data = encode_png(samples, colour_type, 16, interlaced=interlaced, filter_of=lambda row: row % 5)
    with Image.open(io.BytesIO(inspect_image(data).payload)) as paired:
        upper, lower, rest = (plane.astype(np.uint16) for plane in np.moveaxis(np.asarray(paired), 2, 0))
    assert np.array_equal(upper << 8 | lower, samples[..., 0])
    assert not rest.any()


def test_large_images_are_handed_on_compressed() -> None:
    width, height = 5_000, 4_500  # three bytes a pixel: more than 64 MiB
    raw = zlib.compress(bytes((1 + 2 * width) * height), 1)
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, 0, 0, 0, 0))
    payload = inspect_image(SIGNATURE + header + chunk(b"IDAT", raw) + chunk(b"IEND", b"")).payload
    assert len(payload) < 10_000_000
    assert zlib.decompress(payload[41:-16]) == bytes((1 + 3 * width) * height)


@settings(max_examples=60, deadline=None)
@given(
    kind=st.sampled_from(KINDS),
    width=st.integers(1, 20),
    height=st.integers(1, 12),
    interlaced=st.booleans(),
    filters=st.lists(st.integers(0, 4), min_size=1, max_size=5),
    seed=st.integers(0, 999),
)
def test_pixels_of_any_size_and_filters(
    kind: tuple[int, int], width: int, height: int, interlaced: bool, filters: list[int], seed: int
) -> None:
    colour_type, bits = kind
    samples = np.random.default_rng(seed).integers(0, 1 << bits, (height, width, CHANNELS[colour_type]))
    data = encode_png(
        samples,
        colour_type,
        bits,
        interlaced=interlaced,
        filter_of=lambda row: filters[row % len(filters)],
        before=palette_for(colour_type, bits),
    )
    assert np.array_equal(pixels(inspect_image(data)), expected(samples, colour_type, bits))


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "LA"])
def test_pixels_are_those_of_pillow(mode: str) -> None:
    image = picture(301, 203, mode)
    found = pixels(inspect_image(saved(image, "PNG")))
    assert np.array_equal(found, np.asarray(image).reshape(203, 301, -1)[:, :, : {"L": 1, "LA": 1}.get(mode, 3)])


def test_pixels_of_sixteen_bits_are_those_of_pillow() -> None:
    samples = random_samples(5, 90, 80, 0, 16)
    data = encode_png(samples, 0, 16)
    assert np.array_equal(pixels(inspect_image(data))[:, :, 0], decoded(data))


def test_a_large_image_comes_in_pieces_of_rows() -> None:
    raw = (b"\0" + bytes(4000 * 6)) * 160
    data = SIGNATURE + chunk(b"IHDR", struct.pack(">IIBBBBB", 4000, 160, 16, 2, 0, 0, 0))
    pieces = list(decode_png(inspect_image(data + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b""))).pieces())
    assert len(pieces) > 4
    assert max(len(piece.samples) for piece in pieces) < 1_000_000


def test_payload_says_nothing_that_decoders_read_differently() -> None:
    samples = random_samples(1, 9, 9, 2, 8)
    extras = {
        b"gAMA": struct.pack(">I", 100000),
        b"cHRM": bytes(32),
        b"iCCP": b"x\0\0" + zlib.compress(b"profile"),
        b"sRGB": b"\0",
        b"cICP": b"\x09\x10\0\1",
        b"tRNS": bytes(6),
        b"PLTE": bytes(9),
        b"eXIf": b"MM\0*\0\0\0\x08\0\1\x01\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0",
        b"tEXt": b"a\0b",
    }
    before = b"".join(chunk(name, body) for name, body in extras.items())
    image = inspect_image(encode_png(samples, 2, 8, before=before, after=chunk(b"tIME", bytes(7)), idat_size=40))
    assert image.payload == inspect_image(encode_png(samples, 2, 8)).payload
    assert (image.orientation, image.decoder, image.notes) == (6, "platform", ())
    assert np.array_equal(decoded(image.payload), samples)
    assert inspect_image(image.payload).payload == image.payload


def test_animation_gives_its_still_picture_with_a_note() -> None:
    samples = random_samples(1, 9, 9, 0, 8)
    image = inspect_image(encode_png(samples, 0, 8, before=chunk(b"acTL", bytes(8)), after=chunk(b"fdAT", bytes(9))))
    assert image.notes == ("Animated image: only its still picture was analysed.",)
    assert b"acTL" not in image.payload
    assert b"fdAT" not in image.payload


GOOD = encode_png(random_samples(3, 40, 30, 0, 8), 0, 8)
HEADER = GOOD[:33]
RAW = b"".join(b"\0" + bytes(30) for _ in range(40))
END = chunk(b"IEND", b"")


@pytest.mark.parametrize("cut", [1, 4, 12])
def test_a_missing_end_is_forgiven_with_a_note(cut: int) -> None:
    image = inspect_image(GOOD[:-cut])
    assert image.notes == ("The end of the file is missing or damaged, but the image data is complete.",)
    assert image.payload == inspect_image(GOOD).payload


def test_every_other_cut_is_refused() -> None:
    for length in range(8, len(GOOD) - 12):
        with pytest.raises(DamagedImage):
            inspect_image(GOOD[:length])


def test_a_damaged_description_is_ignored_with_a_note() -> None:
    text = bytearray(chunk(b"tEXt", b"a\0b"))
    text[-1] ^= 1
    image = inspect_image(HEADER + bytes(text) + GOOD[33:])
    assert image.notes == ("Damaged descriptions in the file were ignored (tEXt).",)


@pytest.mark.parametrize(
    ("data", "error", "words"),
    [
        (HEADER + END, DamagedImage, "no image data"),
        (HEADER + chunk(b"IDAT", zlib.compress(RAW[:-1])) + END, DamagedImage, "ends before"),
        (HEADER + chunk(b"IDAT", zlib.compress(RAW * 2)) + END, DamagedImage, "twice the image data"),
        (HEADER + chunk(b"IDAT", zlib.compress(RAW)[:-1]) + END, DamagedImage, "ends before"),
        (HEADER + chunk(b"IDAT", zlib.compress(RAW)[:-1] + b"\2") + END, DamagedImage, "damaged"),
        (HEADER + chunk(b"IDAT", zlib.compress(RAW[:-31] + b"\5" + bytes(30))) + END, DamagedImage, "damaged"),
        (HEADER + chunk(b"CgBI", b"") + GOOD[33:], UnsupportedType, "CgBI"),
        (HEADER + HEADER[8:] + GOOD[33:], DamagedImage, "two headers"),
        (GOOD[:-12] + chunk(b"tEXt", b"") + chunk(b"IDAT", b"") + END, DamagedImage, "disorder"),
        (GOOD[:40] + bytes([GOOD[40] ^ 32]) + GOOD[41:], DamagedImage, "Copy"),
        (GOOD[:60] + bytes([GOOD[60] ^ 1]) + GOOD[61:], DamagedImage, "checksum"),
        (GOOD[:20] + b"\7" + GOOD[21:], DamagedImage, "header"),
        (encode_png(random_samples(1, 4, 4, 3, 8), 3, 8), DamagedImage, "palette"),
        (encode_png(random_samples(1, 4, 4, 3, 8), 3, 8, before=chunk(b"PLTE", bytes(7))), DamagedImage, "palette"),
    ],
)
def test_refusals(data: bytes, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        inspect_image(data)


@pytest.mark.parametrize(
    "fields",
    [
        (4, 4, 3, 0, 0, 0, 0),
        (4, 4, 8, 1, 0, 0, 0),
        (4, 4, 8, 0, 1, 0, 0),
        (4, 4, 8, 0, 0, 1, 0),
        (4, 4, 8, 0, 0, 0, 2),
    ],
)
def test_impossible_headers(fields: tuple[int, ...]) -> None:
    with pytest.raises(DamagedImage, match="header"):
        inspect_image(SIGNATURE + chunk(b"IHDR", struct.pack(">IIBBBBB", *fields)) + GOOD[33:])


def test_an_index_beyond_the_palette() -> None:
    samples = np.array([[[0], [3]]])
    image = inspect_image(encode_png(samples, 3, 8, before=chunk(b"PLTE", bytes(9))))
    with pytest.raises(DamagedImage, match="palette"):
        list(decode_png(image).pieces())


def test_bytes_behind_the_compressed_stream_are_dropped() -> None:
    body = zlib.compress(RAW)
    image = inspect_image(HEADER + chunk(b"IDAT", body + b"junk") + END)
    assert image.payload == HEADER + chunk(b"IDAT", body) + END


def test_too_many_pixels_are_refused_before_inflating() -> None:
    data = SIGNATURE + chunk(b"IHDR", struct.pack(">IIBBBBB", 20000, 20000, 8, 0, 0, 0, 0)) + b"no data"
    with pytest.raises(TooLarge, match=r"400,000,000 pixels; the limit is 100,000,000"):
        inspect_image(data)
    with pytest.raises(TooLarge):
        inspect_image(GOOD, max_pixels=1199)
    assert inspect_image(GOOD, max_pixels=1200).width == 30


def test_a_bomb_is_stopped_in_bounded_memory() -> None:
    data = HEADER + chunk(b"IDAT", zlib.compress(bytes(200_000_000), 1)) + END
    tracemalloc.start()
    with pytest.raises(DamagedImage):
        inspect_image(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10_000_000


def test_a_row_packs_its_first_sample_highest() -> None:
    assert packed_row(np.array([1, 0, 0, 0, 0, 0, 1, 1, 1]), 1) == b"\x83\x80"
