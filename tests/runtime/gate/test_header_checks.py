"""Checks of what a DICOM file's header says of its image: each found, each expected by a bundle that says so."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sitegen_runtime.bundle.expects import Expects, read_expects
from sitegen_runtime.formats.cells import Acquisition
from sitegen_runtime.formats.dicom.terms import BODY_PARTS, MODALITIES, VIEWS
from sitegen_runtime.gate.header_checks import header_checks

CHEST = Acquisition(modality="DX", body_part="CHEST", view="PA", image_class="DX")
NOTHING = Acquisition()
ANY = Expects(modalities=(), body_parts=(), views=(), unprocessed=True)


def found(acquisition: Acquisition, expects: Expects | None = None) -> list[str]:
    return [check.check for check in header_checks(acquisition, expects or Expects())]


@pytest.mark.parametrize(
    "acquisition",
    [
        NOTHING,
        CHEST,
        *(replace(CHEST, modality=code) for code in ("CR", "DX", "RG", "SC", "OT", "")),
        *(replace(CHEST, image_class=code) for code in ("CR", "DX", "SC", "")),
        *(replace(CHEST, body_part=code) for code in ("THORAX", "CHEST PA", "PORT_CHEST", "LUNG", "UNKNOWN", "")),
        *(replace(CHEST, view=code) for code in ("AP", "AP SUPINE", "PA_ERECT", "STANDING", "1", "")),
        *(replace(CHEST, aspect=Fraction(*ratio)) for ratio in ((1, 1), (101, 100), (99, 100), (7, 7))),
    ],
    ids=str,
)
def test_what_a_chest_radiograph_may_say_refuses_nothing(acquisition: Acquisition) -> None:
    assert found(acquisition) == []


@pytest.mark.parametrize(
    ("changes", "check", "words"),
    [
        ({"modality": "CT"}, "modality", "is computed tomography (CT), and this model expects computed radiography"),
        ({"image_class": "MR"}, "modality", "is magnetic resonance (MR)"),
        ({"modality": "", "image_class": "US"}, "modality", "is ultrasound (US)"),
        ({"modality": "MG"}, "modality", "is mammography (MG)"),
        ({"modality": "SMITH"}, "modality", "is of another kind, and"),
        ({"body_part": "HAND"}, "body-part", "shows the hand, and this model expects the chest or the lungs."),
        ({"body_part": "LEFT_HAND"}, "body-part", "shows the hand, and"),
        ({"body_part": "SMITH"}, "body-part", "shows another part of the body, and"),
        (
            {"view": "LL"},
            "view",
            "was taken from the side, and this model expects images taken from the front (AP) or ",
        ),
        ({"view": "RL"}, "view", "was taken from the side, and"),
        ({"view": "LATERAL"}, "view", "was taken from the side, and"),
        ({"view": "LEFT LAT"}, "view", "was taken from the side, and"),
        ({"view": "RLD"}, "view", "with the patient lying on the side, and"),
        ({"view": "LLO"}, "view", "was taken obliquely, and"),
        ({"unprocessed": True}, "unprocessed", "waits for processing (FOR PROCESSING)"),
        ({"frames": 2}, "frames", "has 2 frames, and one image is expected"),
        ({"frames": 12345}, "frames", "has 12,345 frames"),
        ({"aspect": Fraction(5, 4)}, "pixel-shape", "its pixels are 1.25 times as high as wide"),
        ({"aspect": Fraction(1011, 1000)}, "pixel-shape", "1.01 times"),
        ({"aspect": Fraction(1, 2)}, "pixel-shape", "0.5 times"),
    ],
    ids=str,
)
def test_each_contradiction_is_one_check(changes: dict[str, Any], check: str, words: str) -> None:
    (made,) = header_checks(replace(CHEST, **changes), Expects())
    assert made.check == check
    assert words in made.message
    assert made.refuses
    assert made.correction is None


def test_a_bundle_of_hands_expects_hands() -> None:
    hands = read_expects({"body_parts": ["HAND", "WRIST"], "views": []})
    assert hands == Expects(body_parts=("HAND", "WRIST"), views=())
    assert found(replace(CHEST, body_part="HAND", view="LL"), hands) == []
    assert found(CHEST, hands) == ["body-part"]
    assert found(replace(CHEST, body_part="WRIST", modality="CT"), hands) == ["modality"]


def test_a_bundle_of_mammograms_expects_mammograms() -> None:
    mammograms = read_expects({"modalities": ["MG"], "body_parts": ["BREAST"], "views": ["CC", "MLO"]})
    image = Acquisition("MG", "BREAST", "MLO", "MG")
    assert found(image, mammograms) == []
    assert found(image) == ["modality", "body-part", "view"]
    (check,) = header_checks(replace(image, view="ML"), mammograms)
    assert "from the middle (ML), and this model expects images taken from above (CC) or obliquely from" in (
        check.message
    )


def test_images_for_processing_may_be_expected() -> None:
    raw = replace(CHEST, unprocessed=True)
    assert found(raw) == ["unprocessed"]
    assert found(raw, read_expects({"unprocessed": True})) == []


@pytest.mark.parametrize("fields", [None, {}, {"views": None, "modalities": None, "body_parts": None}])
def test_what_is_not_said_is_as_for_chest_radiographs(fields: dict[str, None] | None) -> None:
    expected = read_expects(fields)
    assert expected == Expects(("CR", "DX", "RG", "SC", "OT"), ("CHEST", "THORAX", "TORAX", "LUNG", "LUNGS"))
    assert (expected.views, expected.unprocessed) == (("AP", "PA"), False)


def test_where_nothing_is_expected_only_the_form_is_checked() -> None:
    odd = Acquisition("CT", "HAND", "LL", "MR", unprocessed=True, frames=3, aspect=Fraction(2))
    assert found(odd, ANY) == ["frames", "pixel-shape"]
    assert found(odd) == ["modality", "body-part", "view", "unprocessed", "frames", "pixel-shape"]


CODES = st.text(alphabet="ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 _", max_size=16)
SENTENCES = {
    check.message
    for acquisition in (
        Acquisition("?", "?"),
        *(Acquisition(modality=code) for code in MODALITIES),
        *(Acquisition(body_part=code) for code in BODY_PARTS),
        *(Acquisition(view=code) for code in VIEWS),
    )
    for check in header_checks(acquisition, Expects())
}


@given(modality=CODES, body_part=CODES, view=CODES)
def test_a_files_own_text_is_never_said(modality: str, body_part: str, view: str) -> None:
    """Names consist of the letters that codes have: what is said are words of tables."""
    checks = header_checks(Acquisition(modality, body_part, view), Expects())
    assert {check.message for check in checks} <= SENTENCES
