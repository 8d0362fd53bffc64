"""What a gate decides by: fitted to validation images with PyTorch, and kept by the documents that a bundle makes."""

from dataclasses import dataclass, replace
from math import exp
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from sitegen.bundle import Bundle
from sitegen.data.dataset import read_records
from sitegen.data.records import TRAIN, VALID, Record
from sitegen.data.tensors.cache import cached_tensors
from sitegen.errors import DataError, SettingsError
from sitegen.evaluation.classifier.scored import score_bundle
from sitegen.gate import altered as gate_altered
from sitegen.gate import fitting as gate_fitting
from sitegen.gate.fitting import (
    GateParts,
    SplitImages,
    fit_gate_settings,
    gate_scores,
    pooled_features,
    wants_features,
    wants_pooled,
)
from sitegen.networks.trained import TrainedClassifier, load_trained
from sitegen.networks.trained_gate import TrainedGate, save_gate
from sitegen.prediction import Predictor
from sitegen.recipe.export_bundle import export_bundle
from sitegen.settings.recipe import GatePlan, read_recipe_file
from sitegen_runtime.document_types import ResultDocument, ScoreDocument
from tests.helpers.gates import random_gate
from tests.helpers.radiographs import write_radiographs, write_recipe
from tests.helpers.trained import write_trained

PARTS = ("ssim", "turned", "mahalanobis", "vim")
SCORES = (
    "turned",
    "ssim-gaussian",
    "l1",
    "l2",
    "latent",
    "mahalanobis",
    "energy",
    "max-logit",
    "vim",
)
PLAN = GatePlan(share=0.8, scores=(*SCORES, "combined"), combine=PARTS)
Values = NDArray[np.float64]


@dataclass(frozen=True)
class Fitted:
    """A bundle whose gate has every score, the networks that it was made of, and what it says of validation images."""

    bundle: Bundle
    classifier: TrainedClassifier
    gate: TrainedGate
    records: list[Record]
    train: SplitImages
    valid: SplitImages
    documents: list[ResultDocument]

    def scores(self, metric: str) -> list[ScoreDocument]:
        """A score of every document."""
        return [next(s for s in each["gate"]["scores"] if s["metric"] == metric) for each in self.documents]

    def values(self, metric: str) -> list[float]:
        """The raw values of a metric in the documents."""
        if metric == "ssim":
            return [each["gate"]["score"] for each in self.documents]
        return [score["value"] for score in self.scores(metric)]

    def passing(self) -> dict[str, float]:
        """The share of each source that the documents accept."""
        accepted = np.array([document["gate"]["accepted"] for document in self.documents])
        sources = np.array([record.source for record in self.records])
        return {source: float(accepted[sources == source].mean()) for source in ("one", "two")}


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Fitted:
    folder = tmp_path_factory.mktemp("fitted")
    images = write_radiographs(folder / "images", {"train": 12, "valid": 30}, side=32)
    asked = {"share": PLAN.share, "scores": PLAN.scores, "combine": PLAN.combine}
    recipe = write_recipe(folder / "recipe.json", images, gate=asked)
    checkpoint, gate = write_trained(recipe), replace(random_gate(), made_by={"history": [{"step": 4.0}]})
    save_gate(gate, folder / "work" / "gate.pt")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gate_fitting, "MOST_ALTERED", 3)
        bundle = export_bundle(checkpoint, folder / "bundle", None, folder / "work").bundle
    classifier = load_trained(checkpoint)
    records = read_records(read_recipe_file(recipe))
    train, valid = (seen(records, split, classifier, gate, folder / "work" / "tensors") for split in (TRAIN, VALID))
    chosen = [record for record in records if record.split == VALID]
    predictor = Predictor(bundle)
    documents = [predictor.predict(record.path, force=True) for record in chosen]
    return Fitted(bundle, classifier, gate, chosen, train, valid, documents)


def seen(
    records: list[Record], split: str, classifier: TrainedClassifier, gate: TrainedGate, work: Path
) -> SplitImages:
    chosen = [record for record in records if record.split == split]
    paths = [record.path for record in chosen]
    tensors = {
        role: cached_tensors(paths, {role: entry}, work, 1)[role]
        for role, entry in (("classifier", classifier.image), ("gate", gate.image))
    }
    return SplitImages(tensors["classifier"], tensors["gate"], [record.source for record in chosen])


