"""WebP: what is accepted, what is refused, and that payloads keep colours without alpha."""

import io

import numpy as np
import pytest
from PIL import Image

from sitegen_runtime.errors import DamagedImage, TooLarge, UnsupportedType
from sitegen_runtime.formats import inspect_image
from tests.helpers.runtime.images import Samples, decoded, picture, saved

LOSSY = saved(picture(67, 45), "WEBP", quality=80)
LOSSLESS = saved(picture(67, 45), "WEBP", lossless=True)


def riff(*chunks: tuple[bytes, bytes]) -> bytes:
    """A WebP file of such chunks."""
    body = b"".join(n + len(c).to_bytes(4, "little") + c + b"\0" * (len(c) % 2) for n, c in chunks)
    return b"RIFF" + (len(body) + 4).to_bytes(4, "little") + b"WEBP" + body


def bitstream(data: bytes) -> bytes:
    """The content of the only chunk of a simple file."""
    return data[20 : 20 + int.from_bytes(data[16:20], "little")]


def extended(flags: int, width: int = 67, height: int = 45) -> tuple[bytes, bytes]:
    """A VP8X chunk."""
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"VP8X", bytes((flags, 0, 0, 0)) + size


def frame(width: int, height: int, column: int, row: int, content: bytes) -> tuple[bytes, bytes]:
    """An ANMF chunk around a VP8 bitstream."""
    numbers = (column // 2, row // 2, width - 1, height - 1, 100)
    header = b"".join(number.to_bytes(3, "little") for number in numbers) + b"\0"
    return b"ANMF", header + b"VP8 " + len(content).to_bytes(4, "little") + content + b"\0" * (len(content) % 2)


@pytest.mark.parametrize("data", [LOSSY, LOSSLESS], ids=["lossy", "lossless"])
def test_simple_files_pass_unchanged(data: bytes) -> None:
    image = inspect_image(data)
    assert (image.media_type, image.width, image.height, image.bits) == ("image/webp", 67, 45, 8)
    assert (image.grey, image.orientation, image.decoder, image.notes) == (False, 1, "platform", ())
    assert image.payload == data


@pytest.mark.parametrize("quality", [0, 50, 100])
@pytest.mark.parametrize("size", [(1, 1), (16, 16), (130, 77)])
def test_lossy_files_of_all_qualities(quality: int, size: tuple[int, int]) -> None:
    assert inspect_image(saved(picture(*size), "WEBP", quality=quality)).width == size[0]


def transparent() -> tuple[Image.Image, Samples]:
    """A picture with every degree of transparency, and its colours."""
    colours = np.asarray(picture(64, 48))
    alpha = np.random.default_rng(1).integers(0, 256, (48, 64, 1), np.uint8)
    return Image.fromarray(np.concatenate([colours, alpha], axis=2), "RGBA"), colours


def test_lossless_images_with_transparency_are_refused() -> None:
    picture_with_alpha, _ = transparent()
    with pytest.raises(UnsupportedType, match="Save the image as PNG"):
        inspect_image(saved(picture_with_alpha, "WEBP", lossless=True, exact=True))


def test_lossy_alpha_is_left_out() -> None:
    picture_with_alpha, _ = transparent()
    data = saved(picture_with_alpha, "WEBP", quality=90, exact=True)
    payload = inspect_image(data).payload
    assert b"ALPH" in data
    assert b"ALPH" not in payload
    assert np.array_equal(decoded(payload), decoded(data)[:, :, :3])


def test_orientation_comes_from_exif_and_descriptions_go() -> None:
    exif = Image.Exif()
    exif[0x0112] = 3
    image = inspect_image(saved(picture(67, 45), "WEBP", exif=exif, icc_profile=b"profile", xmp=b"<x/>", quality=80))
    assert image.orientation == 3
    assert image.payload == LOSSY


def test_animation_gives_its_first_frame() -> None:
    data = saved(picture(67, 45), "WEBP", save_all=True, append_images=[picture(67, 45, seed=2)], lossless=True)
    image = inspect_image(data)
    assert image.notes == ("Animated image: only the first frame was analysed.",)
    assert np.array_equal(decoded(image.payload), np.asarray(picture(67, 45)))


def test_a_frame_that_covers_a_part_is_noted() -> None:
    data = riff(extended(2, 80, 50), (b"ANIM", bytes(6)), frame(67, 45, 2, 4, bitstream(LOSSY)))
    image = inspect_image(data)
    assert (image.width, image.height) == (67, 45)
    assert image.notes[1] == "That frame covers 67 x 45 of 80 x 50 pixels."


@pytest.mark.parametrize("data", [LOSSY, LOSSLESS], ids=["lossy", "lossless"])
def test_every_cut_is_refused(data: bytes) -> None:
    for length in range(12, len(data), 3):
        with pytest.raises(DamagedImage):
            inspect_image(data[:length])


def test_zeros_behind_the_end_are_dropped_and_junk_is_refused() -> None:
    assert inspect_image(LOSSY + bytes(3)).payload == LOSSY
    with pytest.raises(DamagedImage, match="longer than"):
        inspect_image(LOSSY + b"junk")


def test_a_frame_shorter_than_its_partitions_is_refused() -> None:
    content = bitstream(LOSSY)
    first_partition = int.from_bytes(content[:3], "little") >> 5
    with pytest.raises(DamagedImage, match="ends before"):
        inspect_image(riff((b"VP8 ", content[: 10 + first_partition])))
    assert inspect_image(riff((b"VP8 ", content))).payload == LOSSY


@pytest.mark.parametrize(
    "data",
    [
        riff(),
        riff(extended(0)),
        riff(extended(2), (b"ANIM", bytes(6))),
        riff(extended(2), (b"ANMF", bytes(7))),
        riff(extended(0, 66), (b"VP8 ", bitstream(LOSSY))),
        riff(extended(2), frame(67, 45, 2, 0, bitstream(LOSSY))),
        riff(extended(2), frame(60, 45, 2, 0, bitstream(LOSSY))),
        riff((b"VP8L", b"\x2f" + b"\xff" * 9)),
        riff((b"VP8L", b"\x2e" + bytes(9))),
        riff((b"VP8 ", b"")),
        riff((b"VP8 ", b"\1" + bitstream(LOSSY)[1:])),
        riff((b"junk", b""), (b"VP8 ", bitstream(LOSSY))),
        LOSSY[:16] + b"\xff\xff" + LOSSY[18:],
    ],
)
def test_refusals(data: bytes) -> None:
    with pytest.raises(DamagedImage, match="Copy"):
        inspect_image(data)


def test_too_many_pixels() -> None:
    for data in (LOSSY, LOSSLESS, riff(extended(0, 1 << 24, 1 << 24), (b"VP8 ", bitstream(LOSSY)))):
        with pytest.raises(TooLarge):
            inspect_image(data, max_pixels=3014)


def test_pillow_reads_the_payload_as_opaque() -> None:
    picture_with_alpha, _ = transparent()
    payload = inspect_image(saved(picture_with_alpha, "WEBP", quality=90)).payload
    with Image.open(io.BytesIO(payload)) as image:
        assert image.mode == "RGB"
