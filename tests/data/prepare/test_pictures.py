"""Pictures at other sizes, with noise, blurred, and in halves."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.ndimage import gaussian_filter
from skimage.transform import downscale_local_mean

from sitegen.data.prepare.pictures import read_picture
from sitegen.data.prepare.sizes import Size, read_size, resized
from sitegen.errors import SettingsError
from tests.data.prepare.conftest import Sitegen, opened


def by_lanczos(pixels: np.ndarray, width: int, height: int) -> np.ndarray:
    """Lanczos by its formula, in float64: three lobes of the larger of both pixels, weights that add up to 1."""
    for axis, count in ((1, width), (0, height)):
        length = pixels.shape[axis]
        scale = max(1.0, length / count)
        middle = (np.arange(count)[:, None] + 0.5) * length / count
        away = (np.arange(length)[None] + 0.5 - middle) / scale
        weights = np.where(np.abs(away) < 3, np.sinc(away) * np.sinc(away / 3), 0)
        weights /= weights.sum(1, keepdims=True)
        pixels = np.moveaxis(np.tensordot(weights, pixels, (1, axis)), 0, axis)
    return np.clip(pixels, 0, 65535)


def test_lanczos_to_a_square_and_not(pictures: Path, sitegen: Sitegen, tmp_path: Path) -> None:
    assert sitegen("resize", pictures, "-o", tmp_path / "square", "--size", 24).exit_code == 0
    assert sitegen("resize", pictures, "-o", tmp_path / "wide", "--size", "80x31").exit_code == 0
    for name in ("grey", "colour", "more/deep"):
        original = opened(pictures / f"{name}.png")
        for out, size in (("square", (24, 24)), ("wide", (80, 31))):
            found = opened(tmp_path / out / f"{name}.png")
            # Of bytes each axis is rounded, and negative weights make more of the first one's half a grey.
            bound = 1.5 if found.dtype == np.uint8 else 0.51
            assert np.abs(found - by_lanczos(original, *size)).max() <= bound
    assert opened(tmp_path / "square/more/deep.png").dtype == np.uint16


def test_fits_that_keep_the_shape(pictures: Path, sitegen: Sitegen, tmp_path: Path) -> None:
    for fit, size in (("inside", (20, 30)), ("crop", (30, 30)), ("stretch", (30, 30))):
        assert sitegen("resize", pictures, "-o", tmp_path / fit, "--size", 30, "--fit", fit).exit_code == 0
        assert opened(tmp_path / fit / "grey.png").shape == size
    grey = opened(pictures / "grey.png")
    middle = Image.fromarray(grey[:, 10:50]).resize((30, 30), Image.Resampling.LANCZOS)
    assert np.array_equal(opened(tmp_path / "crop/grey.png"), np.asarray(middle))
    assert opened(tmp_path / "inside/turned.png").shape == (30, 20)  # upright: EXIF says to turn it


def test_area_is_the_mean_beneath() -> None:
    deep = np.random.default_rng(0).integers(0, 65536, (12, 20), dtype=np.uint16)
    found = resized(deep, Size(5, 4, method="area"))
    assert np.array_equal(found, np.floor(downscale_local_mean(deep, (3, 4)) + 0.5))
    row = np.array([[0, 30, 90]], np.uint8)
    assert resized(row, Size(2, 1, method="area")).tolist() == [[10, 70]]  # a pixel and a half each
    assert resized(row, Size(6, 2, method="area")).tolist() == [[0, 0, 30, 30, 90, 90]] * 2


@settings(max_examples=60)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 50), st.integers(1, 50), st.booleans())
def test_area_keeps_the_mean(height: int, width: int, rows: int, columns: int, deep: bool) -> None:
    kind = np.uint16 if deep else np.uint8
    picture: Any = np.random.default_rng(height).integers(0, np.iinfo(kind).max, (height, width), dtype=kind)
    found = resized(picture, Size(columns, rows, method="area"))
    assert found.shape == (rows, columns)
    assert abs(found.mean() - picture.mean()) <= 0.5 + 1e-6
    assert picture.min() <= found.min() and found.max() <= picture.max()


@pytest.mark.parametrize("text", ["0", "512x", "-3", "12.5", "1x2x3", "30000", ""])
def test_sizes_that_are_none(text: str) -> None:
    with pytest.raises(SettingsError, match="is no size"):
        read_size(text, "stretch", "area")


def test_noise_has_its_level_and_is_the_same_again(pictures: Path, sitegen: Sitegen, tmp_path: Path) -> None:
    Image.fromarray(np.full((300, 300), 128, np.uint8)).save(pictures / "flat.png")
    Image.fromarray(np.full((300, 300), 30_000, np.uint16)).save(pictures / "flat-deep.png")
    options = ("--level", 0.02, "--level", 0.1)
    assert sitegen("noise", pictures, "-o", tmp_path / "1", *options).exit_code == 0
    for level in (0.02, 0.1):
        for name, middle, white in (("flat", 128, 255), ("flat-deep", 30_000, 65_535)):
            values = opened(tmp_path / "1" / f"noise-{level}" / f"{name}.png").astype(np.float64)
            error = level * white / 300  # of a mean, and at most of a deviation, of 300 x 300 draws
            assert abs(values.mean() - middle) < 5 * error
            assert abs(values.std() - np.hypot(level * white, np.sqrt(1 / 12))) < 5 * error
    few = tmp_path / "few"
    few.mkdir()
    (few / "flat.png").write_bytes((pictures / "flat.png").read_bytes())
    sitegen("noise", few, "-o", tmp_path / "2", *options)  # alone, it gets the same noise
    sitegen("noise", few, "-o", tmp_path / "3", *options, "--seed", 2)
    same, again, other = ((tmp_path / out / "noise-0.1/flat.png").read_bytes() for out in "123")
    assert same == again != other
    flat, deep = (opened(tmp_path / "1/noise-0.1" / f"{name}.png") / 1.0 for name in ("flat", "flat-deep"))
    assert abs(np.corrcoef(flat.ravel(), deep.ravel())[0, 1]) < 5 / 300  # each name has its own


def test_blur_is_scipys(pictures: Path, sitegen: Sitegen, tmp_path: Path) -> None:
    assert sitegen("blur", pictures, "-o", tmp_path / "out", "--level", 1.5, "--level", 4).exit_code == 0
    for level in (1.5, 4):
        for name in ("grey", "more/deep", "colour"):
            original = opened(pictures / f"{name}.png").astype(np.float64)
            planes = original[..., None] if original.ndim == 2 else original
            expected = np.stack([gaussian_filter(plane, level) for plane in np.moveaxis(planes, 2, 0)], 2)
            found = opened(tmp_path / "out" / f"blur-{level}" / f"{name}.png").reshape(expected.shape)
            assert np.abs(found - expected).max() <= 0.5 + 1e-9


def test_halves_are_the_whole(pictures: Path, sitegen: Sitegen, tmp_path: Path) -> None:
    done = sitegen("halves", pictures, "-o", tmp_path / "out")
    assert done.exit_code == 0, done.output
    first, second = (
        {path.relative_to(tmp_path / "out" / half).as_posix() for path in (tmp_path / "out" / half).rglob("*.*")}
        for half in ("first", "second")
    )
    assert (len(first), len(second)) == (3, 2)
    assert first | second == {"grey.png", "colour.png", "turned.jpg", "more/deep.png", "more/photo.jpg"}
    for half, names in (("first", first), ("second", second)):
        assert all((tmp_path / "out" / half / n).read_bytes() == (pictures / n).read_bytes() for n in names)
    draws = set()
    for seed in range(1, 8):
        sitegen("halves", pictures, "-o", tmp_path / str(seed), "--seed", seed)
        draws.add(tuple(sorted(path.name for path in (tmp_path / str(seed) / "first").rglob("*.*"))))
    assert len(draws) > 1


def test_halves_keep_patients_together(sitegen: Sitegen, tmp_path: Path, refused) -> None:  # type: ignore[no-untyped-def]
    folder = tmp_path / "in" / "NORMAL"
    folder.mkdir(parents=True)
    for patient in range(1, 9):
        for image in range(3):
            Image.new("L", (8, 8), patient * 10 + image).save(folder / f"IM-{patient:04}-{image:04}.jpeg")
    out = tmp_path / "out"
    assert sitegen("halves", tmp_path / "in", "-o", out, "--by-patient", "--workers", 1).exit_code == 0
    patients = [{path.name[:7] for path in (out / half).rglob("*.jpeg")} for half in ("first", "second")]
    assert [len(each) for each in patients] == [4, 4]
    assert not patients[0] & patients[1]
    Image.new("L", (8, 8)).save(folder / "IM-0009-0000.jpeg")
    assert "Name another folder" in refused("halves", tmp_path / "in", "-o", out, "--by-patient")
    alone = tmp_path / "alone"
    alone.mkdir()
    Image.new("L", (8, 8)).save(alone / "1.png")
    assert "1 file cannot be halved" in refused("halves", alone, "-o", tmp_path / "none")


def test_bad_pictures_are_named(pictures: Path, sitegen: Sitegen, tmp_path: Path) -> None:
    whole = (pictures / "grey.png").read_bytes()
    (pictures / "cut.png").write_bytes(whole[:-200])
    for verb in ("resize", "noise", "blur", "halves"):
        done = sitegen(verb, pictures, "-o", tmp_path / verb)
        assert done.exit_code == 1
        assert done.stderr.startswith("left out: cut.png: ")
        assert done.stderr.count("left out") == 1
        assert "made from 5." in done.stdout


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("noise", "--level", 0), "--level 0 is no level of noise"),
        (("noise", "--level", "nan"), "is no level of noise"),
        (("noise", "--level", 0.1, "--level", 0.1), "Give each once"),
        (("blur", "--level", -1), "--level -1 is no level of blur"),
        (("resize", "--size", "big"), "'big' is no size"),
    ],
)
def test_wrong_use(options: tuple[object, ...], message: str, pictures: Path, tmp_path: Path, refused) -> None:  # type: ignore[no-untyped-def]
    verb, *rest = options
    assert message in refused(verb, pictures, "-o", tmp_path / "out", *rest)


def test_what_counts_as_a_picture(pictures: Path) -> None:
    assert read_picture((pictures / "turned.jpg").read_bytes()).shape == (60, 40)
    assert read_picture((pictures / "more/deep.png").read_bytes()).dtype == np.uint16
    assert read_picture((pictures / "colour.png").read_bytes()).shape == (30, 30, 3)
