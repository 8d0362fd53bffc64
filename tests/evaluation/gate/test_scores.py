"""Scores of networks and bundles, against scikit-image, NumPy and the runtime's own documents."""

from dataclasses import replace
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from skimage.metrics import structural_similarity

from sitegen.bundle import Bundle
from sitegen.errors import SettingsError
from sitegen.evaluation.gate.bundle_scores import (
    OF_A_CHECK,
    beyond,
    possible_metrics,
    score_gate_bundle,
    with_all_scores,
)
from sitegen.evaluation.gate.network_scores import scored_gate_network
from sitegen.evaluation.gate.scored import GateScored, Selected, detectors_of, unusable
from sitegen.gate.network_scores import corrected_batch
from sitegen.phantom import phantom
from sitegen.prediction import Predictor
from sitegen_runtime.bundle.gate import Gate, Quantiles
from sitegen_runtime.pixels.corrections import CORRECTIONS, corrected
from tests.helpers.browser.gate_bundle import make_gate_bundle
from tests.helpers.bundles import make_bundle
from tests.helpers.gates import HISTORY, random_gate
from tests.helpers.outside_images import drawn

NETWORK = ["ssim", "ssim-gaussian", "l1", "l2", "latent", "turned"]


@pytest.fixture(scope="module")
def tensors() -> np.ndarray:
    planes = [phantom(seed, 16) for seed in range(3)] + [drawn("noise", 0, 16), drawn("stripes", 1, 16)]
    return (np.stack(planes)[:, np.newaxis] / 255).astype(np.float32)


@pytest.fixture(scope="module")
def scored(tensors: np.ndarray) -> GateScored:
    return scored_gate_network(random_gate(), "demo", tensors, [0, 1, 3, 4, 5], {2: "damaged"}, workers=1)


def rebuilt(tensors: Any) -> list[Any]:
    with torch.inference_mode():
        return [part.numpy() for part in random_gate().network(torch.from_numpy(tensors))]


def test_scores_are_those_of_the_references(scored: GateScored, tensors: np.ndarray) -> None:
    reconstructions, latents = rebuilt(tensors)
    kept = [0, 1, 3, 4, 5]
    assert list(scored.metrics) == NETWORK
    first, second = tensors[:, 0].astype(np.float64), reconstructions[:, 0].astype(np.float64)
    similar = [structural_similarity(a, b, data_range=1.0) for a, b in zip(first, second, strict=True)]
    expected = {
        "ssim": similar,
        "l1": np.abs(first - second).mean((1, 2)),
        "l2": np.sqrt(((first - second) ** 2).mean((1, 2))),
        "latent": np.linalg.norm(latents.astype(np.float64), axis=1),
    }
    for metric, values in expected.items():
        assert scored.metrics[metric][kept] == pytest.approx(np.array(values), abs=1e-6), metric
        assert np.isnan(scored.metrics[metric][2])
    assert scored.reconstructions[kept] == pytest.approx(reconstructions, abs=1e-6)


def test_turned_takes_the_best_rebuilt_variant(scored: GateScored, tensors: np.ndarray) -> None:
    network = random_gate().network
    for row, place in enumerate([0, 1, 3, 4, 5]):
        found = []
        with torch.inference_mode():
            for turn in (lambda x: np.rot90(x, 3), lambda x: np.rot90(x, 2), np.rot90, lambda x: 1 - x):
                image = np.ascontiguousarray(turn(tensors[row, 0]))
                again = network(torch.from_numpy(image[np.newaxis, np.newaxis]))[0][0, 0].double().numpy()
                error = ((image - again) ** 2).mean()
                found.append((error, structural_similarity(image.astype(np.float64), again, data_range=1.0)))
        expected = min(found)[1] - scored.metrics["ssim"][place]
        assert scored.metrics["turned"][place] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("correction", CORRECTIONS)
