"""Comparing documents: each kind of difference is found, and small ones within the tolerances are not."""

import copy
import io
import math
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from sitegen.browser.effects_parity import EffectsComparison
from sitegen.browser.parity import BORDERS, CHESTER, WEBGPU, Comparison, Differences, bin_names
from sitegen.browser.report import as_tables
from sitegen.bundle import Bundle
from sitegen.data.listing import images_in, write_synthetic_set
from sitegen.prediction import Predictor
from sitegen_runtime.bundle.model import Calibration, Label
from sitegen_runtime.golden import LOGIT_TOLERANCE

LABELS = (
    Label("Mass", 0.5, Calibration("piecewise-linear")),
    # The logit of 0.8 is log 4; half of it is log 2, which is the logit of 2/3.
    Label("Nodule", 0.8, Calibration("temperature", temperature=2.0)),
)


def finding(label: str, calibrated: float, operating_point: float, calibration: str, mark: float) -> Any:
    return {
        "label": label,
        "logit": 0.0,
        "probability": 0.5,
        "operating_point": operating_point,
        "calibrated": calibrated,
        "calibration": calibration,
        "calibrated_operating_point": mark,
    }


def score(metric: str, value: float, threshold: float) -> Any:
    return {
        "metric": metric,
        "value": value,
        "threshold": threshold,
        "higher": "unlike",
        "passed": True,
        "position": 0.25,
    }


def document(**changes: Any) -> Any:
    fields = {
        "schema": "sitegen.result/1",
        "image": {
            "name": "a.png",
            "type": "image/png",
            "width": 5,
            "height": 4,
            "bits": 8,
            "sha256": "00",
            "notes": [],
        },
        "bundle": {"name": "model", "version": "1", "sha256": "11"},
        "engine": {"runtime": "cpython", "provider": "cpu", "threads": 1},
        "tensors": {"classifier": "22", "gate": "33"},
        "gate": {
            "metric": "ssim",
            "score": 0.7,
            "threshold": 0.6,
            "accepted": True,
            "reason": None,
            "position": 0.5,
            "scores": [score("l1", 0.1, 0.2), score("mahalanobis", 20.0, 30.0)],
            "checks": [{"check": "turned", "message": "Gains 0.123.", "correction": "turn-90"}],
        },
        "findings": [
            finding("Mass", 0.5, 0.5, "piecewise-linear", 0.5),
            finding("Nodule", 0.5, 0.8, "temperature", 2 / 3),
        ],
        "timings": {"total": 1.0},
        "notes": [],
    }
    return copy.deepcopy(fields | changes)


def failed(code: str) -> Any:
    fields = document(error={"code": code, "message": "Why."})
    del fields["gate"], fields["findings"]
    return fields


def compared(page: Any, reference: Any | None = None) -> Comparison:
    comparison = Comparison(LABELS)
    comparison.add("a.png", page, reference or document())
    return comparison


def with_change(change: Callable[[Any], Any]) -> Any:
    fields = document()
    change(fields)
    return fields


def test_equal_documents() -> None:
    comparison = compared(document(engine={"runtime": "pyodide"}, timings={}))
    assert comparison.failures == []
    summary = comparison.summary()
    assert summary["images"] == 1
    assert summary["tensors"] == {"image/png": {"identical": 1, "total": 1}}
    assert summary["findings"].keys() == {"Mass", "Nodule"}
    assert summary["gate"]["histogram"] == [1, 0, 0, 0, 0, 0, 0, 0, 0, 0]


