"""Causal effect maps: known answers of networks that can be worked out by hand, and the estimators against NumPy."""

from typing import Any

import numpy as np
import pytest

from sitegen_runtime.errors import Cancelled
from sitegen_runtime.explanation import Explained
from sitegen_runtime.interventions.draws import Draws
from sitegen_runtime.interventions.tiles import ACROSS, draw_tiles
from sitegen_runtime.maps.causal_effect import RUNS, SEED, CausalEffects
from sitegen_runtime.maps.masked_runs import FILLING
from sitegen_runtime.requests import Progress, Request, Sketch
from tests.helpers.runtime.drive import job
from tests.helpers.runtime.images import picture, saved
from tests.helpers.runtime.known_networks import CELLS, Knowing, linear, linear_weights, patch_seer, two_layers
from tests.helpers.runtime.models import model
from tests.runtime.interventions.test_tiles import dense

PICTURE = picture(64, 64, colour=0.0)
DATA = saved(PICTURE, "PNG")
RGBA = np.asarray(PICTURE.convert("RGBA"))
SEEN = (RGBA[..., 0] / 255).reshape(CELLS, 4, CELLS, 4).mean((1, 3))


def explained(network: Any, *wanted: str, values: bool = True, intervene: Any = lambda request: None) -> Explained:
    asked = [dict(zip(("method", "finding"), text.split(":"), strict=True)) for text in wanted]
    return Knowing(RGBA, network).explain(job(DATA, model()), asked, intervene, values=values)


def map_of(network: Any, wanted: str) -> tuple[np.ndarray, np.ndarray]:
    """The values, and their standard errors."""
    (found,) = explained(network, wanted).maps
    assert found.shape == (CELLS, CELLS)
    assert found.estimated is not None
    return (np.array(found.values).reshape(found.shape), np.array(found.estimated.errors).reshape(found.shape))


def within_errors(values: np.ndarray, errors: np.ndarray, expected: np.ndarray) -> None:
    """Nearly all within three standard errors, as normal errors are; the errors are neither too small nor too large.

    Neighbours share tiles of 4 x 4 cells, so that one tile that is out, of some 20, shows in many of the 256 cells.
    """
    distances = np.abs(values - expected) / errors
    assert np.mean(distances <= 3) >= 0.97
    assert distances.max() < 4
    assert 0.5 < np.sqrt(np.mean(distances**2)) < 1.5


def masks(count: int, seed: int) -> np.ndarray:
    draws = Draws(seed)
    return np.array([dense(draw_tiles((CELLS, CELLS), draws)) for _ in range(count)])


def shared() -> np.ndarray:
    """[256, 256]: how often two cells lie in the same tile of 4 x 4 cells, moved by 0 to 3 along each axis."""
    assert ACROSS == 5
    away = np.abs(np.subtract.outer(np.arange(CELLS), np.arange(CELLS)))
    along = np.maximum(0, 1 - away / 4)
    return np.kron(along, along)


def test_a_linear_model_has_its_own_terms_spread_over_the_tiles() -> None:
    assert FILLING == "black"
    for number, label in enumerate(("Atelectasis", "Pneumonia")):
        terms = linear_weights()[number] * SEEN
        expected = (shared() @ terms.ravel()).reshape(CELLS, CELLS)
        within_errors(*map_of(linear, f"cem:{label}"), expected)


def test_all_findings_are_the_sum_of_their_logits() -> None:
    expected = (shared() @ (linear_weights().sum(0) * SEEN).ravel()).reshape(CELLS, CELLS)
    within_errors(*map_of(linear, "cem:all"), expected)


def test_two_layers_agree_with_many_other_masks() -> None:
    drawn = masks(4000, seed=1)
    said = np.array([two_layers(SEEN * mask)[2] for mask in drawn])
    kept = np.array([said[drawn[:, row, column] > 0].mean() for row in range(CELLS) for column in range(CELLS)])
    lost = np.array([said[drawn[:, row, column] == 0].mean() for row in range(CELLS) for column in range(CELLS)])
    values, errors = map_of(two_layers, "cem:Effusion")
    both = errors * np.sqrt(1 + RUNS / 4000)  # the reference has an error of its own
    within_errors(values, both, (kept - lost).reshape(CELLS, CELLS))


def test_the_planted_patch_is_found() -> None:
    for method in ("cem", "cem-paper"):
        values, _ = map_of(patch_seer, f"{method}:Atelectasis")
        row, column = divmod(int(values.argmax()), CELLS)
        assert 4 <= row < 8
        assert 10 <= column < 14
    values, errors = map_of(patch_seer, "cem:Effusion")
    assert not values.any()
    assert not errors.any()


