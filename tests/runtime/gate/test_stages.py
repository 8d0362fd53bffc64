"""The gate's stages, driven by hand: what is asked when, what refuses, what is offered and what is corrected."""

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sitegen_runtime.analysis import Analysis
from sitegen_runtime.bundle.model import read_model
from sitegen_runtime.document_types import ScoreDocument
from sitegen_runtime.errors import Cancelled
from sitegen_runtime.gradient import Gradient
from sitegen_runtime.requests import Progress, Request, RunGraph
from tests.helpers.runtime.drive import FEATURES, LATENT, LOGITS, Machine, job
from tests.helpers.runtime.images import saved
from tests.helpers.runtime.models import LABELS, description, model

CELLS = 16
ROUGH = 5.0
EVERYTHING = math.inf  # no limit


def blocks(seed: int = 0) -> np.ndarray:
    """A picture of CELLS x CELLS grey blocks, none of whose turns or inversion is like it."""
    grid = np.random.default_rng(seed).integers(0, 256, (CELLS, CELLS))
    grid[: CELLS // 2] //= 4
    return grid.repeat(4, axis=0).repeat(4, axis=1).astype(np.uint8)


def shares(pixels: np.ndarray) -> np.ndarray:
    return pixels[::4, ::4] / 255


def machine_and_data(pixels: np.ndarray, **options: Any) -> tuple[Machine, bytes]:
    image = Image.fromarray(pixels)
    return Machine(np.asarray(image.convert("RGBA")), **options), saved(image, "PNG")


def analysed(
    machine: Machine, data: bytes, *, force: bool = False, correction: str | None = None, **options: Any
) -> Analysis:
    described = model(**{"gate_cells": CELLS, "cells": CELLS} | options)
    return machine.run(job(data, described, force=force, correction=correction))


def limit(metric: str, threshold: float, higher: str = "unlike") -> dict[str, Any]:
    return {"metric": metric, "threshold": threshold, "higher": higher}


def by_metric(analysis: Analysis) -> Mapping[str, ScoreDocument]:
    return {score["metric"]: score for score in analysis.document["gate"]["scores"]}


def runs(machine: Machine) -> list[tuple[str, tuple[str, ...]]]:
    return [(request.role, request.outputs) for request in machine.asked if isinstance(request, RunGraph)]


def test_a_gate_of_the_ssim_alone_asks_for_nothing_else() -> None:
    machine, data = machine_and_data(blocks())
    analysis = analysed(machine, data, more_outputs=True)
    assert runs(machine) == [("gate", ("reconstruction_out",)), ("classifier", ("logits_out",))]
    gate: Any = analysis.document["gate"]
    assert gate | {"score": 1.0} == {
        "metric": "ssim",
        "score": 1.0,
        "threshold": 0.5,
        "accepted": True,
        "reason": None,
        "position": None,
        "scores": [],
        "checks": [],
    }


def test_the_latent_is_asked_for_where_a_score_needs_it() -> None:
    machine, data = machine_and_data(blocks())
    analysis = analysed(machine, data, more_outputs=True, scores=[limit("latent", 4.0)])
    assert runs(machine)[0] == ("gate", ("reconstruction_out", "latent_out"))
    (score,) = analysis.document["gate"]["scores"]
    assert score == limit("latent", 4.0) | {"value": 5.0, "passed": False, "position": None}
    assert math.hypot(*LATENT) == 5.0
    assert analysis.document["findings"] == []


def test_turned_costs_four_more_runs_and_announces_each() -> None:
    machine, data = machine_and_data(blocks())
    analysis = analysed(machine, data, scores=[limit("turned", 0.0)])
    assert [role for role, _ in runs(machine)] == ["gate"] * 5 + ["classifier"]
    gate = [request.done for request in machine.asked if isinstance(request, Progress) and request.stage == "gate"]
    assert gate == [0.0, 0.2, 0.4, 0.6, 0.8]
    fed = [
        np.reshape(request.feeds[0].values, (CELLS, CELLS)) for request in machine.asked if hasattr(request, "feeds")
    ]
    for quarters in range(4):
        assert np.array_equal(fed[quarters], np.rot90(fed[0], -quarters))
    np.testing.assert_allclose(fed[4], 1 - fed[0], rtol=0, atol=1e-7)
    assert by_metric(analysis)["turned"]["value"] == pytest.approx(0, abs=1e-12)  # this gate rebuilds everything


TURNS = {
    "turn-90": lambda pixels: np.rot90(pixels, 1),
    "turn-180": lambda pixels: np.rot90(pixels, 2),
    "turn-270": lambda pixels: np.rot90(pixels, 3),
    "invert": lambda pixels: 255 - pixels,
}


@pytest.mark.parametrize("listed", [True, False])
@pytest.mark.parametrize("correction", TURNS)
def test_what_would_put_an_image_right_is_offered(correction: str, listed: bool) -> None:
    upright = blocks()
    machine, data = machine_and_data(np.ascontiguousarray(TURNS[correction](upright)), known=shares(upright))
    options: dict[str, Any] = {"scores": [limit("turned", 0.01)]} if listed else {}
    gate: Any = analysed(machine, data, **options).document["gate"]
    (check,) = gate["checks"]
    assert (check["check"], check["correction"]) == ("inverted" if correction == "invert" else "turned", correction)
    assert f"1.000 instead of {gate['score']:.3f}" in check["message"]
    assert gate["accepted"] is False
    assert check["message"] not in gate["reason"]
    assert [score["passed"] for score in gate["scores"]] == [False] * listed
    assert "classifier" not in dict(runs(machine))


@pytest.mark.parametrize("correction", TURNS)
def test_the_correction_that_was_offered_makes_the_image_accepted(correction: str) -> None:
    upright = blocks()
    stored = np.ascontiguousarray(TURNS[correction](upright))
    analyses = []
    for pixels, asked in ((stored, correction), (upright, None)):
        machine, data = machine_and_data(pixels, known=shares(upright))
        analyses.append(analysed(machine, data, correction=asked, scores=[limit("turned", 0.0)]))
    put_right, plain = analyses
    assert put_right.document["correction"] == correction
    assert "correction" not in plain.document
    assert put_right.document["gate"]["accepted"] is True
    assert put_right.document["gate"]["checks"] == []
    assert put_right.document["gate"]["score"] == pytest.approx(plain.document["gate"]["score"], abs=1e-9)
    if correction != "invert":  # whose last bit may be another, because it is computed from float32
        assert put_right.document["tensors"] == plain.document["tensors"]
    words = "inverted" if correction == "invert" else f"turned clockwise by {correction[5:]}°"
    assert put_right.document["notes"] == [f"The image was {words} before it was analysed, because that was asked for."]
    assert put_right.inverted is (correction == "invert")
    orientations = {"turn-90": 6, "turn-180": 3, "turn-270": 8, "invert": 1}
    assert put_right.orientation == orientations[correction]


def test_a_turn_comes_after_the_orientation_of_the_file() -> None:
    upright = blocks()
    exif = Image.Exif()
    exif[0x0112] = 6
    stored = np.ascontiguousarray(np.rot90(upright[:, :60], 2))  # 60 wide and 64 high; upright 64 by 60, on its side
    image = Image.fromarray(stored)
    machine = Machine(np.asarray(image.convert("RGBA")))
    data = saved(image, "PNG", exif=exif.tobytes())
    analysis = analysed(machine, data, correction="turn-90")
    assert analysis.orientation == 3
    assert (analysis.document["image"]["width"], analysis.document["image"]["height"]) == (64, 60)
    plain, expected = machine_and_data(np.ascontiguousarray(upright[:, :60]))
    assert analysis.document["tensors"] == analysed(plain, expected).document["tensors"]
    assert analysis.squares == analysed(plain, expected).squares


def test_an_image_that_nothing_puts_right_is_offered_nothing() -> None:
    machine, data = machine_and_data(blocks(), gate_error=ROUGH)
    gate = analysed(machine, data).document["gate"]
    assert (gate["accepted"], gate["checks"]) == (False, [])
    assert [role for role, _ in runs(machine)] == ["gate"] * 5


@pytest.mark.parametrize("correction", ["turn-45", ["turn-90"], {}])
def test_an_unknown_correction_is_an_error(correction: Any) -> None:
    machine, data = machine_and_data(blocks())
    document = analysed(machine, data, correction=correction).document
    assert document["error"]["code"] == "bad-correction"
    assert repr(correction) in document["error"]["message"]
    assert "'turn-90', 'turn-180', 'turn-270', 'invert'" in document["error"]["message"]
    assert "correction" not in document


def coloured(pixels: np.ndarray) -> np.ndarray:
    return np.stack([pixels, pixels // 2, pixels // 4], axis=2)


@pytest.mark.parametrize(
    ("pixels", "check", "cells"),
    [
        (coloured(blocks()), "colour", CELLS),
        (np.full((64, 64), 100, np.uint8), "blank", CELLS),
        (blocks()[:16], "narrow", CELLS),
        (blocks()[:24, :24], "small", 32),
    ],
    ids=["colour", "blank", "narrow", "small"],
)
def test_checks_refuse_before_any_variant_is_tried(pixels: np.ndarray, check: str, cells: int) -> None:
    machine, data = machine_and_data(np.ascontiguousarray(pixels), gate_error=ROUGH)
    gate = analysed(machine, data, gate_cells=cells).document["gate"]
    (found,) = gate["checks"]
    assert (found["check"], found["correction"], gate["accepted"]) == (check, None, False)
    assert gate["reason"].endswith(found["message"])
    assert [role for role, _ in runs(machine)] == ["gate"]  # the score is told all the same


def test_without_a_gate_nothing_is_checked() -> None:
    machine, data = machine_and_data(coloured(blocks()))
    document = analysed(machine, data, gate=False).document
    assert (document["gate"], len(document["findings"])) == (None, 3)


def test_colours_do_not_matter_to_a_model_of_colour_images() -> None:
    fields = json.loads(description(gate_cells=CELLS, cells=CELLS))
    entry = fields["graphs"]["classifier"]["inputs"][0]
    entry |= {"colour": "rgb", "shape": [1, 3, CELLS, CELLS], "mean": [0.0] * 3, "std": [1.0] * 3}
    machine, data = machine_and_data(coloured(blocks()))
    document = machine.run(job(data, read_model(json.dumps(fields).encode()))).document
    assert (document["gate"]["checks"], document["gate"]["accepted"]) == ([], True)


def test_force_goes_past_checks_and_scores() -> None:
    machine, data = machine_and_data(blocks())
    document = analysed(machine, data, force=True, scores=[limit("l1", -1.0)]).document
    assert (document["gate"]["accepted"], document["forced"], len(document["findings"])) == (False, True, 3)


STAGE_TWO = [limit("mahalanobis", 3.0), limit("energy", 5.0), limit("max-logit", 1.0, "alike"), limit("vim", 50.0)]


def test_stage_two_comes_between_the_classifier_and_the_findings() -> None:
    machine, data = machine_and_data(blocks())
    analysis = analysed(machine, data, more_outputs=True, scores=STAGE_TWO, vim_alpha=2.0)
    assert machine.steps()[-7:] == [
        "run gate",
        "progress classifier",
        "run classifier",
        "progress features",
        "load features",
        "run features",
        "progress done",
    ]
    assert runs(machine)[1:] == [
        ("classifier", ("logits_out", "features_out")),
        ("features", ("residual_out", "whitened_out")),
    ]
    length = math.hypot(*FEATURES)
    energy = -sum(math.log1p(math.exp(logit)) for logit in LOGITS)
    values = {"mahalanobis": 4 * length, "energy": energy, "max-logit": 2.0, "vim": 2 * 10 * length + energy}
    assert {metric: score["value"] for metric, score in by_metric(analysis).items()} == pytest.approx(values, abs=1e-12)
    assert all(score["passed"] for score in by_metric(analysis).values())
    assert len(analysis.document["findings"]) == 3
    assert "features" in analysis.document["timings"]
    assert json.loads(json.dumps(analysis.document, allow_nan=False)) == analysis.document


def test_scores_of_logits_need_no_features() -> None:
    machine, data = machine_and_data(blocks())
    analysis = analysed(machine, data, more_outputs=True, scores=STAGE_TWO[1:3])
    assert runs(machine) == [("gate", ("reconstruction_out",)), ("classifier", ("logits_out",))]
    assert "features" not in analysis.document["timings"]
    assert list(by_metric(analysis)) == ["energy", "max-logit"]


@pytest.mark.parametrize(("force", "findings"), [(False, 0), (True, 3)])
def test_stage_two_refuses_before_any_finding_is_entered(force: bool, findings: int) -> None:
    machine, data = machine_and_data(blocks())
    options: dict[str, Any] = {"more_outputs": True, "scores": [limit("mahalanobis", 2.0)]}
    document: Any = analysed(machine, data, force=force, **options).document
    assert document["gate"]["accepted"] is False
    assert "mahalanobis is 2.236; at most 2.000 is needed" in document["gate"]["reason"]
    assert len(document["findings"]) == findings
    assert document.get("forced", False) is force


def test_what_stage_one_refuses_has_no_scores_of_stage_two() -> None:
    machine, data = machine_and_data(blocks(), gate_error=ROUGH)
    analysis = analysed(machine, data, more_outputs=True, scores=[limit("l1", EVERYTHING), *STAGE_TWO[:1]])
    assert list(by_metric(analysis)) == ["l1"]
    machine, data = machine_and_data(blocks(), gate_error=ROUGH)
    forced = analysed(machine, data, force=True, more_outputs=True, scores=[limit("l1", EVERYTHING), *STAGE_TWO[:1]])
    assert list(by_metric(forced)) == ["l1", "mahalanobis"]
    assert forced.document["forced"] is True


def test_a_combination_of_both_stages_comes_last() -> None:
    machine, data = machine_and_data(blocks())
    analysis = analysed(
        machine,
        data,
        more_outputs=True,
        scores=[limit("combined", 0.9)],
        quantiles={
            "levels": [0.0, 1.0],
            "of": "validation",
            "values": {"ssim": [0.0, 1.0], "max-logit": [0.0, 4.0], "combined": [0.0, 1.0]},
        },
        combination={"weights": {"ssim": 3.0, "max-logit": 2.0}, "intercept": -1.0},
    )
    score = by_metric(analysis)["combined"]
    assert score["value"] == pytest.approx(0.5, abs=1e-9)  # positions 0 and 1 / 2
    assert (score["passed"], score["position"]) == (True, score["value"])
    assert analysis.document["gate"]["position"] == pytest.approx(0, abs=1e-12)


def differentiated(machine: Machine, data: bytes, **options: Any) -> Gradient:
    described = model(gradient=True, gate_cells=CELLS, cells=CELLS, more_outputs=True, **options)
    return machine.differentiate(job(data, described), {LABELS[0]: 1})


def test_a_gradient_passes_both_stages() -> None:
    machine, data = machine_and_data(blocks())
    gradient = differentiated(machine, data, scores=[limit("mahalanobis", 3.0)])
    assert [role for role, _ in runs(machine)] == ["gate", "classifier", "features", "gradient"]
    assert gradient.values
    machine, data = machine_and_data(blocks())
    refused = differentiated(machine, data, scores=[limit("mahalanobis", 2.0)])
    assert [role for role, _ in runs(machine)] == ["gate", "classifier", "features"]
    assert (refused.values, refused.document["gradients"]) == ({}, [])
    assert refused.document["gate"]["accepted"] is False


def test_features_that_are_not_finite() -> None:
    machine, data = machine_and_data(blocks(), logits=(0.0, math.nan, 0.0))
    document = analysed(machine, data, more_outputs=True, scores=STAGE_TWO[:1]).document
    assert document["error"]["code"] == "engine-failed"


def count_of_progress(**options: Any) -> int:
    machine, data = machine_and_data(blocks())
    analysed(machine, data, **options)
    return sum(isinstance(request, Progress) for request in machine.asked)


FULL = {"more_outputs": True, "scores": [limit("turned", 1.0), *STAGE_TWO], "vim_alpha": 2.0}


@pytest.mark.parametrize("number", range(11))
def test_cancelled_at_every_progress(number: int) -> None:
    assert count_of_progress(**FULL) == 11
    seen: list[Request] = []

    def cancel(request: Request) -> BaseException | None:
        seen.extend([request] if isinstance(request, Progress) else [])
        return Cancelled("Stopped.") if len(seen) > number and isinstance(request, Progress) else None

    machine, data = machine_and_data(blocks())
    described = model(gate_cells=CELLS, cells=CELLS, **FULL)
    document = machine.run(job(data, described), cancel).document
    assert document["error"]["code"] == "cancelled"
    assert "gate" not in document
    assert isinstance(machine.asked[-1], Progress)
