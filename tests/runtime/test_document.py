"""Result documents, by literal documents: every field of the schema sitegen.result/1."""

import json
from array import array
from hashlib import sha256
from typing import Any

import pytest

from sitegen_runtime.bundle.model import read_model
from sitegen_runtime.document import ResultDraft
from sitegen_runtime.errors import (
    AnalysisError,
    BadCorrection,
    Cancelled,
    DamagedImage,
    EngineFailed,
    TooLarge,
    TooSmall,
    UnreadableFile,
    UnsupportedType,
)
from sitegen_runtime.formats import PLATFORM, InspectedImage
from sitegen_runtime.gate.decision import Check, Decision, Score
from tests.helpers.runtime.models import description

ENGINE = {"runtime": "pyodide", "provider": "wasm", "threads": 1}
DATA = b"the bytes of a file"


def draft(**options: Any) -> ResultDraft:
    return ResultDraft("chest.jpg", read_model(description(**options)), ENGINE)


def filled(decision: Decision | None, logits: list[float], **options: Any) -> ResultDraft:
    entry = draft(**options)
    entry.hash_file(DATA)
    # Stored on its side: the document names the upright size.
    entry.image = InspectedImage("image/jpeg", 640, 480, 8, True, 6, PLATFORM, b"", ())
    entry.enter_tensors({"gate": array("f", [0.0]), "classifier": array("f", [1.0, 0.5])})
    entry.decision = decision
    if logits:
        entry.enter_findings(logits)
    entry.timings = {"check": 1.5}
    entry.notes = ["A note."]
    return entry


def head() -> dict[str, Any]:
    return {
        "schema": "sitegen.result/1",
        "image": {
            "name": "chest.jpg",
            "type": "image/jpeg",
            "width": 480,
            "height": 640,
            "bits": 8,
            "sha256": sha256(DATA).hexdigest(),
            "notes": [],
        },
        "bundle": {"name": "literal", "version": "2.1", "sha256": sha256(description()).hexdigest()},
        "engine": {"runtime": "pyodide", "provider": "wasm", "threads": 1},
        "tensors": {
            "classifier": sha256(bytes.fromhex("0000803f 0000003f")).hexdigest(),
            "gate": sha256(bytes(4)).hexdigest(),
        },
    }


def test_accepted() -> None:
    found = filled(Decision("ssim", 0.75, 0.5, (0.0,), 1), [0.0, 0.0, 0.0]).result()
    assert found == {
        **head(),
        "gate": {
            "metric": "ssim",
            "score": 0.75,
            "threshold": 0.5,
            "accepted": True,
            "reason": None,
            "position": None,
            "scores": [],
            "checks": [],
        },
        "findings": [
            {
                "label": "Atelectasis",
                "logit": 0.0,
                "probability": 0.5,
                "operating_point": 0.25,
                "calibrated": pytest.approx(2 / 3, abs=1e-15),
                "calibration": "piecewise-linear",
                "calibrated_operating_point": 0.5,
            },
            {
                "label": "Pneumonia",
                "logit": 0.0,
                "probability": 0.5,
                "operating_point": 0.5,
                "calibrated": 0.5,
                "calibration": "piecewise-linear",
                "calibrated_operating_point": 0.5,
            },
            {
                "label": "Effusion",
                "logit": 0.0,
                "probability": 0.5,
                "operating_point": 0.75,
                "calibrated": pytest.approx(1 / 3, abs=1e-15),
                "calibration": "piecewise-linear",
                "calibrated_operating_point": 0.5,
            },
        ],
        "timings": {"check": 1.5},
        "notes": ["A note."],
    }
    assert "forced" not in found
    assert "error" not in found


def test_refused() -> None:
    decision = Decision("ssim", 0.25, 0.5, (0.0,), 1)
    found = filled(decision, []).result()
    assert found["findings"] == []
    assert found["gate"] == {
        "metric": "ssim",
        "score": 0.25,
        "threshold": 0.5,
        "accepted": False,
        "reason": decision.reason,
        "position": None,
        "scores": [],
        "checks": [],
    }
    assert decision.reason


