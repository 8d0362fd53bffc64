"""The loop: phases, schedules told of scores, resumption, early stopping."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from sitegen.errors import CheckpointError, DataError, TrainingError
from sitegen.evaluation.classifier.scored import network_logits
from sitegen.metrics import auc
from sitegen.networks.classifier import as_one_logit
from sitegen.networks.densenet import DenseNet, DenseNetSettings
from sitegen.phantom import phantom
from sitegen.training.augment import AugmentSettings
from sitegen.training.examples import LabelledImages
from sitegen.training.fit import TrainingData, Watch, batches, fit_classifier, order_of
from sitegen.training.history import Epoch
from sitegen.training.launch import make_fabric
from sitegen.training.losses import MultiLabelSettings, OneAgainstAllSettings
from sitegen.training.presets import Draw, Phase, Recipe
from sitegen.training.schedules import AdamSettings, OneCycleSettings, PlateauSettings

TINY = DenseNetSettings(growth=4, blocks=(2, 2), stem=8)
LITTLE = AugmentSettings(rotation=3, shift=0.02, scale=0.02, brightness=0.02, contrast=0.02)
FABRIC = make_fabric()


def drawn(seeds: range) -> LabelledImages:
    """Phantoms of 32 x 32, every second one with an opacity."""
    images = np.stack([phantom(seed, 32, opacity=seed % 2 == 1) for seed in seeds])
    targets = torch.tensor([[float(seed % 2)] for seed in seeds])
    return LabelledImages(torch.from_numpy(images / 127.5 - 1).float().unsqueeze(1), targets, torch.ones(len(seeds)))


@pytest.fixture(scope="module")
def data() -> TrainingData:
    return TrainingData(drawn(range(32)), drawn(range(100, 116)), ("Opacity",))


def phase(epochs: int, trains: Literal["all", "head"] = "all", rate: float = 1e-2) -> Phase:
    return Phase(trains, epochs, OneCycleSettings(initial_rate=rate / 10, peak_rate=rate))


def recipe(*phases: Phase, **changes: Any) -> Recipe:
    return replace(Recipe(phases, augment=LITTLE, batch=8, keep="last"), **changes)


def new(seed: int = 0, settings: DenseNetSettings = TINY) -> DenseNet:
    torch.manual_seed(seed)
    return DenseNet(settings)


def weights(network: torch.nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in network.state_dict().items()}


def same(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    return all(torch.equal(value, second[name]) for name, value in first.items())


def test_a_tiny_classifier_learns_to_see_the_opacity(data: TrainingData) -> None:
    network = new()
    history, complete = fit_classifier(network, data, recipe(phase(12)), FABRIC)
    assert complete
    assert [epoch.epoch for epoch in history] == list(range(1, 13))
    assert history[-1].train_loss < 0.6 * history[0].train_loss
    scores = network_logits(network, data.valid.images.numpy())[:, 0]
    assert history[-1].aucs == {"Opacity": auc(scores, data.valid.targets[:, 0].numpy())}
    assert history[-1].valid_auc == history[-1].aucs["Opacity"]
    assert (history[-1].valid_auc or 0) > 0.9


@pytest.mark.parametrize("keep", ["best", "last"])
@pytest.mark.parametrize("average", [0.0, 0.9])
def test_a_resumed_training_ends_where_an_uninterrupted_one_does(
    data: TrainingData, tmp_path: Path, keep: str, average: float
) -> None:
    adam = AdamSettings(body_share=0.5, layer_decay=0.8)
    drawn_by_weight = Draw("weight", 24) if average else Draw()
    asked = recipe(
        phase(2),
        phase(2, "head", 1e-3),
        keep=keep,
        average=average,
        mix=average,
        draw=drawn_by_weight,
        adam=adam,
        clip=1.0,
    )
    whole, resumed = new(), new(seed=7)  # what a resumed network begins with does not matter
    history, _ = fit_classifier(whole, data, asked, FABRIC)
    for start, stop in ((0, 1), (9, 2)):  # within the first phase, and within the second
        partly, complete = fit_classifier(new(start), data, asked, FABRIC, tmp_path / "run.pt", epochs_now=stop)
        assert not complete
    assert [(epoch.phase, epoch.epoch) for epoch in partly] == [(1, 1), (1, 2), (2, 1)]
    ended, complete = fit_classifier(resumed, data, asked, FABRIC, tmp_path / "run.pt")
    assert complete
    assert [replace(epoch, seconds=0) for epoch in ended] == [replace(epoch, seconds=0) for epoch in history]
    assert same(weights(whole), weights(resumed))


def test_a_complete_training_is_only_read(data: TrainingData, tmp_path: Path) -> None:
    first, second = new(), new(seed=5)
    fit_classifier(first, data, recipe(phase(1)), FABRIC, tmp_path / "run.pt")
    before = (tmp_path / "run.pt").stat().st_mtime_ns
    assert fit_classifier(second, data, recipe(phase(1)), FABRIC, tmp_path / "run.pt")[1]
    assert (tmp_path / "run.pt").stat().st_mtime_ns == before
    assert same(weights(first), weights(second))


@pytest.mark.parametrize("what", ["recipe", "labels", "targets", "weights"])
def test_a_checkpoint_of_something_else_is_refused(data: TrainingData, tmp_path: Path, what: str) -> None:
    fit_classifier(new(), data, recipe(phase(2)), FABRIC, tmp_path / "run.pt", epochs_now=1)
    asked, other = recipe(phase(2)), data
    if what == "recipe":
        asked = replace(asked, batch=4)
    elif what == "labels":
        other = replace(data, labels=("Other",))
    elif what == "weights":
        other = replace(data, train=replace(data.train, weights=2 * data.train.weights))
    else:
        other = replace(data, train=replace(data.train, targets=data.train.targets.flip(0)))
    with pytest.raises(CheckpointError, match=r"run\.pt is a training with another recipe or other images"):
        fit_classifier(new(), other, asked, FABRIC, tmp_path / "run.pt")


def test_a_phase_of_the_head_leaves_the_body_alone_averages_included(data: TrainingData) -> None:
    network = new()
    before = weights(network)
    fit_classifier(network, data, recipe(phase(2, "head")), FABRIC)
    changed = {name for name, value in weights(network).items() if not torch.equal(value, before[name])}
    assert changed == {"classifier.weight", "classifier.bias"}


def test_both_orders_of_phases_differ_and_each_phase_has_its_own_schedule(data: TrainingData) -> None:
    ends = []
    for order in (("all", "head"), ("head", "all")):
        network = new()
        history, _ = fit_classifier(network, data, recipe(*(phase(2, part) for part in order)), FABRIC)
        assert [(epoch.phase, epoch.trains) for epoch in history] == [(1, order[0])] * 2 + [(2, order[1])] * 2
        assert history[0].learning_rate == history[2].learning_rate
        ends.append(weights(network))
    assert not same(*ends)


def test_the_best_epoch_is_kept_and_training_stops_early(data: TrainingData, monkeypatch: pytest.MonkeyPatch) -> None:
    scores = iter([0.6, 0.9, 0.7, 0.8, 0.85, 0.99])
    monkeypatch.setattr("sitegen.training.fit.mean_auc", lambda aucs: next(scores))
    seen: list[dict[str, Tensor]] = []

    class Weights(Watch):
        def epoch(self, history: Sequence[Epoch]) -> None:
            seen.append(weights(network))

    network = new()
    asked = recipe(phase(6), early_stopping=3, keep="best")
    history, complete = fit_classifier(network, data, asked, FABRIC, watch=Weights())
    assert complete
    assert [epoch.valid_auc for epoch in history] == [0.6, 0.9, 0.7, 0.8, 0.85]
    assert same(seen[1], weights(network))
    assert not same(seen[4], weights(network))


def test_the_rate_falls_on_a_plateau(data: TrainingData, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sitegen.training.fit.mean_auc", lambda aucs: 0.5)
    plateau = Phase("all", 6, PlateauSettings(learning_rate=1e-3, factor=0.1, patience=1))
    history, _ = fit_classifier(new(), data, recipe(plateau), FABRIC)
    rates = [epoch.learning_rate for epoch in history]
    assert rates == pytest.approx([1e-3, 1e-3, 1e-3, 1e-4, 1e-4, 1e-5])


def test_momentum_falls_as_the_rate_rises(data: TrainingData) -> None:
    history, _ = fit_classifier(new(), data, recipe(phase(6)), FABRIC)
    peak = max(history, key=lambda epoch: epoch.learning_rate)
    assert peak.momentum == min(epoch.momentum for epoch in history) == pytest.approx(0.85, abs=0.01)
    assert 1 < peak.epoch < 6
    assert history[-1].momentum == pytest.approx(0.95, abs=0.005)


def test_one_against_all_ends_as_one_logit_with_the_same_scores(data: TrainingData) -> None:
    network = new(settings=replace(TINY, labels=2))
    asked = recipe(phase(8), loss=OneAgainstAllSettings())
    history, _ = fit_classifier(network, data, asked, FABRIC)
    scores = network_logits(as_one_logit(network), data.valid.images.numpy())[:, 0]
    assert history[-1].valid_auc == auc(scores, data.valid.targets[:, 0].numpy())
    assert history[-1].valid_auc > 0.8


def test_unknown_targets_change_nothing(data: TrainingData) -> None:
    """A second label that nobody knows of gives the first one's training, and no AUC."""

    def with_unknown(given: LabelledImages) -> LabelledImages:
        return replace(given, targets=torch.cat([given.targets, torch.full_like(given.targets, torch.nan)], 1))

    both = replace(data, train=with_unknown(data.train), valid=with_unknown(data.valid), labels=("Opacity", "Other"))
    one, two = new(), new(settings=replace(TINY, labels=2))
    with torch.no_grad():
        head, first = two.classifier, one.classifier
        assert isinstance(head, nn.Linear) and isinstance(first, nn.Linear)
        two.load_state_dict(
            {
                **two.state_dict(),
                **{name: value for name, value in one.state_dict().items() if "classifier" not in name},
            }
        )
        head.weight[0], head.bias[0] = first.weight[0], first.bias[0]
    asked = recipe(phase(2), loss=MultiLabelSettings())
    expected, _ = fit_classifier(one, data, asked, FABRIC)
    found, _ = fit_classifier(two, both, asked, FABRIC)
    assert found[-1].aucs == {"Opacity": expected[-1].aucs["Opacity"], "Other": None}
    assert found[-1].train_loss == pytest.approx(expected[-1].train_loss, rel=1e-4)


