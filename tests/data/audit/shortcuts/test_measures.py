import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps
from scipy.ndimage import laplace

from sitegen.data.audit.shortcuts.folders import folders
from sitegen.data.audit.shortcuts.measured import looked, measure
from sitegen.data.audit.shortcuts.measures import FAMILIES, MEASURES, border, corners, laplacian
from sitegen.data.audit.shortcuts.picture import Picture, picture
from sitegen.data.audit.shortcuts.thumbnails import components, covered
from sitegen.data.audit.shortcuts.writing import written
from sitegen.data.records import Record
from sitegen_runtime.formats import inspect_image


def shown(plane: np.ndarray, kind: str = "PNG", **options: object) -> Picture:
    raw = io.BytesIO()
    Image.fromarray(plane).save(raw, kind, **options)
    return picture(inspect_image(raw.getvalue()), raw.getvalue())


def values(given: Picture) -> dict[str, float]:
    return {name: measure.of(given) for name, measure in MEASURES.items()}


def test_literal_measures_of_a_half_white_image() -> None:
    plane = np.zeros((50, 100), np.uint8)
    plane[:, 50:] = 255
    found = values(shown(plane))
    assert found["mean"] == 0.5
    assert found["deviation"] == 0.5
    assert found["range"] == 1
    assert found["border mean"] == 0.5
    assert found["border black"] == 0.5
    assert (found["darkest corner"], found["brightest corner"], found["corner mean"]) == (0, 1, 0.5)
    assert found["aspect"] == pytest.approx(np.log(2))
    assert (found["width"], found["height"]) == (pytest.approx(np.log(100)), pytest.approx(np.log(50)))
    assert (found["quantisation"], found["JPEG"], found["PNG"], found["DICOM"]) == (0, 0, 1, 0)
    assert found["flat"] == 1 - 2 / 98  # two columns beside the edge, of those that have both neighbours


def test_what_lies_at_the_edge() -> None:
    plane = np.arange(100, dtype=np.float32).reshape(10, 10)
    assert sorted(border(plane)) == sorted([*range(10), *range(90, 100), *range(10, 90, 10), *range(19, 99, 10)])
    assert corners(plane).tolist() == [0, 9, 90, 99]
    assert border(np.ones((1, 1), np.float32)).tolist() == [1]


def test_the_laplacian_is_scipys() -> None:
    plane = np.random.default_rng(0).random((9, 12)).astype(np.float32)
    assert laplacian(plane) == pytest.approx(laplace(plane)[1:-1, 1:-1], abs=1e-6)
    assert laplacian(plane[:2]).tolist() == [[0]]


def test_a_jpegs_tables_tell_its_quality() -> None:
    plane = np.random.default_rng(0).integers(0, 256, (32, 32), dtype=np.uint8)
    coarse, fine = (shown(plane, "JPEG", quality=quality).table for quality in (50, 95))
    assert coarse == pytest.approx(57.625)  # the mean of the luminance table in ITU-T T.81, K.1
    assert 1 < fine < 10
    assert values(shown(plane, "JPEG"))["JPEG"] == 1


@pytest.mark.parametrize("orientation", range(1, 9))
def test_images_are_upright(orientation: int, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    plane = np.random.default_rng(0).integers(0, 256, (3, 5), dtype=np.uint8)
    given = shown(plane, exif=exif)
    Image.fromarray(plane).save(tmp_path / "a.png", exif=exif)
    upright = np.asarray(ImageOps.exif_transpose(Image.open(tmp_path / "a.png")))
    assert np.rint(given.plane * 255).astype(int).tolist() == upright.tolist()


def test_deep_and_coloured_images() -> None:
    deep = shown(np.array([[0, 65535], [13107, 0]], np.uint16))
    assert deep.plane.tolist() == [[0, 1], [pytest.approx(0.2), 0]]
    red = np.zeros((2, 2, 3), np.uint8)
    red[..., 0] = 255
    assert shown(red).plane == pytest.approx(np.full((2, 2), 0.299), abs=1e-3)


def test_what_looks_written_lies_in_a_corner_and_is_small() -> None:
    plane = np.full((200, 200), 60, np.uint8)
    assert written(shown(plane)).things == 0
    for left in (10, 20, 30):
        plane[10:18, left : left + 3] = 250  # three strokes of 24 pixels
    plane[100:108, 100:103] = 250  # one in the middle
    plane[150:190, 150:190] = 250  # and a block in a corner
    found = written(shown(plane))
    assert (found.things, found.area) == (3, 3 * 24 / 40000)


def test_the_middle_of_a_thumbnail_is_covered_and_a_constant_has_no_components() -> None:
    changed = covered(np.ones((2, 32, 32), np.float32))
    assert changed[:, 3:28, 4:28].sum() == 0
    assert changed.sum() == 2 * (32 * 32 - 25 * 24)
    assert components(np.ones((5, 32, 32), np.float32)).shape == (5, 0)
    found = components(np.random.default_rng(0).random((20, 32, 32)).astype(np.float32))
    assert found.T @ found / 20 == pytest.approx(np.eye(19), abs=1e-6)


def named(*paths: str, labels: tuple[str, ...] = ("Mass",)) -> list[Record]:
    return [Record(Path(path), "p", dict.fromkeys(labels, 0.0)) for path in paths]


def test_folders_count_but_for_those_of_splits_and_classes() -> None:
    assert folders(named("d/one/a.png", "d/two/b.png")) == ["one", "two"]
    assert folders(named("d/train/a.png", "d/test/b.png")) == ["", ""]
    assert folders(named("d/train/NORMAL/a.png", "d/train/ill/b.png", "d/val/ill/c.png")) == ["", "", ""]
    assert folders(named("d/ill/a.png", "d/well/b.png", labels=("Ill",))) == ["", ""]
    assert folders(named("d/ill/a.png", "d/well/b.png"), ["ILL"]) == ["", ""]
    assert folders(named("d/train/one/a.png", "d/train/two/b.png", "d/test/e.png")) == ["one", "two", ""]
    assert folders([]) == []


def test_a_bad_file_loses_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_bytes(b"no image")
    bad, gone = measure(tmp_path / "bad.png"), measure(tmp_path / "gone.png")
    assert bad.seen.problem
    assert gone.seen.problem == "cannot be read: No such file or directory. Check the path and its permissions."
    assert (bad.values, bad.thumbnail) == ((), b"")
    Image.new("L", (1, 1)).save(tmp_path / "tiny.png")
    tiny = measure(tmp_path / "tiny.png")
    assert len(tiny.values) == len(MEASURES)
    assert np.isfinite(tiny.values).all()
    assert looked((tmp_path / "tiny.png", False)).thumbnail == b""


def test_each_measure_is_of_a_family() -> None:
    assert {measure.family for measure in MEASURES.values()} < set(FAMILIES)
