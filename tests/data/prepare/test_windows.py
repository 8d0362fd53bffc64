"""Windows: DICOM against pydicom, NIfTI against nibabel, and both against one another, in 8 and 16 bits."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.pixels.processing import apply_modality_lut

from sitegen.cli.data import _preparing
from sitegen.data.prepare.pictures import png_of
from sitegen.data.prepare.volumes import AXES
from sitegen.data.prepare.windows import PRESETS, Greys, chosen, dicom_picture, graded
from sitegen.errors import SettingsError
from sitegen.prediction.pixels import shown_frame
from sitegen_runtime.errors import UnsupportedType
from sitegen_runtime.formats import inspect_image
from sitegen_runtime.formats.dicom.display import LINEAR_EXACT, Shades, Stored, Window
from tests.data.prepare.conftest import MAKE_VOLUME, Sitegen, opened
from tests.helpers.dicom_files import as_bytes, radiograph

CELLS = np.random.default_rng(1).integers(0, 4096, (24, 20), dtype=np.uint16)
HOUNSFIELD = {"RescaleSlope": "1", "RescaleIntercept": "-1024", "WindowCenter": "500", "WindowWidth": "100"}
ALL_SHORTS = np.arange(-32768, 32768)


def by_hand(values: np.ndarray, level: float, width: float, top: int) -> np.ndarray:
    """Greys by the formula in float64: within half a grey, and a hair, of the exact ones."""
    return top * np.clip((values - (level - width / 2)) / width, 0, 1)


@pytest.mark.parametrize("depth", [8, 16])
def test_a_dicom_files_values_are_windowed(depth: int, tmp_path: Path, sitegen: Sitegen) -> None:
    path = tmp_path / "in" / "ct.dcm"
    path.parent.mkdir()
    path.write_bytes(as_bytes(radiograph(CELLS, **HOUNSFIELD, BitsStored=12, HighBit=11)))
    done = sitegen("window", path.parent, "-o", tmp_path / "out", "--level", 40, "--width", 400, "--depth", depth)
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("1 file(s) made from 1.\n")
    found = opened(tmp_path / "out/ct.png")
    assert found.dtype == (np.uint8 if depth == 8 else np.uint16)
    values = apply_modality_lut(CELLS, dcmread(path))
    assert np.abs(found - by_hand(values, 40, 400, 2**depth - 1)).max() <= 0.5 + 1e-6


def test_without_a_window_the_file_says_itself() -> None:
    raw = as_bytes(radiograph(CELLS, **HOUNSFIELD))
    own = dicom_picture(raw, Greys())
    assert np.array_equal(own, shown_frame(inspect_image(raw)))
    assert np.abs(dicom_picture(raw, Greys(16)) / 257 - own).max() <= 0.5 + 1 / 257
    full = dicom_picture(raw, Greys(full=True))
    assert (full.min(), full.max()) == (0, 255)
    inverted = as_bytes(radiograph(CELLS, **HOUNSFIELD, PhotometricInterpretation="MONOCHROME1"))
    assert np.array_equal(dicom_picture(inverted, Greys(16)), 65535 - dicom_picture(raw, Greys(16)))
    with pytest.raises(UnsupportedType, match="no DICOM file"):
        dicom_picture(png_of(np.zeros((4, 4), np.uint8)), Greys())


@settings(max_examples=10)
@given(st.floats(-2000, 2000), st.floats(0.01, 5000), st.sampled_from([255, 65535]))
def test_nifti_and_dicom_are_one_rule(level: float, width: float, top: int) -> None:
    """Every signed 16-bit value has the same grey as a NIfTI voxel and as a DICOM cell."""
    window = Fraction(str(level)), Fraction(str(width))
    rule = Shades(Stored(16, 16, 0, True), voi=Window(*window, LINEAR_EXACT)).greys(top=top)
    expected = np.array(rule)[ALL_SHORTS % 65536]
    assert np.array_equal(graded(ALL_SHORTS.astype(np.float64), window, top), expected)


def test_edges_are_exact() -> None:
    """Black at the lower edge, white at the upper; a half is rounded up, the number before it down."""
    window = Fraction(40), Fraction(510)  # two units a grey, from -215 to 295
    values = np.array([-1e300, -215, np.nextafter(-214, -300), -214, 0, 293.9, 294, 295, 1e300])
    assert graded(values, window, 255).tolist() == [0, 0, 0, 1, 108, 254, 255, 255, 255]


def test_slices_of_a_volume(volume_file: MAKE_VOLUME, sitegen: Sitegen, tmp_path: Path) -> None:
    """Values after slope and intercept; the patient's right at the left edge, the front and the head at the upper."""
    voxels = np.arange(2 * 3 * 4, dtype=np.int16).reshape(2, 3, 4)  # right, anterior, superior
    volume_file("in/a.nii", voxels, slope=2.0, inter=-10.0)
    for axis, shown in (
        ("axial", voxels[:, :, 1][::-1, ::-1].T),
        ("coronal", voxels[:, 1, :][::-1, ::-1].T),
        ("sagittal", voxels[1, :, :][::-1, ::-1].T),
    ):
        out = tmp_path / axis
        done = sitegen("window", tmp_path / "in", "-o", out, "--level", 20, "--width", 255, "--axis", axis)
        assert done.exit_code == 0, done.output
        expected = by_hand(2.0 * shown - 10, 20, 255, 255)
        assert np.abs(opened(out / f"a/{axis}-0001.png") - expected).max() <= 0.5
    assert len(list((tmp_path / "coronal/a").iterdir())) == 3