def test_batches_are_corrected_as_the_runtime_does(tensors: np.ndarray, correction: str) -> None:
    image = random_gate().image
    for row, found in zip(tensors, corrected_batch(torch.from_numpy(tensors), correction).numpy(), strict=True):
        assert found.ravel().tolist() == list(corrected(row.ravel().tolist(), correction, image))


def test_processes_give_the_same(scored: GateScored, tensors: np.ndarray) -> None:
    again = scored_gate_network(random_gate(), "demo", tensors, [0, 1, 3, 4, 5], {2: "damaged"}, workers=2)
    for metric, values in scored.metrics.items():
        assert np.array_equal(again.metrics[metric], values, equal_nan=True)


def test_a_network_is_described(scored: GateScored) -> None:
    assert scored.model["network"] == "autoencoder"
    assert (scored.model["latent"], scored.model["history"]) == (4, HISTORY)
    assert scored.problems == {2: "damaged"}


def test_numbers_that_are_not_finite_are_a_problem(tensors: np.ndarray) -> None:
    gate: Any = random_gate()
    gate.network.encoder[-1].bias.data[0] = float("nan")
    found = scored_gate_network(gate, "demo", tensors[:1], [0], {}, workers=1)
    assert list(found.problems) == [0]
    assert unusable([found], [Path("a.png")]) == {0: "a.png: The network gives no finite number for it."}


def test_thresholds_come_from_validation_images_alone() -> None:
    random = np.random.default_rng(0)
    values = random.normal(size=100)
    base = scored_gate_network(random_gate(), "demo", np.zeros((0, 1, 16, 16), np.float32), [], {}, workers=1)
    given = replace(base, metrics={"ssim": values, "l2": values}, thresholds={"ssim": 0.25})
    which = Selected(np.arange(20), np.arange(20, 40), np.arange(40, 100), ["a"] * 30 + ["b"] * 30)
    (ssim, l2), problem = detectors_of(given, which)
    assert problem is None
    assert (ssim.threshold, ssim.chosen_on) == (-0.25, "bundle")
    assert ssim.inside.tolist() == (-values[:20]).tolist()
    assert ssim.refused_outside.tolist() == (values[20:40] < 0.25).tolist()
    assert l2.chosen_on == "validation"
    assert l2.threshold is not None
    for rows in (np.arange(40, 70), np.arange(70, 100)):
        assert np.mean(values[rows] <= l2.threshold) >= 0.95
    altered = replace(given, metrics={"l2": np.where(np.arange(100) < 40, 9 * values, values)})
    assert detectors_of(altered, which)[0][0].threshold == l2.threshold


def test_too_few_validation_images_leave_a_score_without_a_threshold() -> None:
    base = scored_gate_network(random_gate(), "demo", np.zeros((0, 1, 16, 16), np.float32), [], {}, workers=1)
    given = replace(base, metrics={"l2": np.arange(9.0)})
    found, problem = detectors_of(given, Selected(np.arange(3), np.arange(3, 6), np.arange(6, 9), ["a"] * 3))
    assert found[0].refused_inside is None
    assert problem is not None
    assert problem.startswith("demo has scores without a threshold: ")
    assert "20 validation images" in problem


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return make_gate_bundle(tmp_path_factory.mktemp("gates") / "full")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("files")
    pictures = {
        "known.png": phantom(0, 256),
        "other.png": phantom(7, 256),
        "noise.png": drawn("noise", 0, 64),
        "blank.png": np.zeros((64, 64), np.uint8),
    }
    for name, picture in pictures.items():
        Image.fromarray(picture).save(folder / name)
    (folder / "broken.png").write_bytes(b"no image")
    return [*(folder / name for name in pictures), folder / "broken.png", folder / "missing.png"]