@pytest.mark.parametrize(
    ("change", "failure"),
    [
        (lambda fields: fields["tensors"].update(gate="44"), "a.png: tensors differ"),
        (lambda fields: fields["gate"].update(score=0.7000021), "a.png: gate scores differ by 2.1e-06"),
        (lambda fields: fields["gate"].update(score=math.nan), "a.png: gate scores differ by nan"),
        (lambda fields: fields["gate"].update(accepted=False), "a.png: the page and Python decide differently"),
        (
            lambda fields: fields["gate"]["scores"][0].update(value=0.1000011),
            "a.png: the score l1 differs by 1.1e-06",
        ),
        (lambda fields: fields["gate"]["scores"][0].update(value=math.nan), "a.png: the score l1 differs by nan"),
        (
            lambda fields: fields["gate"]["scores"][1].update(value=20.00022),
            "a.png: the score mahalanobis differs by 1.1e-05",
        ),
        (lambda fields: fields["gate"]["scores"][0].update(passed=False), "a.png: scores differ"),
        (lambda fields: fields["gate"]["scores"].pop(), "a.png: scores differ"),
        (lambda fields: fields["gate"]["checks"].pop(), "a.png: checks differ"),
        (lambda fields: fields["gate"]["checks"][0].update(correction="invert"), "a.png: checks differ"),
        (lambda fields: fields.update(correction="invert"), "a.png: correction differs: "),
        (lambda fields: fields.update(gate=None), "a.png: only one side has a gate"),
        (lambda fields: fields["findings"][1].update(probability=0.50002), "a.png: Nodule differs by 2.0e-05"),
        (lambda fields: fields["findings"][1].update(probability=math.nan), "a.png: Nodule differs by nan"),
        (lambda fields: fields["findings"][0].update(calibrated=0.5 + 2e-12), "a.png: Mass is calibrated differently"),
        (lambda fields: fields["findings"][0].update(calibrated=None), "a.png: Mass is calibrated differently"),
        (lambda fields: fields["findings"][0].update(calibrated=math.nan), "a.png: Mass is calibrated differently"),
        (lambda fields: fields["findings"][1].update(calibrated=0.5 + 2e-9), "a.png: Nodule is calibrated differently"),
        (lambda fields: fields["findings"][1].update(calibration="platt"), "a.png: Nodule is calibrated differently"),
        (lambda fields: fields["findings"][1].update(operating_point=0.7), "a.png: Nodule is calibrated differently"),
        (
            lambda fields: fields["findings"][1].update(calibrated_operating_point=0.66666),
            "a.png: Nodule is calibrated differently",
        ),
        (lambda fields: fields["findings"].pop(), "a.png: findings differ"),
        (lambda fields: fields["findings"].reverse(), "a.png: findings differ"),
        (lambda fields: fields["image"].update(width=6), "a.png: image differs: "),
        (lambda fields: fields["bundle"].update(version="2"), "a.png: bundle differs: "),
        (lambda fields: fields.update(notes=["Something."]), "a.png: notes differs: "),
        (lambda fields: fields.update(forced=True), "a.png: forced differs: "),
    ],
)
def test_each_difference_is_found(change: Callable[[Any], Any], failure: str) -> None:
    (found,) = compared(with_change(change)).failures
    assert found.startswith(failure)


@pytest.mark.parametrize(
    "change",
    [
        lambda fields: fields["gate"].update(score=0.7000009),
        lambda fields: fields["gate"]["scores"][0].update(value=0.1000009),
        lambda fields: fields["gate"]["scores"][1].update(value=20.00018),
        lambda fields: fields["gate"]["checks"][0].update(message="Gains 0.124."),
        lambda fields: fields["findings"][0].update(probability=0.500009, calibrated=0.500009),
        lambda fields: fields["findings"][1].update(probability=0.500009, logit=4e-5, calibrated=0.500005),
        lambda fields: fields["findings"][1].update(calibrated=0.5 + 9e-10),
        lambda fields: fields["image"].update(name="C:/elsewhere/a.png"),
    ],
)
def test_what_lies_within_the_tolerances_passes(change: Callable[[Any], Any]) -> None:
    assert compared(with_change(change)).failures == []


def on_webgpu(change: Callable[[Any], Any]) -> list[str]:
    """What fails where the page is on a graphics card and differs from Python by a change."""
    comparison = Comparison(LABELS, "webgpu")
    comparison.add("a.png", with_change(change) | {"engine": {"provider": "webgpu"}}, document())
    return comparison.failures


@pytest.mark.parametrize("sign", [1, -1])
def test_a_graphics_card_may_differ_by_so_much(sign: int) -> None:
    def compared_at(share: float) -> list[list[str]]:
        by = sign * share
        return [
            on_webgpu(lambda fields: fields["findings"][1].update(probability=0.5 + 2.5e-4 * by)),
            on_webgpu(lambda fields: fields["gate"].update(score=0.7 + 1e-3 * by)),
            on_webgpu(lambda fields: fields["gate"]["scores"][0].update(value=0.1 + 1e-3 * by)),
            on_webgpu(lambda fields: fields["gate"]["scores"][1].update(value=20 + 20 * 1e-3 * by)),
        ]

    assert compared_at(0.98) == [[]] * 4
    assert compared_at(1.02) == [
        ["a.png: Nodule differs by 2.6e-04"],
        ["a.png: gate scores differ by 1.0e-03"],
        ["a.png: the score l1 differs by 1.0e-03"],
        ["a.png: the score mahalanobis differs by 1.0e-03"],
    ]


def test_what_a_logit_may_be_off_moves_no_probability_by_more_than_a_graphics_card_may() -> None:
    # `golden` allows 1e-3 of a logit, or of 1 where it is shorter; the probability moves fastest at a logit of 0.
    logits = [step / 1000 for step in range(-12_000, 12_001)]
    moved = [abs(sigmoid(z + LOGIT_TOLERANCE * max(1.0, abs(z))) - sigmoid(z)) for z in logits]
    assert 0.999 * WEBGPU.probability < max(moved) <= WEBGPU.probability


