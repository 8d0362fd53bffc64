"""Files that scanners and other programs wrote: pydicom's own, and a collection outside the repository where it is."""

import csv
import os
import warnings
from functools import partial
from hashlib import sha256
from pathlib import Path

import imagecodecs
import numpy as np
import pydicom
import pytest
from pydicom.encaps import get_frame
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import UID, ImplicitVRLittleEndian, JPEGBaseline8Bit, JPEGLSLossless, JPEGLSNearLossless

from sitegen.prediction.pixels import shown_frame
from sitegen_runtime.errors import ImageError
from sitegen_runtime.formats import inspect_image
from tests.helpers.runtime.dicom_bytes import cells_of

DATA = Path(os.environ.get("SITEGEN_DATA") or Path(__file__).resolve().parents[3].parent / "shared" / "data")
COLLECTION = DATA / "dicom"
CASES = DATA.parent / "cases" / "dicom"
PYDICOM = Path(pydicom.__file__).parent / "data" / "test_files"
BROKEN = {
    "JPEG2000-embedded-sequence-delimiter.dcm": "its frame has another size than its header, and no codec reads it",
    "MR_truncated.dcm": "its pixels are cut short",
}

collection = pytest.mark.skipif(not COLLECTION.is_dir(), reason="no collection: set SITEGEN_DATA to its parent")
cases = pytest.mark.skipif(not CASES.is_dir(), reason="no folder of cases beside the data")


def rows() -> list[dict[str, str]]:
    if not COLLECTION.is_dir():
        return []
    with (COLLECTION / "manifest.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def pydicoms_files() -> list[Path]:
    return sorted(path for path in PYDICOM.rglob("*") if path.is_file()) if PYDICOM.is_dir() else []


def reference(path: Path) -> np.ndarray | None:
    """What pydicom decodes of the first frame, JPEG-LS with CharLS; None for what is no grey image of 8 or 16 bits."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = pydicom.dcmread(path, force=True)
        if "PixelData" not in dataset or dataset.get("BitsAllocated") not in (8, 16):
            return None
        if not str(dataset.PhotometricInterpretation).startswith("MONOCHROME"):
            return None
        syntax = UID(dataset.file_meta.get("TransferSyntaxUID", ImplicitVRLittleEndian))
        dataset.file_meta.TransferSyntaxUID = syntax
        if syntax in (JPEGLSLossless, JPEGLSNearLossless):
            cells = imagecodecs.jpegls_decode(get_frame(dataset.PixelData, 0, number_of_frames=1))
            return cells.view(f"i{cells.itemsize}") if dataset.PixelRepresentation else cells
        try:
            return get_decoder(syntax).as_array(dataset, index=0, raw=True)[0]
        except (RuntimeError, ValueError):  # no decoder is there, or the file is cut short
            return None


@pytest.mark.parametrize("path", pydicoms_files(), ids=lambda path: path.name)
def test_pydicoms_files_are_read_alike_or_refused(path: Path) -> None:
    expected = reference(path)
    if expected is not None and path.name not in BROKEN:
        assert np.array_equal(cells_of(path.read_bytes()), expected)
        return
    with pytest.raises(ImageError) as caught:
        shown_frame(inspect_image(path.read_bytes()))
    assert caught.value.code in ("damaged-image", "unsupported-type")


def test_pydicoms_files_are_there() -> None:
    if not PYDICOM.is_dir():
        pytest.skip("this copy of pydicom has no files for tests")
    assert sum(reference(path) is not None for path in pydicoms_files()) >= 40


@collection
@pytest.mark.parametrize("row", rows(), ids=lambda row: row["file"])
def test_the_collection_is_decoded_as_was_noted(row: dict[str, str]) -> None:
    raw = (COLLECTION / row["file"]).read_bytes()
    if row["decoded"].startswith("ERROR"):
        with pytest.raises(ImageError, match="has no image, or ends before it"):
            inspect_image(raw)
        return
    cells = cells_of(raw)
    if row["transfer_syntax_uid"] == JPEGBaseline8Bit:  # noted from a decoder that differs from all others by 1
        expected = reference(COLLECTION / row["file"])
        assert expected is not None
        assert np.array_equal(cells, expected)
        return
    kind = ("i" if row["pixel_representation"] == "1" else "u") + ("1" if row["bits_allocated"] == "8" else "2")
    hashes = {sha256(cells.astype(order + kind).tobytes()).hexdigest()[:16] for order in "<>"}
    assert row["decoded_sha256"] in hashes
    assert inspect_image(raw).height == int(row["rows"])


ALIKE = ("J2K_lossless", "JPEGLS", "JPEG_lossless", "JPEG_lossless_SV1", "RLE", "bigendian", "deflated", "explicitLE")


@collection
def test_eight_ways_of_storing_one_image_are_one_picture() -> None:
    files = [COLLECTION / "cxr_CR-MONO1-10-chest.dcm", *(COLLECTION / f"var_chest_{name}.dcm" for name in ALIKE)]
    pictures = {shown_frame(inspect_image(file.read_bytes())).tobytes() for file in files}
    assert len(pictures) == 1


@collection
def test_the_same_chest_under_other_headers() -> None:
    """Two of the collection say something else of the same cells: no window, and one that lies 39 values beside."""
    original, signed, turned = (
        cells_of((COLLECTION / name).read_bytes())
        for name in ("var_chest_explicitLE.dcm", "var_chest_signed_rescale.dcm", "var_chest_mono2_two_windows.dcm")
    )
    assert np.array_equal(signed + 512, original)
    assert np.array_equal(1023 - turned, original)
    first, second = (
        inspect_image((COLLECTION / f"var_chest_{name}.dcm").read_bytes()).notes[0]
        for name in ("explicitLE", "mono2_two_windows")
    )
    assert "the window around 550, 1024 wide" in first  # of 1023 - x it would be the window around 473
    assert "the window around 512, 1024 wide" in second


@collection
def test_a_wrong_monochrome1_turns_the_picture() -> None:
    load = partial(Path.read_bytes)
    plain, flagged = (
        shown_frame(inspect_image(load(COLLECTION / f"cxr_rsna_jpegbaseline_mono{name}.dcm")))
        for name in ("2", "1flag")
    )
    assert np.array_equal(255 - plain, flagged)


@cases
def test_the_cases_are_shown_right() -> None:
    shown = {path.stem: shown_frame(inspect_image(path.read_bytes())) for path in sorted(CASES.glob("*.dcm"))}
    assert np.array_equal(shown["comma_window"], shown["windowed"])  # half a value is below their steps
    (note,) = inspect_image((CASES / "comma_window.dcm").read_bytes()).notes
    assert "the window around 2000.5, 3000 wide" in note
    for name in ("padding", "padding_signed"):
        cells = cells_of((CASES / f"{name}.dcm").read_bytes())
        padding = cells == cells[0, 0]
        assert 0.01 < padding.mean() < 0.9
        assert (shown[name][~padding].min(), shown[name][~padding].max()) == (0, 255)
    assert (shown["plain"].min(), shown["plain"].max()) == (0, 255)
