"""Small volumes, DICOM slices and pictures that tests make, and the verbs as people call them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from sitegen.cli import app
from sitegen.errors import SitegenError

Sitegen = Callable[..., Result]
MAKE_VOLUME = Callable[..., Path]


@pytest.fixture
def sitegen() -> Sitegen:
    def call(*arguments: object) -> Result:
        return CliRunner().invoke(app, ["data", *map(str, arguments)])

    return call


@pytest.fixture
def refused(sitegen: Sitegen) -> Callable[..., str]:
    """The message of a command that is wrong use: exit code 2."""

    def call(*arguments: object) -> str:
        done = sitegen(*arguments)
        assert isinstance(done.exception, SitegenError), done.output
        assert done.exception.exit_code == 2
        return str(done.exception)

    return call


@pytest.fixture
def volume_file(tmp_path: Path) -> MAKE_VOLUME:
    """Writes a NIfTI file below the test's folder; skips the test where nibabel is not installed."""
    nibabel = pytest.importorskip("nibabel", reason="nibabel, of the extra [anomaly], is not installed")

    def write(name: str, voxels: np.ndarray, affine: Any = None, slope: float = 1.0, inter: float = 0.0) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        image = nibabel.Nifti1Image(voxels, np.eye(4) if affine is None else affine)
        image.header.set_slope_inter(slope, inter)
        path.write_bytes(image.to_bytes())
        return path

    return write


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Five pictures of one kind each, in a folder and a folder in it."""
    random, folder = np.random.default_rng(3), tmp_path / "pictures"
    (folder / "more").mkdir(parents=True)
    grey = random.integers(80, 176, (40, 60), dtype=np.uint8)  # no filter takes it beyond black and white
    Image.fromarray(grey).save(folder / "grey.png")
    Image.fromarray(random.integers(80, 176, (30, 30, 3), dtype=np.uint8)).save(folder / "colour.png")
    Image.fromarray(random.integers(0, 65536, (40, 60), dtype=np.uint16)).save(folder / "more" / "deep.png")
    Image.fromarray(grey).save(folder / "more" / "photo.jpg")
    turned = Image.Exif()
    turned[0x0112] = 6
    Image.fromarray(grey).save(folder / "turned.jpg", exif=turned.tobytes())
    return folder


def opened(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path))