def sigmoid(logit: float) -> float:
    return 1 / (1 + math.exp(-logit))


def test_a_page_that_was_not_on_the_graphics_card_proves_nothing_of_it() -> None:
    comparison = Comparison(LABELS, "webgpu")
    comparison.add("a.png", document(engine={"provider": "wasm", "note": "There is none."}), document())
    assert comparison.failures == ["a.png: not analysed on WebGPU. There is none."]


def test_codes_of_failed_images() -> None:
    comparison = Comparison(LABELS)
    comparison.add("a", failed("too-small"), failed("too-small"))
    assert comparison.summary()["errors"] == {"too-small": 1}
    assert comparison.failures == []
    comparison.add("b", failed("too-small"), failed("damaged-image"))
    comparison.add("c", failed("too-small"), document())
    comparison.add("d", document(), failed("damaged-image"))
    assert comparison.failures == [
        "b: the page says too-small, Python damaged-image",
        "c: the page says too-small, Python a result",
        "d: the page says a result, Python damaged-image",
    ]
    assert comparison.summary()["images"] == 4


def test_histogram() -> None:
    values = [0.0, 1e-12, 1e-9, 2e-9, 5e-6, 1e-5, 0.009, 0.01, 0.02, 7.0]
    summary = Differences(values).summary()
    assert summary["histogram"] == [1, 2, 1, 0, 0, 2, 0, 0, 2, 2]
    assert (summary["count"], summary["max"]) == (10, 7.0)
    assert summary["mean"] == pytest.approx(sum(values) / 10)
    assert Differences().summary() == {"count": 0, "max": 0.0, "mean": 0.0, "histogram": [0] * 10}
    assert bin_names() == ["0", *(f"≤ 1e-{power}" for power in range(9, 1, -1)), "> 1e-2"]
    assert len(bin_names()) == len(BORDERS) + 1


def test_report_tables_hold_the_figures() -> None:
    part = compared(with_change(lambda fields: fields["findings"][1].update(probability=0.50002))).summary()
    part |= {"ready_ms": 1234.4, "requests_outside": [], "effects": EffectsComparison("wasm").summary()}
    entry = {"name": "test-model", "version": "1.0", "images": 1, "transports": {"file": part}}
    report = {"browser": {"name": "chrome", "version": "1.2"}, "chester": CHESTER, "bundles": [entry]}
    shown = io.StringIO()
    console = Console(width=200, file=shown)
    for table in as_tables(report):
        console.print(table)
    text = shown.getvalue()
    for words in (
        "chrome 1.2, 1 images",
        "1234 ms",
        "image/png 1/1",
        "Nodule",
        "2.0e-05",
        "gate score",
        "gate: l1",
        "±3%",
        "20%",
    ):
        assert words in text, words


@pytest.mark.skipif(find_spec("imagecodecs") is None, reason="imagecodecs is not installed")
def test_the_synthetic_set_covers_types_codes_and_orientations(bundle: Bundle, tmp_path: Path) -> None:
    paths = write_synthetic_set(bundle, tmp_path)
    assert images_in(tmp_path) == sorted(paths)
    documents = {path.name: Predictor(bundle).predict(path, force=True) for path in paths}
    codes = {name: fields["error"]["code"] for name, fields in documents.items() if "error" in fields}
    assert codes == {
        "cut-short.png": "damaged-image",
        "cut-short.jpg": "damaged-image",
        "cut-short.dcm": "damaged-image",
        "not-an-image.png": "unsupported-type",
        "empty.png": "damaged-image",
        "alpha-lossless.webp": "unsupported-type",
    }
    assert {fields["image"]["type"] for fields in documents.values()} == {
        "image/png",
        "image/jpeg",
        "image/webp",
        "application/dicom",
        None,
    }
    assert documents["16-bit.png"]["image"]["bits"] == 16
    assert documents["two-level.png"]["image"]["bits"] == 1
    greys = {name: documents[name]["tensors"] for name in ("jpeg-lossless.dcm", "jpeg-ls.dcm", "jpeg-2000.dcm")}
    assert list(greys.values()) == 3 * [documents["grey-small.png"]["tensors"]]
    assert documents["grey.dcm"]["tensors"] == documents["grey.png"]["tensors"]
    upright = documents["orientation-3.jpg"]["image"]
    assert (documents["orientation-6.jpg"]["image"]["width"], upright["width"]) == (upright["height"], 333)


def test_manifests_and_texts_are_no_images(tmp_path: Path) -> None:
    for name in ("b.png", "sub/a.jpg", "labels.csv", "README.md", "notes.TXT", "x.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    assert images_in(tmp_path) == [tmp_path / "b.png", tmp_path / "sub" / "a.jpg"]
