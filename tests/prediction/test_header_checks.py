"""DICOM files whose headers say what a bundle does not expect: refused, forced, expected by another bundle."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.uid import UID

from sitegen.phantom import phantom
from sitegen.prediction import Predictor
from tests.helpers.bundles import make_bundle
from tests.helpers.dicom_files import as_bytes, radiograph

CT_IMAGE, RAW_DX = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.1.1.1"
CASES: list[tuple[dict[str, Any], str, dict[str, Any]]] = [
    ({"Modality": "CT"}, "modality", {"modalities": ["CT", "DX"]}),
    ({"SOPClassUID": UID(CT_IMAGE)}, "modality", {"modalities": ["CT", "DX"]}),
    ({"BodyPartExamined": "HAND"}, "body-part", {"body_parts": ["HAND"]}),
    ({"ViewPosition": "LL"}, "view", {"views": ["LL", "RL"]}),
    ({"PresentationIntentType": "FOR PROCESSING"}, "unprocessed", {"unprocessed": True}),
    ({"SOPClassUID": UID(RAW_DX)}, "unprocessed", {"unprocessed": True}),
]
ALWAYS: list[tuple[dict[str, Any], str]] = [
    ({"NumberOfFrames": "2"}, "frames"),
    ({"PixelAspectRatio": ["12", "10"]}, "pixel-shape"),
    ({"PixelAspectRatio": ["100", "102"]}, "pixel-shape"),
]


@pytest.fixture(scope="module")
def predictor(tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    return Predictor(make_bundle(tmp_path_factory.mktemp("usual") / "bundle"))


def drawn(**elements: Any) -> bytes:
    pixels = np.kron(phantom(3, 64).astype("<u2") * 16, np.ones((2, 2), "<u2"))
    if "NumberOfFrames" not in elements:
        return as_bytes(radiograph(pixels, **elements))
    dataset = radiograph(pixels, **elements)
    dataset.PixelData = dataset.PixelData * 2
    return as_bytes(dataset)


@pytest.mark.parametrize(("elements", "check"), [*((elements, check) for elements, check, _ in CASES), *ALWAYS])
def test_what_is_not_expected_is_refused_and_can_be_forced(
    elements: dict[str, Any], check: str, predictor: Predictor
) -> None:
    data = drawn(**{"Modality": "DX", "BodyPartExamined": "CHEST", "ViewPosition": "PA"} | elements)
    refused = predictor.predict(data)
    assert [each["check"] for each in refused["gate"]["checks"]] == [check]
    assert (refused["gate"]["accepted"], refused["findings"]) == (False, [])
    assert refused["gate"]["reason"] == refused["gate"]["checks"][0]["message"]
    forced = predictor.predict(data, force=True)
    assert forced["forced"]
    assert len(forced["findings"]) == 3
    plain = predictor.predict(drawn(Modality="DX", BodyPartExamined="CHEST", ViewPosition="PA"))
    assert plain["gate"]["accepted"]
    assert forced["findings"] == plain["findings"]


@pytest.mark.parametrize(("elements", "check", "expects"), CASES)
def test_a_bundle_may_expect_it(elements: dict[str, Any], check: str, expects: dict[str, Any], tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "bundle", expects=expects)
    document = Predictor(bundle).predict(drawn(**elements))
    assert document["gate"]["checks"] == []
    assert len(document["findings"]) == 3


@pytest.mark.parametrize("ratio", [["01"], ["1", "1"], ["01", "1"], ["100", "101"], None])
def test_pixels_that_are_square_or_not_described_are_expected(ratio: list[str] | None, predictor: Predictor) -> None:
    assert predictor.predict(drawn(PixelAspectRatio=ratio))["gate"]["checks"] == []


def test_a_bundle_without_a_gate_refuses_nothing(tmp_path: Path) -> None:
    document = Predictor(make_bundle(tmp_path / "bundle", gate=False)).predict(drawn(Modality="CT"))
    assert document["gate"] is None
    assert len(document["findings"]) == 3