def test_axes_that_point_elsewhere_give_the_same_pictures(
    volume_file: MAKE_VOLUME, sitegen: Sitegen, tmp_path: Path
) -> None:
    voxels = np.random.default_rng(0).integers(-1000, 1000, (5, 6, 7), dtype=np.int16)
    volume_file("in/ras.nii", voxels)
    turned = np.array([[0, -2.0, 0, 8], [0, 0, -1.0, 5], [3.0, 0, 0, 0], [0, 0, 0, 1]])  # superior, left, posterior
    volume_file("in/slp.nii", voxels[::-1, ::-1].transpose(2, 0, 1), turned)
    assert sitegen("window", tmp_path / "in", "-o", tmp_path / "out", "--full-range").exit_code == 0
    for index in range(7):
        ras, slp = (opened(tmp_path / f"out/{name}/axial-{index:04}.png") for name in ("ras", "slp"))
        assert np.array_equal(ras, slp)


def test_a_slice_lies_as_radiologists_look_at_it(volume_file: MAKE_VOLUME, sitegen: Sitegen, tmp_path: Path) -> None:
    voxels = np.zeros((5, 6, 7), np.int16)
    voxels[4, 5, 6] = 1000  # the uttermost right, anterior, superior
    volume_file("in/a.nii", voxels)
    corners = {"axial": (6, 0, 0), "coronal": (5, 0, 0), "sagittal": (4, 0, 0)}
    for axis, (index, row, column) in corners.items():
        sitegen("window", tmp_path / "in", "-o", tmp_path / axis, "--full-range", "--axis", axis)
        picture = opened(tmp_path / axis / f"a/{axis}-{index:04}.png")
        assert np.argwhere(picture).tolist() == [[row, column]]


def test_bad_volumes_are_named_and_the_others_done(volume_file: MAKE_VOLUME, sitegen: Sitegen, tmp_path: Path) -> None:
    good = np.arange(8, dtype=np.float32).reshape(2, 2, 2)
    volume_file("in/good.nii", good)
    with_nan = good.copy()
    with_nan[1, 1, 1] = np.nan
    volume_file("in/nan.nii", with_nan)
    volume_file("in/flat.nii", np.full((2, 2, 2), 7, np.int16))
    volume_file("in/film.nii", np.zeros((2, 2, 2, 5), np.int16))
    (tmp_path / "in/cut.nii").write_bytes((tmp_path / "in/good.nii").read_bytes()[:-4])
    (tmp_path / "in/text.nii.gz").write_bytes(b"no gzip")
    done = sitegen("window", tmp_path / "in", "-o", tmp_path / "out", "--full-range")
    assert done.exit_code == 1
    assert done.stdout.startswith("2 file(s) made from 1.\n")
    told = dict(line.removeprefix("left out: ").split(": ", 1) for line in done.stderr.splitlines())
    assert told["nan.nii"].startswith("It has values that are no numbers.")
    assert told["flat.nii"] == "All its values are 7: there is nothing between black and white."
    assert told["film.nii"] == "It has the shape 2x2x2x5, and is no single volume."
    assert "Get it again" in told["cut.nii"]
    assert "no NIfTI file" in told["text.nii.gz"]
    again = sitegen("window", tmp_path / "in/nan.nii", "-o", tmp_path / "nan", "--preset", "lung")
    assert "Slice 1 (axial) has 1 values that are no numbers." in again.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--level", 40], "give --level and --width"),
        (["--level", 40, "--width", 0], "A window 0 wide around 40 shows nothing"),
        (["--level", "nan", "--width", 5], "shows nothing"),
        (["--preset", "lung", "--full-range"], "Give one of"),
        (["--depth", 12], "8 or 16, and not 12"),
        ([], "NIfTI files have no window of their own"),
    ],
)
def test_wrong_use(options: list[object], message: str, tmp_path: Path, refused, volume_file: MAKE_VOLUME) -> None:  # type: ignore[no-untyped-def]
    volume_file("in/a.nii", np.zeros((2, 2, 2), np.int16))
    assert message in refused("window", tmp_path / "in", "-o", tmp_path / "out", *options)
    assert not (tmp_path / "out").exists()


def test_presets_are_windows() -> None:
    assert chosen("lung", None, None, False, 8) == Greys(8, -600, 1500)
    assert all(width > 0 for _, width in PRESETS.values())
    with pytest.raises(SettingsError):
        chosen("lung", 1.0, 2.0, False, 8)
    assert set(_preparing.PRESETS) == set(PRESETS)
    assert set(_preparing.AXES) == set(AXES)
