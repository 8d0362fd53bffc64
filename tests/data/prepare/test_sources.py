"""Which files there are to prepare: by endings, by content, in archives as MIDRC gives them."""

import zipfile
from pathlib import Path

import numpy as np
import pytest

from sitegen.data.drawn_dicom import as_dicom
from sitegen.data.prepare.sources import Source, check_names, find_sources, with_masks
from sitegen.errors import DataError
from sitegen_runtime.errors import UnreadableFile

DICOM = as_dicom(np.zeros((8, 8), np.uint8))
SERIES = "1.2.826.0.1"


def names(sources: list[Source]) -> list[str]:
    return [source.name for source in sources]


def filled(folder: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def zipped(path: Path, files: dict[str, bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)


def test_kinds_are_told_by_endings_and_dicom_by_content(tmp_path: Path) -> None:
    folder = filled(
        tmp_path,
        {
            "a.DCM": b"no DICOM, but called so: a bad file, and not none",
            "series/1.2.840.99": DICOM,
            "picture.png": DICOM,
            "scan.nii.gz": b"",
            "notes.txt": b"text",
            "DICOMDIR": DICOM,
            ".hidden/b.dcm": DICOM,
        },
    )
    assert names(find_sources(folder)) == ["a.DCM", "series/1.2.840.99"]
    assert names(find_sources(folder, pictures=True, dicom=False)) == ["picture.png"]
    assert names(find_sources(folder, volumes=True, dicom=False)) == ["scan.nii.gz"]
    assert names(find_sources(folder / "series/1.2.840.99")) == ["1.2.840.99"]
    assert [Source(name, folder).stem for name in ("a.DCM", "s/1.2.840.99", "x.nii.gz")] == ["a", "s/1.2.840.99", "x"]
    with pytest.raises(DataError, match=r"has no file to prepare: none that ends in \.nii, \.nii\.gz\. Name"):
        find_sources(folder / "series", volumes=True, dicom=False)
    with pytest.raises(DataError, match="does not exist"):
        find_sources(folder / "nowhere")


def test_archives_are_folders_as_midrc_has_them(tmp_path: Path) -> None:
    zipped(tmp_path / f"packed/case-1/1.2.3/{SERIES}.zip", {"1.dcm": DICOM, "2": DICOM, "x.json": b"{}"})
    zipped(tmp_path / f"packed/case-2/1.2.4/{SERIES}.zip", {f"{SERIES}/1.dcm": DICOM, f"__MACOSX/{SERIES}/1.dcm": b""})
    filled(tmp_path / "open", {f"case-1/1.2.3/{SERIES}/{name}": DICOM for name in ("1.dcm", "2")})
    filled(tmp_path / "open", {f"case-2/1.2.4/{SERIES}/1.dcm": DICOM})
    packed, unpacked = find_sources(tmp_path / "packed"), find_sources(tmp_path / "open")
    assert names(packed) == names(unpacked)
    assert [source.read() for source in packed] == [DICOM] * 3


def test_bad_archives_are_bad_files(tmp_path: Path) -> None:
    filled(tmp_path, {"cut.zip": b"PK\3\4 and no more", "good.dcm": DICOM})
    zipped(tmp_path / "escape.zip", {"../../evil.dcm": DICOM})
    zipped(tmp_path / "flipped.zip", {"1.dcm": DICOM})
    raw = bytearray((tmp_path / "flipped.zip").read_bytes())
    raw[200] ^= 1
    (tmp_path / "flipped.zip").write_bytes(raw)
    found = {source.name: source for source in find_sources(tmp_path)}
    assert sorted(found) == ["cut.zip", "escape.zip", "flipped/1.dcm", "good.dcm"]
    for name, message in (
        ("cut.zip", "no archive that can be read"),
        ("escape.zip", "outside of itself: '../../evil.dcm'"),
        ("flipped/1.dcm", "Bad CRC-32"),
    ):
        with pytest.raises(UnreadableFile, match=message):
            found[name].read()


def test_two_files_for_one_place_are_listed(tmp_path: Path) -> None:
    same = [Source(name, tmp_path) for name in ("x/a.png", "b.png", "x/A.dcm", "b.jpg", "c.png")]
    with pytest.raises(DataError, match=r"x/a\.png and x/A\.dcm, b\.png and b\.jpg\. Rename"):
        check_names(same)


def test_masks_belong_to_files_of_their_names(tmp_path: Path) -> None:
    filled(tmp_path, {f"scans/{name}.nii.gz": b"" for name in ("x/1", "x/2", "3")})
    filled(tmp_path, {f"masks/{name}": b"" for name in ("x/1.nii", "x/2.nii.gz", "3.nii")})
    scans = find_sources(tmp_path / "scans", volumes=True)
    paired = with_masks(scans, tmp_path / "masks")
    assert [source.mask and source.mask.name for source in paired] == ["3.nii", "1.nii", "2.nii.gz"]
    (tmp_path / "masks/3.nii").rename(tmp_path / "masks/4.nii")
    with pytest.raises(DataError, match=r"without a partner of the same name are 3\.nii\.gz, 4 \(a mask\)"):
        with_masks(scans, tmp_path / "masks")
    with pytest.raises(DataError, match="one mask, for 3 files"):
        with_masks(scans, tmp_path / "masks/4.nii")
    assert with_masks(scans[:1], tmp_path / "masks/4.nii")[0].mask == tmp_path / "masks/4.nii"