def test_validation_images_of_one_class_are_refused(data: TrainingData) -> None:
    ones = replace(data.valid, targets=torch.ones_like(data.valid.targets))
    with pytest.raises(DataError, match="the 16 validation images have no label that is present in some and absent"):
        fit_classifier(new(), replace(data, valid=ones), recipe(phase(1)), FABRIC)


def test_a_loss_that_explodes_ends_training_and_spares_the_checkpoint(data: TrainingData, tmp_path: Path) -> None:
    broken = replace(data.train, images=torch.full_like(data.train.images, torch.nan))
    with pytest.raises(TrainingError, match="the loss is nan in epoch 1 of phase 1"):
        fit_classifier(new(), replace(data, train=broken), recipe(phase(1)), FABRIC, tmp_path / "run.pt")
    assert not (tmp_path / "run.pt").exists()


@pytest.mark.parametrize(
    ("examples", "size", "sizes"),
    [
        (9, 8, [5, 4]),
        (16, 8, [8, 8]),
        (3, 8, [3]),
        (33, 32, [17, 16]),
        (3, 2, [3]),
        (7, 2, [3, 2, 2]),
        (1, 2, [1]),
        (2, 1, [1, 1]),
    ],
)
def test_batches_are_dealt_out_evenly(examples: int, size: int, sizes: list[int]) -> None:
    dealt = list(batches(torch.arange(examples), size))
    assert [len(batch) for batch in dealt] == sizes
    assert sorted(torch.cat(dealt).tolist()) == list(range(examples))


