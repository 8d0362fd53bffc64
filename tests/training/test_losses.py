from math import log, nan
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.utils.class_weight import compute_class_weight
from torch import nn

from sitegen.errors import DataError
from sitegen.training.losses import (
    MultiLabelLoss,
    MultiLabelSettings,
    OneAgainstAllLoss,
    OneAgainstAllSettings,
    class_weights,
    label_weights,
    make_loss,
    positive_weights,
    two_class_weights,
)

LOGITS = torch.tensor([[0.5, -1.0, 2.0], [-0.3, 0.8, -2.0], [1.5, 0.0, 0.1], [-4.0, 3.0, -0.7]], dtype=torch.float64)
TARGETS = torch.tensor([[1, 0, 1], [0, 1, 1], [1, 0, 0], [0, 0, 1]], dtype=torch.float64)
WEIGHTS, POSITIVE = torch.tensor([0.5, 2.0, 1.25]), torch.tensor([3.0, 0.25, 1.0])
# What Elkins et al. 2019 count in ChestX-ray14: 51,759 images with a finding, 5,302 of them with a pneumothorax
# (section 1.2.1), and so many with each finding (the diagonal of figure 3).
COUNTS = [11559, 2776, 4667, 2303, 13317, 2516, 1686, 227, 13094, 5782, 6331, 3385, 1431, 5302]


@pytest.mark.parametrize("weights", [None, WEIGHTS])
@pytest.mark.parametrize("positive", [None, POSITIVE])
def test_multi_label_is_torchs_where_all_is_known(weights: torch.Tensor | None, positive: torch.Tensor | None) -> None:
    expected = nn.BCEWithLogitsLoss(weight=weights, pos_weight=positive)(LOGITS, TARGETS)
    assert MultiLabelLoss(weights, positive)(LOGITS, TARGETS).item() == pytest.approx(expected.item(), abs=1e-12)


def test_multi_label_by_hand() -> None:
    # Eq. 1.3 at logits of 0, where both logarithms are -log 2: weights 2 and 1, p of 3 for the second label.
    loss = MultiLabelLoss(torch.tensor([2.0, 1.0]), torch.tensor([1.0, 3.0]))
    seen = loss(torch.zeros(2, 2), torch.tensor([[1.0, 1.0], [0.0, 0.0]]))
    assert seen.item() == pytest.approx((2 + 3 + 2 + 1) * log(2) / 4, abs=1e-6)


def gradient_of(logits: torch.Tensor) -> torch.Tensor:
    assert logits.grad is not None
    return logits.grad


def test_unknown_labels_take_no_part() -> None:
    targets = TARGETS.clone()
    targets[0, 1] = targets[2, 2] = targets[3, 0] = nan
    known = ~targets.isnan()
    logits = LOGITS.clone().requires_grad_()
    seen = MultiLabelLoss(WEIGHTS, POSITIVE)(logits, targets)
    each = nn.BCEWithLogitsLoss(weight=WEIGHTS, pos_weight=POSITIVE, reduction="none")(LOGITS, TARGETS)
    assert seen.item() == pytest.approx(each[known].mean().item(), abs=1e-12)
    seen.backward()
    assert torch.equal(gradient_of(logits) != 0, known)


@pytest.mark.parametrize(("loss", "labels"), [(MultiLabelLoss(), 3), (OneAgainstAllLoss(), 1)])
def test_a_batch_of_nothing_known_changes_nothing(loss: MultiLabelLoss | OneAgainstAllLoss, labels: int) -> None:
    logits = torch.randn(4, max(labels, 2)).requires_grad_()
    seen = loss(logits, torch.full((4, labels), nan))
    seen.backward()
    assert seen.item() == 0
    assert torch.equal(gradient_of(logits), torch.zeros_like(logits))


def test_smoothing_moves_targets_towards_the_middle() -> None:
    smooth = 0.05 + 0.9 * TARGETS
    expected = nn.BCEWithLogitsLoss()(LOGITS, smooth).item()
    assert MultiLabelLoss(smoothing=0.1)(LOGITS, TARGETS).item() == pytest.approx(expected, abs=1e-12)


def test_images_have_weights_of_their_own() -> None:
    images = torch.tensor([2.0, 0.0, 1.0, 1.0], dtype=torch.float64)
    each = nn.BCEWithLogitsLoss(reduction="none")(LOGITS, TARGETS).mean(1)
    assert MultiLabelLoss()(LOGITS, TARGETS, images).item() == pytest.approx((each * images).mean().item(), abs=1e-12)
    each = nn.CrossEntropyLoss(reduction="none")(LOGITS[:, :2], TARGETS[:, 0].long())
    seen = OneAgainstAllLoss()(LOGITS[:, :2], TARGETS[:, :1], images)
    assert seen.item() == pytest.approx((each * images).mean().item(), abs=1e-12)