def test_a_bundle_is_asked_for_all_that_it_can_compute(full: Bundle, bundle: Bundle) -> None:
    assert possible_metrics(full.model) == [*NETWORK, "mahalanobis", "energy", "max-logit"]
    assert possible_metrics(bundle.model) == ["ssim", "ssim-gaussian", "l1", "l2", "turned", "energy", "max-logit"]
    gate = with_all_scores(full.model).gate
    added = {limit.metric: limit.threshold for limit in gate.scores[len(full.model.gate.scores) :]}
    assert added == {"l2": inf, "max-logit": -inf}
    assert gate.scores[: len(full.model.gate.scores)] == full.model.gate.scores


def test_a_bundles_scores_and_decision_are_those_of_its_documents(full: Bundle, files: list[Path]) -> None:
    found = score_gate_bundle(full, "full", files, workers=1)
    assert list(found.problems) == [4, 5]
    assert "missing.png cannot be read" in found.problems[5]
    predictor = Predictor(full)
    assert found.decided is not None and found.logits is not None
    for row, path in enumerate(files[:4]):
        document = predictor.predict(path, force=True)
        gate = document["gate"]
        assert found.metrics["ssim"][row] == gate["score"]
        for score in gate["scores"]:
            assert found.metrics[score["metric"]][row] == score["value"]
        assert found.decided.refused[row] == (not gate["accepted"])
        assert found.logits[row].tolist() == [finding["logit"] for finding in document["findings"]]
        checked = {check["check"] for check in gate["checks"]} - {"turned", "inverted"}
        failed = gate["score"] < gate["threshold"] or not all(score["passed"] for score in gate["scores"])
        assert (found.decided.unlike[row] > 0) == (failed or bool(checked))
        assert (found.decided.unlike[row] >= OF_A_CHECK) == bool(checked)
        assert found.metrics["max-logit"][row] == max(found.logits[row])
    assert not found.decided.refused[0]
    assert found.decided.unlike[3] >= OF_A_CHECK  # it is blank
    assert found.thresholds["mahalanobis"] == 3.0
    assert "l2" not in found.thresholds


def test_processes_give_the_same_of_a_bundle(full: Bundle, files: list[Path]) -> None:
    one, two = (score_gate_bundle(full, "full", files[:3], workers=count) for count in (1, 2))
    assert all(np.array_equal(one.metrics[metric], two.metrics[metric]) for metric in one.metrics)


def test_the_decisions_own_score_is_the_distance_beyond_the_limit_in_units_of_ordinary_images() -> None:
    table = Quantiles("validation", (0.0, 0.5, 1.0), {"ssim": (0.5, 0.9, 1.0), "l2": (0.0, 2.0, 3.0)})
    gate = Gate("ssim", 0.7, quantiles=table)
    assert beyond("ssim", 0.6, 0.7, gate) == pytest.approx(0.5)  # half as far beyond the limit as the median is within
    assert beyond("ssim", 0.9, 0.7, gate) == pytest.approx(-1)
    assert beyond("l2", 6.0, 4.0, gate) == pytest.approx(1)
    assert beyond("l1", 6.0, 4.0, gate) == 2  # without a table, in its own unit
    assert beyond("l2", 3.0, 2.0, gate) == 1  # the median is the limit


def test_without_a_table_the_decision_is_ranked_by_its_similarity(bundle: Bundle, files: list[Path]) -> None:
    found = score_gate_bundle(bundle, "plain", files[:3], workers=1)
    ranked = bundle.model.gate.threshold - found.metrics["ssim"]
    assert found.decided.unlike.tolist() == pytest.approx(ranked.tolist())
    detectors, _ = detectors_of(found, Selected(np.arange(1), np.arange(1, 3), np.arange(0), []))
    assert [each.metric for each in detectors][:2] == ["gate", "ssim"]
    assert detectors[0].name == "plain gate"
    assert detectors[0].refused_outside.tolist() == found.decided.refused[1:3].tolist()


def test_a_bundle_without_a_gate_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="has no gate"):
        score_gate_bundle(make_bundle(tmp_path / "none", gate=False), "none", [])