def test_the_estimators_are_those_of_numpy() -> None:
    effects, draws, drawn = CausalEffects((CELLS, CELLS)), Draws(SEED), masks(40, SEED).reshape(40, -1)
    said = np.random.default_rng(2).normal(3, 1, 40)
    for number in said:
        effects.add(draw_tiles((CELLS, CELLS), draws), float(number))
    contrast, weighted = effects.contrast(), effects.weighted()
    covariance = ((said - said.mean())[:, None] * (drawn - drawn.mean(0))).sum(0) / 39
    assert np.allclose(contrast.values, 4 * covariance, atol=1e-6)
    assert np.allclose(weighted.values, -(said[:, None] * (1 - drawn)).mean(0), atol=1e-6)
    assert np.allclose(weighted.errors, (said[:, None] * (1 - drawn)).std(0, ddof=1) / np.sqrt(40), rtol=1e-5)
    samples = 4 * (said - said.mean())[:, None] * (drawn - 0.5)
    assert np.allclose(contrast.errors, samples.std(0, ddof=1) / np.sqrt(40), rtol=2e-2)
    assert contrast.runs == effects.runs == 40


def test_the_estimate_has_no_bias() -> None:
    """The mean of many small estimates is the truth, as it would not be if each were off by a share of 1 / runs."""
    draws, truth = Draws(3), (shared() @ (linear_weights()[0] * SEEN).ravel())
    found = []
    for _ in range(800):
        effects = CausalEffects((CELLS, CELLS))
        for _ in range(4):
            tiles = draw_tiles((CELLS, CELLS), draws)
            effects.add(tiles, float((linear_weights()[0] * SEEN * dense(tiles)).sum()))
        found.append(np.array(effects.contrast().values))
    error = np.std(found, axis=0) / np.sqrt(len(found))
    assert np.mean(np.abs(np.mean(found, axis=0) - truth) <= 3 * error) >= 0.98


def test_the_document_says_how_sure_the_map_is() -> None:
    entry, _ = explained(linear, "cem:Pneumonia", "cem-paper:all").document["explanations"]
    assert (entry["runs"], entry["runs_asked"]) == (RUNS, RUNS) == (500, 500)
    assert entry["largest_error"] == max(entry["standard_errors"])
    assert len(entry["standard_errors"]) == len(entry["values"]) == CELLS**2
    brief = explained(linear, "cem:Pneumonia", values=False).document["explanations"][0]
    assert set(entry) - set(brief) == {"values", "standard_errors"}


def test_sketches_are_maps_of_what_has_run_so_far() -> None:
    sketches = []

    def look(request: Request) -> None:
        if isinstance(request, Sketch):
            assert isinstance(request.made, Explained)
            sketches.append(request.made)

    final = explained(linear, "cem:Pneumonia", intervene=look)
    runs = [sketch.document["explanations"][0]["runs"] for sketch in sketches]
    assert runs == list(range(32, 500, 52))
    (first,), (last,) = sketches[0].maps, final.maps
    assert first.shape == last.shape
    assert first.estimated is not None
    assert last.estimated is not None
    assert max(first.estimated.errors) > 2 * max(last.estimated.errors)
    assert sketches[0].squares == final.squares


def test_masks_end_where_they_are_cancelled() -> None:
    def stop(request: Request) -> BaseException | None:
        return Cancelled("stopped") if isinstance(request, Progress) and request.done > 0.1 else None

    assert explained(linear, "cem:all", intervene=stop).document["error"]["code"] == "cancelled"


@pytest.mark.parametrize("method", ["cem", "cem-paper"])
def test_the_same_image_has_the_same_map(method: str) -> None:
    first, second = (explained(two_layers, f"{method}:all").maps[0].values for _ in range(2))
    assert first == second


def test_fewer_runs_are_the_first_masks_of_the_same_seed() -> None:
    sketches = []

    def look(request: Request) -> None:
        if isinstance(request, Sketch):
            assert isinstance(request.made, Explained)
            sketches.append(request.made.maps[0].values)

    explained(linear, "cem:Pneumonia", intervene=look)
    asked = [{"finding": "Pneumonia", "method": "cem", "runs": 32}]
    few = Knowing(RGBA, linear).explain(job(DATA, model()), asked)
    (entry,) = few.document["explanations"]
    assert (entry["runs"], entry["runs_asked"]) == (32, 32)
    assert few.maps[0].values == sketches[0]


@pytest.mark.parametrize(
    ("method", "runs", "said"),
    [
        ("cem", 1, "is of 2 to 500 runs, not 1"),
        ("cem", 501, "2 to 500"),
        ("cem", "8", "not '8'"),
        ("saliency", 8, "'saliency' draws no masks: leave `runs` out"),
    ],
)
def test_runs_that_cannot_be_had(method: str, runs: object, said: str) -> None:
    asked = [{"finding": "all", "method": method, "runs": runs}]
    (entry,) = Knowing(RGBA, linear).explain(job(DATA, model()), asked).document["explanations"]
    assert entry["error"]["code"] == "bad-explanation"
    assert said in entry["error"]["message"]