def test_scores_checks_and_position() -> None:
    score = Score("l1", 0.25, 0.125, "unlike", 0.992)
    offer = Check("turned", "It seems to be turned.", "turn-90")
    decision = Decision("ssim", 0.75, 0.5, (0.0,), 1, position=0.375, scores=(score,), checks=(offer,))
    gate = filled(decision, []).result()["gate"]
    assert gate["position"] == 0.375
    assert gate["scores"] == [
        {"metric": "l1", "value": 0.25, "threshold": 0.125, "higher": "unlike", "passed": False, "position": 0.992}
    ]
    assert gate["checks"] == [{"check": "turned", "message": "It seems to be turned.", "correction": "turn-90"}]
    assert gate["accepted"] is False


def test_a_correction_is_named_where_one_was_made() -> None:
    entry = filled(Decision("ssim", 0.75, 0.5, (0.0,), 1), [0.0, 0.0, 0.0])
    assert "correction" not in entry.result()
    entry.correction = "turn-180"
    assert entry.result()["correction"] == "turn-180"
    assert "correction" not in entry.failure(EngineFailed("It broke."))


@pytest.mark.parametrize(
    ("score", "forced", "refused"), [(0.5, False, False), (0.25, False, True), (0.25, True, False)]
)
def test_refused_unless_forced(score: float, forced: bool, refused: bool) -> None:
    entry = filled(Decision("ssim", score, 0.5, (0.0,), 1), [])
    entry.forced = forced
    assert entry.refused is refused
    assert draft().refused is False  # nobody has asked the gate


def test_forced() -> None:
    entry = filled(Decision("ssim", 0.25, 0.5, (0.0,), 1), [0.0, 1.0, 2.0])
    entry.forced = True
    found = entry.result()
    assert found["forced"] is True
    assert found["gate"]["accepted"] is False
    assert [finding["logit"] for finding in found["findings"]] == [0.0, 1.0, 2.0]


def test_no_gate_and_no_calibration() -> None:
    found = filled(None, [-1.0, 0.0, 1.0], gate=False, calibrated=False).result()
    assert found["gate"] is None
    for key in ("calibrated", "calibration", "calibrated_operating_point"):
        assert [finding[key] for finding in found["findings"]] == [None, None, None]


def test_one_logit_for_each_label() -> None:
    with pytest.raises(ValueError, match="shorter"):
        draft().enter_findings([0.0, 1.0])


def test_failure_before_the_image_was_read() -> None:
    found = draft().failure(UnreadableFile("It cannot be read."))
    assert found == {
        "schema": "sitegen.result/1",
        "image": {
            "name": "chest.jpg",
            "type": None,
            "width": None,
            "height": None,
            "bits": None,
            "sha256": None,
            "notes": [],
        },
        "bundle": head()["bundle"],
        "engine": head()["engine"],
        "tensors": {},
        "error": {"code": "unreadable-file", "message": "It cannot be read."},
        "timings": {},
        "notes": [],
    }


def test_failure_keeps_what_was_known() -> None:
    found = filled(Decision("ssim", 0.75, 0.5, (0.0,), 1), [0.0, 0.0, 0.0]).failure(EngineFailed("It broke."))
    assert found == {
        **head(),
        "error": {"code": "engine-failed", "message": "It broke."},
        "timings": {"check": 1.5},
        "notes": ["A note."],
    }


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (AnalysisError, "internal-error"),
        (Cancelled, "cancelled"),
        (UnreadableFile, "unreadable-file"),
        (EngineFailed, "engine-failed"),
        (UnsupportedType, "unsupported-type"),
        (DamagedImage, "damaged-image"),
        (TooLarge, "too-large"),
        (TooSmall, "too-small"),
        (BadCorrection, "bad-correction"),
    ],
)
def test_codes(error: type[AnalysisError], code: str) -> None:
    assert draft().failure(error("Why."))["error"] == {"code": code, "message": "Why."}


def test_documents_are_plain_json() -> None:
    found = filled(Decision("ssim", 0.75, 0.5, (0.0,), 1), [0.0, 1.0, 2.0]).result()
    assert json.loads(json.dumps(found, allow_nan=False)) == found