def test_scores_are_those_of_the_documents(fitted: Fitted) -> None:
    plan = replace(PLAN, scores=SCORES)
    settings, statistics = fit_gate_settings(plan, fitted.gate, fitted.classifier, fitted.train, fitted.valid)
    found = gate_scores(GateParts(fitted.gate, fitted.classifier, statistics), fitted.valid, ("ssim", *SCORES))
    assert list(found) == ["ssim", *SCORES]
    for metric, values in found.items():
        assert np.ptp(values) > 0
        assert values == pytest.approx(fitted.values(metric), rel=1e-5, abs=1e-5 * np.abs(values).max()), metric
    assert settings.settings.combination is None


def test_the_share_of_every_source_passes_by_the_whole_decision(fitted: Fitted) -> None:
    passing = fitted.passing()
    assert 0.8 <= min(passing.values()) < 1
    assert fitted.bundle.description.provenance["gate"]["passing"] == {
        source: round(share, 4) for source, share in passing.items()
    }
    assert fitted.bundle.description.gate is not None
    assert fitted.bundle.description.gate.share == 0.8
    scored = score_bundle(fitted.bundle, fitted.records)
    assert scored.accepted is not None
    assert scored.accepted.tolist() == [document["gate"]["accepted"] for document in fitted.documents]


def test_an_image_passes_a_score_at_its_threshold_or_on_the_good_side(fitted: Fitted) -> None:
    assert fitted.bundle.description.gate is not None
    for limit in fitted.bundle.description.gate.scores:
        sign = 1 if limit.higher == "unlike" else -1
        passed = [sign * value <= sign * limit.threshold for value in fitted.values(limit.metric)]
        assert passed == [score["passed"] for score in fitted.scores(limit.metric)]
        assert np.mean(passed) >= 0.8


def test_a_threshold_is_an_images_value_with_some_room(fitted: Fitted) -> None:
    """A thousandth of a standard deviation on the good side, so that another engine accepts the same images."""
    gate = fitted.bundle.description.gate
    assert gate is not None
    limits = {"ssim": gate.threshold} | {each.metric: each.threshold for each in gate.scores}
    for metric, threshold in limits.items():
        values = np.array(fitted.values(metric))
        sign = -1 if metric in ("ssim", "ssim-gaussian", "max-logit") else 1
        rooms = sign * (threshold - values) / values.std()
        assert np.abs(rooms - 1e-3).min() < 3e-4, metric  # its six digits round it up a little


def test_there_is_a_table_of_quantiles_for_every_score(fitted: Fitted) -> None:
    assert fitted.bundle.description.gate is not None
    table = fitted.bundle.description.gate.quantiles
    assert table is not None
    assert table.of == "validation"
    assert set(table.values) == {"ssim", *SCORES, "combined"}
    for metric, quantiles in table.values.items():
        values = np.array(fitted.values(metric))
        levels = [0.0, 0.25, 0.5, 1.0]
        there = [quantiles[table.levels.index(level)] for level in levels]
        assert there == pytest.approx(np.quantile(values, levels).tolist(), rel=1e-4, abs=1e-4 * np.ptp(values)), metric


def test_the_combination_is_a_logistic_function_of_positions(fitted: Fitted) -> None:
    gate = fitted.bundle.description.gate
    assert gate is not None
    assert gate.combination is not None
    assert tuple(gate.combination.weights) == PARTS
    for document, value in zip(fitted.documents, fitted.values("combined"), strict=True):
        places: dict[str, Any] = {score["metric"]: score["position"] for score in document["gate"]["scores"]}
        places["ssim"] = document["gate"]["position"]
        total = gate.combination.intercept + sum(gate.combination.weights[part] * places[part] for part in PARTS)
        assert value == pytest.approx(1 / (1 + exp(-total)), abs=1e-9)


