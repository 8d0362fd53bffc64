"""A drawn radiograph as a DICOM file: read by pydicom, the same image as the PNG, and a bundle's golden example."""

import io
import json
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image

from sitegen.bundle import Bundle, GateSettings, Label, Licence
from sitegen.data.drawn_dicom import as_dicom
from sitegen.data.listing import write_synthetic_set
from sitegen.export.golden import GOLDEN_SEED, GOLDEN_SIDE, golden_refused, write_golden
from sitegen.export.write_bundle import Draft, write_bundle
from sitegen.phantom import phantom
from sitegen.prediction import Predictor
from sitegen.prediction.pixels import shown_frame
from sitegen.settings.recipe import GoldenKind
from sitegen_runtime.formats import inspect_image
from tests.helpers.bundles import make_bundle


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = make_bundle(tmp_path / "bundle").folder
    (folder / "bundle.json").unlink()
    return folder


def written(folder: Path, kind: GoldenKind) -> Bundle:
    labels = [Label(name=name, operating_point=0.5) for name in "abc"]
    gate = GateSettings(metric="ssim", threshold=0.5)
    draft = Draft("tiny", "1.0", "Tiny", Licence(weights="none", data="none"), labels, gate)
    graphs = make_bundle(folder / "made").model.graphs
    inputs = {role: graphs[role].images[0] for role in ("classifier", "gate")}
    write_golden(folder, inputs["classifier"], kind)
    return write_bundle(folder, draft, inputs)


def test_pydicom_reads_what_was_drawn() -> None:
    grey = phantom(3, 64)[:50]
    dataset = pydicom.dcmread(io.BytesIO(as_dicom(grey)))
    assert (dataset.Rows, dataset.Columns, dataset.BitsStored, dataset.Modality) == (50, 64, 12, "OT")
    assert np.array_equal(dataset.pixel_array, grey.astype(np.uint16) * 16)
    assert (float(dataset.WindowCenter), float(dataset.WindowWidth)) == (2040.5, 4081)
    assert "PatientName" not in dataset


def test_it_is_shown_as_it_was_drawn() -> None:
    greys = np.arange(256, dtype=np.uint8).reshape(16, 16)
    image = inspect_image(as_dicom(greys))
    assert np.array_equal(shown_frame(image), greys)
    assert (image.media_type, image.bits) == ("application/dicom", 12)


def test_a_bundle_with_it_says_what_one_with_a_png_says(folder: Path) -> None:
    dicom = written(folder, "dicom")
    golden = dicom.description.golden
    assert golden is not None
    assert golden.image == "golden.dcm"
    assert "golden.png" not in dicom.description.files
    assert not golden_refused(dicom)
    assert Predictor(dicom).predict(dicom.path("golden.dcm"))["notes"] == [
        "What is black and what white is the DICOM file's own: the window around 2040.5, 4081 wide."
    ]
    (folder / "golden.dcm").unlink()
    png = written(folder, "png").description.golden
    assert png is not None
    assert (png.image, png.tensors, png.logits) == ("golden.png", golden.tensors, golden.logits)
    assert json.loads((folder / "bundle.json").read_text("utf-8"))["golden"]["image"] == "golden.png"


def test_the_synthetic_set_is_made_of_it(folder: Path, tmp_path: Path) -> None:
    bundle = written(folder, "dicom")
    (tmp_path / "set").mkdir()
    write_synthetic_set(bundle, tmp_path / "set")
    with Image.open(tmp_path / "set" / "grey.png") as grey:
        assert np.array_equal(np.asarray(grey), phantom(GOLDEN_SEED, GOLDEN_SIDE))
