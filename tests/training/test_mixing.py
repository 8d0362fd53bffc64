"""Mixing images in pairs: what comes out lies between the two, and only where the same is known of both."""

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Generator

from sitegen.errors import SettingsError
from sitegen.training.mixing import Mixing, draw_mixing
from sitegen.training.presets import read_recipe

NAN = float("nan")


def test_an_image_and_its_targets_lie_between_the_two() -> None:
    mixing = Mixing(torch.tensor([1, 0, 2]), torch.tensor([0.75, 0.5, 1.0]))
    images = torch.tensor([0.0, 1.0, 5.0]).view(3, 1, 1, 1)
    mixed = mixing.images(images, images[mixing.partners], slice(None))
    assert mixed.flatten().tolist() == [0.25, 0.5, 5.0]
    assert mixing.images(images[1:], images[mixing.partners[1:]], slice(1, None)).flatten().tolist() == [0.5, 5.0]
    targets = mixing.targets(torch.tensor([[1.0, NAN], [0.0, NAN], [1.0, 0.0]]))
    assert targets[:, 0].tolist() == [0.75, 0.5, 1.0]
    assert targets[:, 1].isnan().tolist() == [True, True, False]


def test_shares_are_the_larger_parts_of_a_beta_distribution() -> None:
    drawn = draw_mixing(torch.zeros(4000, 1), 0.4, Generator().manual_seed(1))
    expected = np.random.default_rng(2).beta(0.4, 0.4, 4000)
    assert stats.ks_2samp(drawn.shares.numpy(), np.maximum(expected, 1 - expected)).pvalue > 0.01
    assert sorted(drawn.partners.tolist()) == list(range(4000))
    again = draw_mixing(torch.zeros(4000, 1), 0.4, Generator().manual_seed(1))
    assert torch.equal(drawn.shares, again.shares)


def test_images_of_which_different_labels_are_known_are_not_mixed() -> None:
    targets = torch.tensor([[1.0, NAN], [0.0, 1.0]]).repeat(50, 1)
    drawn = draw_mixing(targets, 1.0, Generator().manual_seed(3))
    differs = targets[:, 1].isnan() != targets[drawn.partners, 1].isnan()
    assert (drawn.shares[differs] == 1).all()
    assert (drawn.shares[~differs] < 1).float().mean() > 0.9
    mixed = drawn.targets(torch.nan_to_num(targets))
    assert torch.equal(mixed[differs], torch.nan_to_num(targets)[differs])


def test_very_uneven_shares_are_numbers() -> None:
    drawn = draw_mixing(torch.zeros(500, 1), 1e-4, Generator().manual_seed(4))
    assert drawn.shares.isfinite().all()
    assert drawn.shares.min() >= 0.5


def test_a_loss_without_targets_in_between_cannot_mix() -> None:
    with pytest.raises(SettingsError, match="mix needs a loss of kind multi-label"):
        read_recipe({"preset": "compact", "mix": 0.2, "loss": {"kind": "one-against-all"}})