@pytest.mark.parametrize("weights", [None, torch.tensor([0.6, 4.9], dtype=torch.float64)])
def test_one_against_all_is_torchs_where_all_is_known(weights: torch.Tensor | None) -> None:
    pairs, targets = LOGITS[:, :2], TARGETS[:, :1]
    expected = nn.CrossEntropyLoss(weight=weights)(pairs, targets[:, 0].long()).item()
    assert OneAgainstAllLoss(weights)(pairs, targets).item() == pytest.approx(expected, abs=1e-12)
    assert OneAgainstAllLoss(weights)(pairs, targets[:, 0]).item() == pytest.approx(expected, abs=1e-12)


def test_one_against_all_by_hand() -> None:
    # Eq. 1.2 and 1.3: of the finding's image log(1 + 1/3), of the other log 2, weighted 3 to 1.
    pairs = torch.tensor([[0.0, log(3)], [1.0, 1.0]])
    seen = OneAgainstAllLoss(torch.tensor([1.0, 3.0]))(pairs, torch.tensor([1.0, 0.0]))
    assert seen.item() == pytest.approx((3 * log(4 / 3) + log(2)) / 4, abs=1e-6)


def test_unknown_images_take_no_part_in_one_against_all() -> None:
    weights = torch.tensor([0.6, 4.9], dtype=torch.float64)
    targets = torch.tensor([1.0, nan, 0.0, nan], dtype=torch.float64)
    pairs = LOGITS[:, :2].clone().requires_grad_()
    seen = OneAgainstAllLoss(weights)(pairs, targets)
    expected = nn.CrossEntropyLoss(weight=weights)(LOGITS[[0, 2], :2], torch.tensor([1, 0]))
    assert seen.item() == pytest.approx(expected.item(), abs=1e-12)
    seen.backward()
    assert (pairs.grad != 0).any(1).tolist() == [True, False, True, False]


def test_the_weights_of_the_paper_are_those_of_equation_1_1() -> None:
    assert class_weights([51759 - 5302, 5302], 51759).tolist() == pytest.approx([0.557064, 4.881083], abs=1e-6)
    weights = class_weights(COUNTS, 51759)
    assert weights[[0, 7, 13]].tolist() == pytest.approx([0.319844, 16.286658, 0.697298], abs=1e-5)


def test_two_class_weights_are_scikit_learns() -> None:
    labels = np.random.default_rng(1).random(500) < 0.07
    expected = compute_class_weight("balanced", classes=np.array([False, True]), y=labels)
    targets = torch.from_numpy(labels).float()
    assert two_class_weights(targets).tolist() == pytest.approx(expected.tolist(), rel=1e-6)
    with_unknown = torch.cat([targets, torch.full((40,), nan)]).unsqueeze(1)
    assert two_class_weights(with_unknown).tolist() == pytest.approx(expected.tolist(), rel=1e-6)


def test_labels_count_where_they_are_known() -> None:
    targets = torch.tensor([[1, 0, nan], [0, 1, nan], [1, 0, 1], [1, nan, 0]])
    assert label_weights(targets).tolist() == pytest.approx([4 / (3 * 3), 3 / (3 * 1), 2 / (3 * 1)])
    assert positive_weights(targets).tolist() == pytest.approx([1 / 3, 2.0, 1.0])


def test_a_finding_that_no_image_has_cannot_be_weighted() -> None:
    targets = torch.tensor([[1.0, 0.0], [0.0, nan]])
    for weigh in (label_weights, positive_weights):
        with pytest.raises(DataError, match="class 1"):
            weigh(targets)
    with pytest.raises(DataError, match="class 0"):
        two_class_weights(torch.ones(3))
    assert make_loss(MultiLabelSettings(), targets).positive_weights is None


def test_settings_decide_the_loss() -> None:
    one: Any = make_loss(OneAgainstAllSettings(), TARGETS[:, :1])
    assert isinstance(one, OneAgainstAllLoss)
    assert one.class_weights.tolist() == [1.0, 1.0]  # two of four have it
    even: Any = make_loss(OneAgainstAllSettings(class_weights=False), torch.ones(2, 1))
    assert even.class_weights.tolist() == [1, 1]
    many: Any = make_loss(MultiLabelSettings(class_weights=True, positive_weights="balanced", smoothing=0.1), TARGETS)
    assert many.label_weights.tolist() == pytest.approx([2 / 3, 4 / 3, 4 / 9])
    assert many.positive_weights.tolist() == pytest.approx([1, 3, 1 / 3])
    assert many.smoothing == 0.1
    given: Any = make_loss(MultiLabelSettings(positive_weights=(1.0, 2.0, 3.0)), TARGETS)
    assert given.positive_weights.tolist() == [1, 2, 3]
    with pytest.raises(DataError, match="1 positive weights were given for 3 labels"):
        make_loss(MultiLabelSettings(positive_weights=(1.0,)), TARGETS)


def test_weights_move_with_the_loss_to_another_device() -> None:
    loss = make_loss(MultiLabelSettings(class_weights=True, positive_weights="balanced"), TARGETS).to("meta")
    assert {each.device.type for each in loss.buffers()} == {"meta"}
    assert len(list(loss.buffers())) == 2
