"""Images of every kind become squares of 8 bits, once."""

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sitegen.errors import DataError
from sitegen.training.generator import images as module
from sitegen.training.generator.images import TrainingImages, read_images
from sitegen.training.generator.settings import generator_file


def _read(folder: Path, work: Path, network: dict[str, Any] | None = None, **images: Any) -> TrainingImages:
    document = {"places": ["."], **images}
    settings = {"name": "a", "preset": "tiny", "folder": str(folder), "images": document, "network": network or {}}
    return read_images(generator_file(settings), work, 1)


def _save(pixels: np.ndarray[Any, Any], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def test_depths_colours_and_shapes_become_one(tmp_path: Path) -> None:
    """A 16-bit grey, a colour, and a wide image whose middle is kept; in a folder and in an archive."""
    folder = tmp_path / "in"
    _save(np.full((32, 32), 32896, np.uint16), folder / "a.png")
    _save(np.full((32, 32, 3), (200, 100, 0), np.uint8), folder / "b.png")
    wide = np.zeros((64, 192), np.uint8)
    wide[:, 64:128] = 255
    _save(wide, tmp_path / "c.png")
    with zipfile.ZipFile(folder / "more.zip", "w") as archive:
        archive.write(tmp_path / "c.png", "c.png")
    (folder / "d.png").write_bytes(b"no image")
    read = _read(folder, tmp_path / "work")
    assert read.pixels.shape == (3, 1, 32, 32) and read.pixels.dtype == np.uint8
    assert [int(each.min()) for each in read.pixels] == [
        128,
        119,
        255,
    ]  # 32896 / 257; 0.299 200 + 0.587 100; the middle
    assert [int(each.max()) for each in read.pixels] == [128, 119, 255]
    assert [name for name, _ in read.problems] == ["d.png"]
    squeezed = _read(folder, tmp_path / "work", fit="stretch")
    assert squeezed.pixels[2].min() == 0
    assert _read(folder, tmp_path / "work", {"channels": 3}).pixels[1, :, 0, 0].tolist() == [200, 100, 0]


def test_images_are_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _save(np.zeros((32, 32), np.uint8), tmp_path / "in" / "a.png")
    first = _read(tmp_path / "in", tmp_path / "work")
    monkeypatch.setattr(module, "read_picture", lambda raw: pytest.fail("read again"))
    assert _read(tmp_path / "in", tmp_path / "work").key == first.key


def test_slices_of_volumes_are_taken_by_their_window(tmp_path: Path) -> None:
    nibabel = pytest.importorskip("nibabel")
    values = np.zeros((32, 32, 4), np.int16)
    values[:] = np.array([-100, 0, 100, 300])
    (tmp_path / "in").mkdir()
    nibabel.save(nibabel.Nifti1Image(values, np.eye(4)), tmp_path / "in" / "v.nii.gz")
    read = _read(tmp_path / "in", tmp_path / "work", window=[-100, 100])
    assert [int(each.max()) for each in read.pixels] == [0, 128, 255, 255]
    assert len(_read(tmp_path / "in", tmp_path / "work", window=[-100, 100], every=2).pixels) == 2


def test_a_folder_without_usable_images_is_named(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.png").write_bytes(b"no image")
    with pytest.raises(DataError, match=r"None of 1 files can be used\. The first: a\.png"):
        _read(tmp_path / "in", tmp_path / "work")
