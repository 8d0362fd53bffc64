"""Damaged files give an ImageError or a result, in work that grows with the file alone, and never another exception."""

import contextlib
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sitegen_runtime.errors import ImageError
from sitegen_runtime.formats import InspectedImage, decode_png, inspect_image
from tests.helpers.runtime.images import chunk, decoded, encode_png, mutations, picture, random_samples, saved
from tests.helpers.runtime.slow_inputs import lines_of_the_runtime, read, recipes

GOOD_FILES = {
    "png-grey": saved(picture(mode="L"), "PNG"),
    "png-rgb": saved(picture(), "PNG"),
    "png-alpha": saved(picture(mode="RGBA"), "PNG"),
    "png-16": encode_png(random_samples(1, 33, 21, 0, 16), 0, 16, interlaced=True),
    "png-palette": encode_png(random_samples(1, 33, 21, 3, 4), 3, 4, before=chunk(b"PLTE", bytes(range(48)))),
    "jpeg-grey": saved(picture(mode="L"), "JPEG", quality=95),
    "jpeg-colour": saved(picture(), "JPEG", quality=60, restart_marker_blocks=2),
    "jpeg-progressive": saved(picture(), "JPEG", progressive=True),
    "webp-lossy": saved(picture(), "WEBP"),
    "webp-lossless": saved(picture(mode="RGBA"), "WEBP", lossless=True),
    "webp-animated": saved(picture(), "WEBP", save_all=True, append_images=[picture(seed=1)]),
}


def use(image: InspectedImage) -> None:
    """Decode an image that passed, in the way that it asks for."""
    assert image.width * image.height <= 1_000_000
    if image.decoder == "python":
        assert sum(piece.row_count for piece in decode_png(image).pieces()) == image.height
        return
    try:
        pixels = decoded(image.payload)
    except OSError:
        return
    assert pixels.shape[:2] == (image.height, image.width)


@pytest.mark.parametrize("name", GOOD_FILES)
def test_damage_by_seed(name: str) -> None:
    for number, broken in enumerate(mutations(GOOD_FILES[name], 240, seed=len(name))):
        with lines_of_the_runtime() as count:
            try:
                use(inspect_image(broken, max_pixels=1_000_000))
            except ImageError as error:
                assert str(error).endswith("."), (number, error)
        # A byte holds eight codes at most, and none takes over twenty lines: the way is never longer than the file.
        assert 0 < count["lines"] <= 160 * len(broken), number


@pytest.mark.parametrize("seed", range(3))
def test_pieces_repeated_where_decoders_look_cost_no_more_than_other_bytes(seed: int) -> None:
    for name, make in itertools.islice(recipes(seed), 40):
        broken = make(8_000)
        with lines_of_the_runtime() as count:
            read(broken)
        assert 0 < count["lines"] <= 160 * len(broken), name
    for _, make in itertools.islice(recipes(seed), 40):
        read(make(500_000))  # in C there are no lines to count: were it the square of the length, this would not end


@pytest.mark.parametrize("name", [name for name in GOOD_FILES if name.startswith("png")])
def test_damage_never_changes_the_pixels_of_a_png(name: str) -> None:
    good = inspect_image(GOOD_FILES[name])
    for broken in mutations(GOOD_FILES[name], 240, seed=3):
        try:
            image = inspect_image(broken, max_pixels=1_000_000)
        except ImageError:
            continue
        assert image.payload == good.payload


@pytest.mark.parametrize("options", [{}, {"restart_marker_rows": 1}, {"subsampling": 0}], ids=str)
def test_parts_lost_from_a_jpeg_scan_are_found(options: dict[str, int]) -> None:
    good = saved(picture(300, 200, "L"), "JPEG", quality=90, **options)
    start = good.index(b"\xff\xda") + 14
    for at in range(start, len(good) - 302, 301):
        for broken in (good[:at] + good[at + 300 :], good[:at] + b"\x5a" * 300 + good[at + 300 :]):
            with pytest.raises(ImageError):
                inspect_image(broken)


@settings(max_examples=200, deadline=None)
@given(
    start=st.sampled_from([b"", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", b"\xff\xd8\xff", b"RIFF\x20\0\0\0WEBPVP8 "]),
    rest=st.binary(max_size=80),
)
def test_arbitrary_bytes(start: bytes, rest: bytes) -> None:
    with contextlib.suppress(ImageError):
        use(inspect_image(start + rest, max_pixels=1_000_000))


@settings(max_examples=200, deadline=None)
@given(payload=st.binary(max_size=200), png_like=st.booleans(), media_type=st.sampled_from(["image/png", "image/webp"]))
def test_payloads_that_were_not_made_here(payload: bytes, png_like: bool, media_type: str) -> None:
    if png_like:
        payload = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", payload[:13]) + chunk(b"IDAT", payload[13:])
    with contextlib.suppress(ImageError):
        list(decode_png(InspectedImage(media_type, 1, 1, 8, True, 1, "python", payload)).pieces())
