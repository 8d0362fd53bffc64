import json

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn

from sitegen.evaluation.robustness.matrix import (
    JudgedSet,
    Row,
    by_rising_level,
    cell,
    level_name,
    logits_at_level,
    robustness_document,
    row_names,
)
from sitegen.metrics import half_split_deviation, interval_by_patient
from sitegen.metrics.resampling import Resampling
from sitegen.metrics.roc import auc_of_draws
from sitegen.training.augment import LEVELS, AugmentSettings, placement

NONE, LOW, MIDDLE, HIGH = LEVELS


class MeanGrey(nn.Module):
    """One logit, the mean of the image: turning a grey image does not change it."""

    def forward(self, images: Tensor) -> Tensor:
        return images.mean(dim=(1, 2, 3)).unsqueeze(1)


class Centre(nn.Module):
    """Two logits, where the light of an image has its centre: x and y in shares of the side, from its middle."""

    def forward(self, images: Tensor) -> Tensor:
        side = images.shape[-1]
        places = (torch.arange(side) + 0.5) / side - 0.5
        total = images.sum(dim=(1, 2, 3))
        across, down = ((images.sum(dim=(1, axis)) * places).sum(dim=1) / total for axis in (2, 3))
        return torch.stack([across, down], dim=1)


def discs(count: int, side: int = 40) -> Tensor:
    """Black images with a white disc in the middle."""
    places = (torch.arange(side) + 0.5) / side - 0.5
    disc = (places[:, None] ** 2 + places[None, :] ** 2 < 0.01).float()
    return disc.expand(count, 1, side, side).clone()


def at(network: nn.Module, images: Tensor, level: str, **options: int) -> np.ndarray:
    return logits_at_level(network, images, LEVELS[level], 0.0, 1.0, **options)


def test_the_levels_rise_from_none_to_the_papers() -> None:
    assert LEVELS[NONE] == placement(0, 0, 0)
    assert LEVELS[HIGH] == placement(45, 0.15, 0.15)


def test_without_distortion_images_are_as_they_are() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(64, 3))
    images = torch.rand(5, 1, 8, 8)
    assert np.array_equal(at(network, images, NONE), network(images).detach().double().numpy())


def test_grey_images_stay_what_they_are_at_every_level() -> None:
    greys = torch.tensor([0.1, 0.4, 0.35, 0.8])
    images = greys.view(-1, 1, 1, 1).expand(4, 1, 16, 16)
    targets = np.array([[0.0], [0.0], [1.0], [1.0]])
    logits = {name: at(MeanGrey(), images, name) for name in LEVELS}
    for each in logits.values():
        assert each[:, 0] == pytest.approx(greys.numpy(), abs=1e-6)
    row = Row("model", "model.pt", NONE, {"internal": logits})
    document = robustness_document([row], {"internal": JudgedSet("grey", targets, list("abcd"))}, ["Finding"])
    cells = document["findings"][0]["internal"]["cells"]
    assert [[each["auc"] for each in line] for line in cells] == [[0.75, 0.75, 0.75, 0.75]]


def test_stronger_levels_move_an_image_further_in_the_same_sense() -> None:
    still, low, high = (at(Centre(), discs(50), level) for level in (NONE, LOW, HIGH))
    assert np.abs(still).max() < 1e-6
    assert ((low * high).sum(axis=1) > 0).all()
    ratio = np.linalg.norm(high, axis=1) / np.linalg.norm(low, axis=1)
    # Three times as far, and up to 15 % and 5 % nearer or farther by scaling.
    assert (ratio > 2.7).all()
    assert (ratio < 3.5).all()
    # 15 % of the side either way, made larger by up to 1 / 0.85.
    assert 0.1 < np.linalg.norm(high, axis=1).max() < 0.15 * 2**0.5 / 0.85


def test_every_model_meets_the_same_distortions_whatever_its_input() -> None:
    small, large = (at(Centre(), discs(20, side), HIGH) for side in (40, 80))
    assert small == pytest.approx(large, abs=0.005)
    assert np.abs(small).max() > 0.05


def test_batches_do_not_matter_and_the_seed_does() -> None:
    images = discs(7)
    whole = at(Centre(), images, MIDDLE, seed=3)
    assert at(Centre(), images, MIDDLE, seed=3, batch=2) == pytest.approx(whole, abs=1e-7)
    assert np.array_equal(at(Centre(), images, MIDDLE, seed=3), whole)
    assert np.abs(at(Centre(), images, MIDDLE, seed=4) - whole).max() > 0.01


def test_networks_are_judged_in_evaluation_mode() -> None:
    network = nn.Sequential(nn.Dropout(0.9), MeanGrey()).train()
    assert at(network, torch.ones(3, 1, 8, 8), NONE).tolist() == [[1.0]] * 3


def test_a_cell_has_the_figures_of_metrics() -> None:
    rng = np.random.default_rng(5)
    targets = (rng.random(80) < 0.4).astype(float)
    scores = rng.normal(targets, 1.5)
    patients = [f"p{index // 2}" for index in range(80)]

    def area(draws: np.ndarray) -> np.ndarray:
        return auc_of_draws(scores, targets == 1, draws)

    found = cell(scores, targets, patients, Resampling(half_splits=6, resamples=200, seed=9))
    interval = interval_by_patient(area, patients, 200, seed=9)
    assert found == {
        "auc": pytest.approx(roc_auc_score(targets, scores), abs=1e-12),
        "low": interval.low,
        "high": interval.high,
        "half_split_deviation": half_split_deviation(area, 80, 6, 9),
    }
    assert interval.low < interval.value < interval.high