def test_the_images_weights_count(data: TrainingData) -> None:
    """Images of weight 0 might as well not be there, but for the batch's count."""
    half = replace(data.train, weights=torch.cat([torch.full((16,), 2.0), torch.zeros(16)]))
    spoilt = replace(half, targets=torch.cat([half.targets[:16], 1 - half.targets[16:]]))
    still = recipe(phase(1), adam=AdamSettings())
    ends = [fit_classifier(new(), replace(data, train=train), still, FABRIC)[0] for train in (half, spoilt)]
    assert ends[0][-1].train_loss == ends[1][-1].train_loss


def test_images_are_drawn_by_their_weights_and_then_count_alike(data: TrainingData) -> None:
    few = replace(data.train, weights=torch.tensor([0.0] * 24 + [1.0] * 6 + [5.0] * 2))
    order = order_of(few, Draw("weight", 4000), torch.Generator().manual_seed(1))
    assert len(order) == 4000
    assert order.min() == 24
    # Two of weight 5 among six of weight 1 are drawn in 10 of 16: four standard errors are 0.03.
    assert float((order >= 30).float().mean()) == pytest.approx(10 / 16, abs=0.031)
    spoilt = replace(few, targets=torch.cat([1 - few.targets[:24], few.targets[24:]]))
    by_weight = recipe(phase(1), draw=Draw("weight", 16))
    ends = [fit_classifier(new(), replace(data, train=train), by_weight, FABRIC)[0] for train in (few, spoilt)]
    assert ends[0][-1].train_loss == ends[1][-1].train_loss


def test_each_image_once_where_they_take_turns(data: TrainingData) -> None:
    order = order_of(data.train, Draw(), torch.Generator().manual_seed(1))
    assert sorted(order.tolist()) == list(range(32))
    assert order.tolist() != list(range(32))


def test_the_average_is_what_a_training_ends_with(data: TrainingData) -> None:
    plain, averaged = new(), new()
    fit_classifier(plain, data, recipe(phase(2)), FABRIC)
    history, _ = fit_classifier(averaged, data, recipe(phase(2), average=0.9), FABRIC)
    assert not same(weights(plain), weights(averaged))
    scores = network_logits(averaged, data.valid.images.numpy())[:, 0]
    assert history[-1].valid_auc == auc(scores, data.valid.targets[:, 0].numpy())
