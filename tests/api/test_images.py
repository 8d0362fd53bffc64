"""Arrays and Pillow images go the way of a PNG file of the same cells, and other things are named for what they are."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from PIL import Image

from sitegen import Predictor
from sitegen.api.images import as_file, png_of
from sitegen.bundle import Bundle
from tests.helpers.runtime.images import encode_png, picture, saved

SCENE = picture(90, 60, seed=1, colour=0.2)
SHAPES = st.tuples(st.integers(16, 40), st.integers(16, 40))
CELLS = st.one_of(
    arrays.arrays(np.uint8, SHAPES),
    arrays.arrays(np.uint16, SHAPES),
    arrays.arrays(np.dtype(">u2"), SHAPES),
    arrays.arrays(np.uint8, SHAPES.map(lambda shape: (*shape, 3))),
    arrays.arrays(np.uint16, SHAPES.map(lambda shape: (*shape, 3))),
)


@pytest.fixture(scope="module")
def predictor(bundle: Bundle) -> Predictor:
    return Predictor(bundle)


def said(predictor: Predictor, image: Any) -> dict[str, Any]:
    """All that is said of an image, but how long it took and what the file's bytes are."""
    document = predictor.predict(image, name="a", force=True).document
    kept = {key: value for key, value in document.items() if key != "timings"}
    return kept | {"image": document["image"] | {"sha256": None}}


@settings(max_examples=60)
@given(CELLS)
@example(np.zeros((16, 16), np.uint8))
@example(np.full((16, 17, 3), 65535, np.uint16))
def test_an_array_is_the_file_of_its_cells_to_the_bit(predictor: Predictor, cells: NDArray[Any]) -> None:
    samples = cells.reshape(*cells.shape[:2], -1)
    file = encode_png(samples, 0 if cells.ndim == 2 else 2, 8 * cells.itemsize)
    assert said(predictor, cells) == said(predictor, file)


@given(arrays.arrays(np.uint8, SHAPES.map(lambda shape: (*shape, 3))))
def test_pillow_reads_back_the_cells(cells: NDArray[np.uint8]) -> None:
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(png_of(cells)))), cells)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(png_of(cells[..., 0])))), cells[..., 0])
    deep = cells[..., 1].astype(np.uint16) * 257
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(png_of(deep)))), deep)


def test_views_are_read_as_they_look(predictor: Predictor) -> None:
    cells = np.asarray(SCENE)
    turned = cells[::-1, ::2].transpose(1, 0, 2)
    assert said(predictor, turned) == said(predictor, np.ascontiguousarray(turned))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_a_pillow_image_is_its_file(predictor: Predictor, mode: str) -> None:
    image = SCENE.quantize(32) if mode == "P" else SCENE.convert(mode)
    if mode in ("LA", "RGBA"):
        image.putalpha(Image.linear_gradient("L").resize(image.size))
    ours, files = said(predictor, image), said(predictor, saved(image, "PNG"))
    assert ours | {"image": None} == files | {"image": None}  # the file may have fewer bits a sample
    assert ours["findings"]


@pytest.mark.parametrize("mode", ["I;16", "I;16B"])
def test_sixteen_bits_stay(predictor: Predictor, mode: str) -> None:
    cells = np.arange(60 * 90, dtype=np.uint16).reshape(60, 90) * 12
    stored = cells.astype(">u2" if mode.endswith("B") else "<u2")
    image = Image.frombytes(mode, (90, 60), stored.tobytes())
    assert said(predictor, image) == said(predictor, cells)
    assert said(predictor, image)["image"]["bits"] == 16


def test_white_of_16_bits_is_65535(predictor: Predictor) -> None:
    eight = np.asarray(SCENE.convert("L"))
    first, second = said(predictor, eight), said(predictor, eight.astype(np.uint16) * 257)
    assert [finding["logit"] for finding in first["findings"]] == pytest.approx(
        [finding["logit"] for finding in second["findings"]], abs=1e-5
    )


def test_the_orientation_of_a_file_is_not_that_of_a_pillow_image(predictor: Predictor, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    (tmp_path / "a.jpg").write_bytes(saved(SCENE, "JPEG", exif=exif.tobytes()))
    with Image.open(tmp_path / "a.jpg") as image:
        assert said(predictor, image)["image"]["width"] == 90
    assert said(predictor, tmp_path / "a.jpg")["image"]["width"] == 60


@pytest.mark.parametrize("kind", [str, Path])
def test_paths(predictor: Predictor, tmp_path: Path, kind: Any) -> None:
    path = tmp_path / "scene.png"
    path.write_bytes(saved(SCENE, "PNG"))
    assert said(predictor, kind(path)) == said(predictor, path.read_bytes())
    assert predictor.predict(kind(path)).name == str(path)


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (None, "An image is a path .* not NoneType"),
        (3, "not int"),
        ([[0, 1], [2, 3]], "not list"),
        (bytearray(b"abc"), "not bytearray"),
        (np.zeros((20, 20)), r"not float64. Shares from 0 to 1 become such by"),
        (np.zeros((20, 20), np.int16), "not int16"),
        (np.zeros((20, 20), np.uint32), "not uint32"),
        (np.zeros((20, 20), bool), "not bool"),
        (np.ma.zeros((20, 20), np.uint8), "no masked cells"),
    ],
)
def test_what_is_no_image_is_a_type_error(predictor: Predictor, image: Any, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        predictor.predict(image)
    with pytest.raises(TypeError, match=words):
        predictor.explain(image)
    with pytest.raises(TypeError, match=words):
        predictor.gradient(image, "Effusion")


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (np.zeros((), np.uint8), r"not \[\]"),
        (np.zeros(20, np.uint8), r"not \[20\]"),
        (np.zeros((0, 20), np.uint8), r"not \[0, 20\]"),
        (np.zeros((3, 20, 20), np.uint8), "numpy.moveaxis"),
        (np.zeros((20, 20, 1), np.uint8), r"array\[:, :, 0\]"),
        (np.zeros((20, 20, 4), np.uint8), "alpha"),
        (np.zeros((2, 20, 20, 3), np.uint8), "predict_many"),
        (Image.new("F", (20, 20)), "not F"),
        (Image.new("I", (20, 20)), "not I:"),
        (Image.new("CMYK", (20, 20)), "not CMYK"),
        (Image.new("YCbCr", (20, 20)), "not YCbCr"),
    ],
)
def test_other_shapes_and_modes_are_value_errors(predictor: Predictor, image: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        predictor.predict(image)


def test_what_pillow_cannot_read_is_an_error_of_the_image(predictor: Predictor, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(saved(SCENE, "JPEG")[:-400])
    image = Image.open(tmp_path / "a.jpg")
    result = predictor.predict(image)
    assert result.error is not None
    assert (result.error.code, result.name) == ("damaged-image", "image")
    with pytest.raises(Exception, match="Pillow cannot read"):
        predictor.explain(Image.open(tmp_path / "a.jpg"))


def test_a_file_stays_a_file() -> None:
    assert as_file("a/b.png") == Path("a/b.png")
    assert as_file(b"abc") == b"abc"