def test_unknown_targets_take_no_part_in_a_cell() -> None:
    scores = np.array([0.1, 0.2, 0.9, 0.8, 0.3, 5.0, -5.0])
    targets = np.array([0.0, 0.0, 1.0, 1.0, 1.0, np.nan, np.nan])
    patients = list("aabbcde")
    few = Resampling(resamples=50)
    assert cell(scores, targets, patients, few) == cell(scores[:5], targets[:5], patients[:5], few)
    assert (cell(scores, targets, patients, few) or {})["auc"] == 1.0


@pytest.mark.parametrize("value", [0.0, 1.0, np.nan])
def test_one_class_alone_has_no_cell(value: float) -> None:
    assert cell(np.arange(4.0), np.full(4, value), list("abcd"), Resampling()) is None


def test_a_lone_positive_has_an_area_and_nothing_that_draws_could_tell() -> None:
    found = cell(np.arange(40.0), np.eye(40)[39], [f"p{index}" for index in range(40)], Resampling(resamples=5000))
    assert found is not None
    assert found["auc"] == 1.0
    assert found["low"] == found["high"] == 1.0
    one_patient = cell(np.arange(4.0), np.array([0, 0, 0, 1.0]), ["a", "a", "a", "b"], Resampling(half_splits=2))
    assert one_patient is not None
    assert one_patient["auc"] == 1.0


def test_scores_that_are_no_numbers_are_an_error_not_a_gap() -> None:
    with pytest.raises(ValueError, match=r"scores\[1\] is nan"):
        cell(np.array([0.0, np.nan]), np.array([0.0, 1.0]), ["a", "b"], Resampling())


def rows_and_sets() -> tuple[list[Row], dict[str, JudgedSet]]:
    rng = np.random.default_rng(2)
    targets = (rng.random((30, 2)) < 0.5).astype(float)
    targets[:4, 1] = np.nan
    sets = {
        "internal": JudgedSet("ours, test", targets, [f"p{index // 2}" for index in range(30)]),
        "external": JudgedSet("theirs", np.where(np.arange(2) == 1, 0.0, targets[:20]), list("abcdefghij") * 2),
    }
    rows = []
    for level in (HIGH, "", NONE):
        logits = {
            role: {name: rng.normal(np.nan_to_num(part.targets), 1) for name in LEVELS} for role, part in sets.items()
        }
        rows.append(Row(level or "other.pt", f"{level}.pt", level, logits))
    return rows, sets


def test_the_document_has_a_matrix_for_each_finding_and_data_set() -> None:
    rows, sets = rows_and_sets()
    document = robustness_document(rows, sets, ["Mass", "Hernia"], Resampling(half_splits=4, resamples=20, seed=1))
    assert document["schema"] == "sitegen.robustness/1"
    assert [document[key] for key in ("half_splits", "resamples", "seed")] == [4, 20, 1]
    assert list(document["levels"]) == [NONE, LOW, MIDDLE, HIGH]
    assert document["levels"][MIDDLE] == {"rotation": 30, "shift": 0.1, "scale": 0.1}
    assert [model["name"] for model in document["models"]] == [NONE, HIGH, "other.pt"]
    assert [model["trained_at"] for model in document["models"]] == [NONE, HIGH, None]
    assert document["data"]["internal"] == {"name": "ours, test", "images": 30, "patients": 15}
    assert document["data"]["external"] == {"name": "theirs", "images": 20, "patients": 10}
    mass, hernia = document["findings"]
    assert (mass["label"], hernia["label"]) == ("Mass", "Hernia")
    assert hernia["internal"]["images"] == 26
    assert hernia["internal"]["positives"] == np.nansum(sets["internal"].targets[:, 1])
    assert hernia["external"]["cells"] == [[None] * 4] * 3
    # The first row is the model of the last one given.
    expected = roc_auc_score(sets["external"].targets[:, 0], rows[2].logits["external"][LOW][:, 0])
    assert mass["external"]["cells"][0][1]["auc"] == pytest.approx(expected, abs=1e-12)
    assert json.loads(json.dumps(document)) == document


def test_equal_arguments_give_equal_documents() -> None:
    rows, sets = rows_and_sets()
    few = Resampling(resamples=20)
    first = robustness_document(rows, sets, ["Mass", "Hernia"], few)
    assert robustness_document(rows, sets, ["Mass", "Hernia"], few) == first
    other = robustness_document(rows, sets, ["Mass", "Hernia"], Resampling(resamples=20, seed=1))
    assert other["findings"] != first["findings"]


def test_a_level_is_told_by_its_settings() -> None:
    assert level_name(placement(30, 0.1, 0.1)) == MIDDLE
    assert level_name(AugmentSettings(rotation=30, shift=0.1, scale=0.1, brightness=0.1, contrast=0)) == ""


def test_models_of_one_level_keep_their_files_apart() -> None:
    assert row_names([HIGH, NONE, HIGH, ""], ["a", "b", "c", "d"]) == [f"{HIGH} (a)", NONE, f"{HIGH} (c)", "d"]


def test_rows_of_no_level_come_last_in_their_order() -> None:
    rows = [Row(name, name, level, {}) for name, level in (("x", ""), ("high", HIGH), ("y", ""), ("none", NONE))]
    assert [row.name for row in by_rising_level(rows)] == ["none", "high", "x", "y"]
