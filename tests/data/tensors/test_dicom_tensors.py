"""DICOM files as training has them: by the rule of every prediction, whatever they are compressed with."""

import io
import sys
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom.uid import UID, JPEG2000Lossless, JPEGLSLossless

from sitegen.bundle import Bundle
from sitegen.data.audit.look import look
from sitegen.data.audit.shortcuts.picture import picture
from sitegen.data.images import inspected
from sitegen.data.tensors import cache
from sitegen.data.tensors.cache import image_tensors, settings_key, usable_tensors
from sitegen.prediction import Predictor
from sitegen.resources import runtime_source
from sitegen_runtime.bundle.model import NetworkInput
from sitegen_runtime.errors import UnsupportedType
from sitegen_runtime.running import image_input
from tests.helpers.dicom_files import LOSSLESS, as_bytes, radiograph, write_radiograph

INPUTS = {"gate": NetworkInput("image", (1, 1, 16, 16), "grey", 1.0, (0.0, 1.0), (0.0,), (1.0,))}
DEEP = np.random.default_rng(0).integers(100, 4000, (24, 20), dtype=np.uint16)
FLAT = np.random.default_rng(1).integers(3, 250, (24, 20), dtype=np.uint8)


def png(grey: np.ndarray) -> bytes:
    out = io.BytesIO()
    Image.fromarray(grey).save(out, "PNG")
    return out.getvalue()


def test_tensors_are_those_of_the_picture() -> None:
    expected = image_tensors(png(FLAT), INPUTS)["gate"]
    assert np.array_equal(image_tensors(as_bytes(radiograph(FLAT)), INPUTS)["gate"], expected)
    deep = image_tensors(as_bytes(radiograph(DEEP, WindowCenter=2048, WindowWidth=4096)), INPUTS)["gate"]
    shown = np.floor(255 * DEEP.astype(float) / 4095 + 0.5).astype(np.uint8)
    assert np.array_equal(deep, image_tensors(png(shown), INPUTS)["gate"])


def test_training_and_prediction_see_the_same(bundle: Bundle) -> None:
    raw = as_bytes(radiograph(DEEP, JPEG2000Lossless, WindowCenter=2048, WindowWidth=3000))
    entry = image_input(bundle.model, "classifier")
    trained = image_tensors(raw, {"classifier": entry})["classifier"]
    analysed = Predictor(bundle).predict(raw, force=True)
    assert analysed["tensors"]["classifier"] == sha256(trained.astype("<f4").tobytes()).hexdigest()


@pytest.mark.parametrize("syntax", LOSSLESS, ids=lambda uid: UID(uid).name)
def test_the_audit_knows_an_image_again_however_it_is_stored(syntax: str, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(as_bytes(radiograph(DEEP, PatientID="1")))
    (tmp_path / "b").write_bytes(as_bytes(radiograph(DEEP, syntax, PatientID="2")))
    (tmp_path / "c").write_bytes(as_bytes(radiograph(DEEP + 1, syntax, WindowCenter=7, WindowWidth=9)))
    first, second, other = (look(tmp_path / name) for name in "abc")
    assert (first.problem, first.width, first.height) == ("", 20, 24)
    assert second == first
    assert other.content not in ("", first.content)


def test_an_image_and_its_turned_size_differ(tmp_path: Path) -> None:
    flat = np.full((24, 20), 9, np.uint8)
    (tmp_path / "a").write_bytes(as_bytes(radiograph(flat)))
    (tmp_path / "b").write_bytes(as_bytes(radiograph(np.ascontiguousarray(flat.T))))
    assert look(tmp_path / "a").content != look(tmp_path / "b").content


def test_pictures_are_measured_as_they_are_shown() -> None:
    raw = as_bytes(radiograph(FLAT, PhotometricInterpretation="MONOCHROME1"))
    measured = picture(inspected(raw), raw)
    assert (measured.kind, measured.stored, measured.table) == ("application/dicom", len(raw), 0.0)
    assert measured.plane == pytest.approx((255 - FLAT) / 255, abs=1e-7)


def test_several_frames_are_no_image_to_train_on(tmp_path: Path) -> None:
    raw = as_bytes(radiograph(np.vstack([DEEP, DEEP]), Rows=24, NumberOfFrames=2))
    with pytest.raises(UnsupportedType, match="has 2 frames, and one is read"):
        image_tensors(raw, INPUTS)
    (tmp_path / "a").write_bytes(raw)
    assert "has 2 frames" in look(tmp_path / "a").problem


def test_files_that_need_a_codec_are_left_out_where_it_lacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_radiograph(tmp_path / "a", DEEP)
    (tmp_path / "b").write_bytes(as_bytes(radiograph(DEEP, JPEGLSLossless)))
    write_radiograph(tmp_path / "c", FLAT)
    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    usable = usable_tensors([tmp_path / name for name in "abc"], INPUTS, tmp_path / "cache", workers=1)
    assert usable.kept == [0, 2]
    ((path, problem),) = usable.problems
    assert path == tmp_path / "b"
    assert problem.endswith("Install it: pip install 'offline-sitegen[dicom]'")
    assert "Install it" in look(tmp_path / "b").problem


def test_tensors_change_with_the_code_that_reads_dicom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = settings_key(INPUTS)
    for path in runtime_source().rglob("*.py"):
        copy = tmp_path / path.relative_to(runtime_source())
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    monkeypatch.setattr(cache, "runtime_source", lambda: tmp_path)
    cache._runtime_hash.cache_clear()
    try:
        assert settings_key(INPUTS) == before
        with (tmp_path / "formats/dicom/rule.py").open("a") as file:
            file.write("\n")
        cache._runtime_hash.cache_clear()
        assert settings_key(INPUTS) != before
    finally:
        cache._runtime_hash.cache_clear()
