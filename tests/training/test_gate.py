from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from sitegen.errors import CheckpointError
from sitegen.networks.autoencoder import Autoencoder, AutoencoderSettings
from sitegen.phantom import phantom
from sitegen.training.augment import AugmentSettings
from sitegen.training.examples import equal_weights
from sitegen.training.gate import GateFitSettings, fit_gate, gate_scores, reconstruct, structural_similarity
from sitegen.training.loop import FitSettings

LITTLE = AugmentSettings(rotation=3, shift=0.02, scale=0.02, brightness=0.02, contrast=0.02)
SMALL = AutoencoderSettings(side=32, latent=4, widths=(8, 16, 16))


def test_sources_count_the_same_whatever_their_size():
    weights = equal_weights(["a", "b", "b", "b"])
    assert weights.tolist() == pytest.approx([2.0, 2 / 3, 2 / 3, 2 / 3])


def test_a_tiny_autoencoder_learns_phantoms_and_not_noise():
    drawn = np.stack([phantom(seed, 32) for seed in range(24)])
    images = torch.from_numpy(drawn / 255).float().unsqueeze(1)
    torch.manual_seed(0)
    network = Autoencoder(SMALL)
    settings = GateFitSettings(FitSettings(30, batch=8, learning_rate=1e-2), LITTLE)
    losses = fit_gate(network, images, torch.ones(24), settings)
    assert losses[-1] < 0.6 * losses[0]
    noise = torch.rand(4, 1, 32, 32)
    seen = gate_scores(images.numpy(), reconstruct(network, images), 1.0)
    strange = gate_scores(noise.numpy(), reconstruct(network, noise), 1.0)
    assert seen.min() > strange.max()


def test_a_resumed_gate_ends_where_an_uninterrupted_one_does(tmp_path: Path):
    images = torch.from_numpy(np.stack([phantom(seed, 32) for seed in range(12)]) / 255).float().unsqueeze(1)
    settings = GateFitSettings(FitSettings(3, batch=4), LITTLE)

    def fitted(*resumption: Any) -> tuple[list[float], Autoencoder]:
        torch.manual_seed(0)
        network = Autoencoder(SMALL)
        return fit_gate(network, images, torch.ones(12), settings, *resumption), network

    losses, whole = fitted()
    assert len(fitted(tmp_path / "gate.pt", 2)[0]) == 2
    again, resumed = fitted(tmp_path / "gate.pt")
    assert again == losses
    assert all(torch.equal(value, resumed.state_dict()[name]) for name, value in whole.state_dict().items())
    with pytest.raises(CheckpointError, match="other settings"):
        fit_gate(resumed, images, torch.ones(12), replace(settings, ssim_share=0.1), tmp_path / "gate.pt")


def test_the_differentiable_ssim_is_the_runtimes():
    first, second = torch.rand(2, 1, 20, 24), torch.rand(2, 1, 20, 24)
    ours = structural_similarity(first.double(), second.double(), 1.0).numpy()
    assert ours == pytest.approx(gate_scores(first.numpy(), second.numpy(), 1.0), abs=1e-9)