def test_a_combination_is_fitted_to_altered_validation_images_alone(
    fitted: Fitted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All that is altered is among the validation images, and without scores of features no training image is given."""
    given: dict[str, list[NDArray[np.float32]]] = {}
    original = gate_altered.altered

    def spy(images: NDArray[np.float32], entry: Any, kind: str) -> NDArray[np.float32]:
        given.setdefault(kind, []).append(images)
        return original(images, entry, kind)

    monkeypatch.setattr(gate_fitting, "altered", spy)
    monkeypatch.setattr(gate_fitting, "MOST_ALTERED", 3)
    monkeypatch.setattr(gate_fitting, "ALTERATIONS", dict.fromkeys(("inverted", "noise")))
    plan = replace(PLAN, scores=("combined",), combine=("ssim", "l2"))
    assert not wants_features(plan)
    found, statistics = fit_gate_settings(plan, fitted.gate, fitted.classifier, None, fitted.valid)
    assert statistics is None
    assert set(given) == {"inverted", "noise"}
    for images, shares in given.values():
        assert (len(images), len(shares)) == (3, 3)
        assert np.array_equal(images, fitted.valid.classifier[[0, 14, 29]])
        assert np.array_equal(shares, fitted.valid.gate[[0, 14, 29]])
    assert found.settings.combination is not None
    assert set(found.settings.combination.weights) == {"ssim", "l2"}
    assert min(found.thresholds.passing.values()) >= 0.8


def test_alpha_is_there_where_vim_is_measured(fitted: Fitted) -> None:
    assert fitted.bundle.description.gate is not None
    assert fitted.bundle.description.gate.vim_alpha is not None
    assert fitted.bundle.description.gate.vim_alpha > 0
    cases: tuple[tuple[tuple[str, ...], bool], ...] = (
        ((), False),
        (("turned", "energy"), False),
        (("vim",), True),
        (("mahalanobis",), True),
    )
    for scores, wanted in cases:
        plan = replace(PLAN, scores=scores)
        assert (wants_features(plan), wants_pooled(plan)) == (wanted, wanted)
        found, statistics = fit_gate_settings(plan, fitted.gate, fitted.classifier, fitted.train, fitted.valid)
        assert (statistics is not None) == wanted
        assert (found.settings.vim_alpha is not None) == ("vim" in scores)
        assert [score.metric for score in found.settings.scores] == list(scores)


def test_every_source_weighs_the_same_in_the_statistics(fitted: Fitted) -> None:
    plan = replace(PLAN, scores=("mahalanobis", "vim"))
    _, statistics = fit_gate_settings(plan, fitted.gate, fitted.classifier, fitted.train, fitted.valid)
    assert statistics is not None
    assert statistics.whitening is not None
    pooled, _ = pooled_features(fitted.classifier, fitted.train.classifier)
    sources = np.array(fitted.train.sources)
    assert {source: int((sources == source).sum()) for source in ("one", "two")} == {"one": 8, "two": 4}
    means = [pooled[sources == source].mean(axis=0) for source in ("one", "two")]
    assert statistics.whitening.mean == pytest.approx((means[0] + means[1]) / 2, rel=1e-6)
    assert statistics.whitening.mean != pytest.approx(pooled.mean(axis=0), rel=1e-6)


def test_pooled_features_are_averages_of_the_last_feature_maps(fitted: Fitted) -> None:
    network, images = fitted.classifier.network, torch.from_numpy(fitted.valid.classifier[:2].copy())
    pooled, logits = pooled_features(fitted.classifier, fitted.valid.classifier[:2])
    with torch.inference_mode():
        maps = network.feature_maps(images)
        assert logits == pytest.approx(network(images).double().numpy(), abs=1e-6)
    assert pooled == pytest.approx(maps.double().numpy().mean(axis=(2, 3)), rel=1e-5)


def test_what_cannot_be_fitted_is_told(fitted: Fitted) -> None:
    few = SplitImages(fitted.valid.classifier[:6], fitted.valid.gate[:6], fitted.valid.sources[:6])
    with pytest.raises(DataError, match="two has 2"):
        fit_gate_settings(replace(PLAN, scores=()), fitted.gate, fitted.classifier, None, few)
    with pytest.raises(SettingsError, match="one other metric at least"):
        plan = replace(PLAN, scores=("combined",), combine=())
        fit_gate_settings(plan, fitted.gate, fitted.classifier, None, fitted.valid)
    broken = fitted.valid.gate.copy()
    broken[4] = np.nan
    with pytest.raises(DataError, match=r"cannot judge validation image 4: .* Train the gate again"):
        unusable = replace(fitted.valid, gate=broken)
        fit_gate_settings(replace(PLAN, scores=()), fitted.gate, fitted.classifier, None, unusable)
