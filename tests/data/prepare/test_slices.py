"""Slices that a mask touches, the masks beside them, and slices that keep their values."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.data.prepare.conftest import MAKE_VOLUME, Sitegen, opened

VOXELS = np.random.default_rng(2).integers(-1000, 1000, (6, 7, 8), dtype=np.int16)
AFFINE = np.diag([1.5, 1.5, 3.0, 1.0])


@pytest.fixture
def scans(volume_file: MAKE_VOLUME, tmp_path: Path) -> Path:
    """Two scans: in `a` the mask has label 1 in slices 2 and 3, label 5 in slice 6; in `b` it has nothing."""
    mask = np.zeros(VOXELS.shape, np.uint8)
    mask[1:3, 2, 2:4] = 1
    mask[5, 6, 6] = 5
    for name, labels in (("a", mask), ("b", mask * 0)):
        volume_file(f"scans/{name}.nii", VOXELS, AFFINE, slope=0.5, inter=3.0)
        volume_file(f"masks/{name}.nii", labels, AFFINE)
    return tmp_path


def made(out: Path) -> list[str]:
    return sorted(path.relative_to(out).as_posix() for path in out.rglob("*.*") if path.name != "prepared.json")


def test_slices_that_a_mask_touches(scans: Path, sitegen: Sitegen) -> None:
    out, options = scans / "out", ("--masks", scans / "masks", "--full-range", "--write-masks")
    done = sitegen("slices", scans / "scans", "-o", out, *options)
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("6 file(s) made from 2. 1 of them had no slice that a mask touches.\n")
    places = [f"a/axial-000{index}.png" for index in (2, 3, 6)]
    assert made(out) == [*(f"images/{place}" for place in places), *(f"masks/{place}" for place in places)]
    # Right is to the left: voxel x lies in column 5 - x, voxel y in row 6 - y.
    assert np.argwhere(opened(out / "masks/a/axial-0002.png") == 255).tolist() == [[4, 3], [4, 4]]
    assert opened(out / "masks/a/axial-0002.png").sum() == 2 * 255
    hashes = {file["mask_sha256"] for file in json.loads((out / "prepared.json").read_text())["files"]}
    assert len(hashes) == 2 and all(len(each) == 64 for each in hashes)


def test_one_label_and_another_axis(scans: Path, sitegen: Sitegen) -> None:
    options = ("--masks", scans / "masks", "--label", 5, "--preset", "bone", "--axis", "sagittal")
    assert sitegen("slices", scans / "scans", "-o", scans / "out", *options).exit_code == 0
    assert made(scans / "out") == ["a/sagittal-0005.png"]


def test_slices_keep_their_values_and_their_place(scans: Path, sitegen: Sitegen) -> None:
    nibabel = pytest.importorskip("nibabel")
    whole = nibabel.load(scans / "scans/a.nii")
    for axis, number in (("axial", 8), ("coronal", 7), ("sagittal", 6)):
        out = scans / axis
        assert sitegen("slices", scans / "scans/a.nii", "-o", out, "--axis", axis).exit_code == 0
        assert len(made(out)) == number
        one = nibabel.load(out / f"a/{axis}-0004.nii.gz")
        at = {"axial": (0, 0, 4), "coronal": (0, 4, 0), "sagittal": (4, 0, 0)}[axis]
        assert np.array_equal(
            one.get_fdata(), whole.slicer[tuple(slice(i, i + 1 if i else None) for i in at)].get_fdata()
        )
        assert one.get_data_dtype() == np.int16
        assert np.array_equal(one.affine @ [0, 0, 0, 1], whole.affine @ [*at, 1])


def test_windowed_slices_are_the_windowed_volume(scans: Path, sitegen: Sitegen) -> None:
    window = ("--level", 10, "--width", 900, "--depth", 16)
    sitegen("slices", scans / "scans/a.nii", "-o", scans / "kept")
    sitegen("window", scans / "kept/a", "-o", scans / "by-slices", *window)
    sitegen("window", scans / "scans/a.nii", "-o", scans / "at-once", *window)
    for index in range(8):
        one = opened(scans / f"by-slices/axial-{index:04}/axial-0000.png")
        assert np.array_equal(one, opened(scans / f"at-once/a/axial-{index:04}.png"))


def test_masks_of_another_shape_or_place(scans: Path, sitegen: Sitegen, volume_file: MAKE_VOLUME) -> None:
    volume_file("masks/a.nii", np.ones((6, 7, 9), np.uint8), AFFINE)
    volume_file("masks/b.nii", np.ones(VOXELS.shape, np.uint8), np.diag([1.5, 1.5, 2.0, 1.0]))
    done = sitegen("slices", scans / "scans", "-o", scans / "out", "--masks", scans / "masks")
    assert done.exit_code == 1
    assert "left out: a.nii: Its mask has 6x7x9 voxels, and it has 6x7x8." in done.stderr
    assert "left out: b.nii: Its mask lies elsewhere in space" in done.stderr
    (scans / "masks/b.nii").write_bytes(b"no mask")
    done = sitegen("slices", scans / "scans", "-o", scans / "out", "--masks", scans / "masks")
    assert "left out: b.nii: Its mask b.nii: It is no NIfTI file" in done.stderr


def test_wrong_use(scans: Path, refused) -> None:  # type: ignore[no-untyped-def]
    (scans / "masks/b.nii").unlink()
    place = ("slices", scans / "scans", "-o", scans / "out")
    assert "same name are b.nii." in refused(*place, "--masks", scans / "masks")
    assert "are about masks" in refused(*place, "--label", 1)
