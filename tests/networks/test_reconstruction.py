from pathlib import Path
from typing import Any

import pytest
import torch

from sitegen.errors import CheckpointError, SettingsError
from sitegen.networks.reconstruction import (
    ReconstructionSettings,
    make_reconstruction,
    read_reconstruction,
    reconstruction_document,
    sample_latents,
)
from sitegen.networks.trained import write_checkpoint
from sitegen.networks.trained_gate import TrainedGate, load_gate, save_gate
from sitegen_runtime.bundle.model import NetworkInput

IMAGE = NetworkInput("image", (1, 1, 32, 32), "grey", 0.9, (0.0, 1.0), (0.0,), (1.0,))


def settings(kind: Any = "autoencoder", **changes: Any) -> ReconstructionSettings:
    given: dict[str, Any] = {"side": 32, "latent": 7, "widths": (4, 8)} | changes
    return ReconstructionSettings(kind, **given)


@pytest.mark.parametrize("kind", ["autoencoder", "variational", "ali"])
def test_an_image_comes_back_through_its_latent(kind: str) -> None:
    network = make_reconstruction(settings(kind)).eval()
    image = torch.rand(2, 1, 32, 32)
    drawn, latent = network(image)
    assert latent.shape == (2, 7)
    assert drawn.shape == image.shape
    assert 0 <= drawn.min() < drawn.max() <= 1
    assert torch.equal(drawn, network.decode(latent))
    assert torch.equal(network(image)[0], drawn)  # nothing is drawn at random once trained


def test_the_latent_of_a_stochastic_encoder_is_the_mean() -> None:
    network = make_reconstruction(settings("variational")).eval()
    image = torch.rand(2, 1, 32, 32)
    mean, log_variance = network.distribution(image)
    assert torch.equal(network.encode(image), mean)
    assert log_variance.shape == (2, 7)


def test_latents_are_drawn_with_mean_and_variance() -> None:
    mean, log_variance = torch.full((20_000, 2), 3.0), torch.full((20_000, 2), 2.0).log()
    drawn = sample_latents(mean, log_variance, torch.Generator().manual_seed(1))
    assert drawn.mean(0).tolist() == pytest.approx([3, 3], abs=0.05)
    assert drawn.var(0).tolist() == pytest.approx([2, 2], abs=0.08)


def test_a_side_that_cannot_be_halved_is_refused() -> None:
    with pytest.raises(SettingsError, match="30 cannot be halved 2 times"):
        make_reconstruction(settings(side=30))


def test_settings_come_back_from_their_document() -> None:
    assert read_reconstruction(reconstruction_document(settings("ali"))) == settings("ali")
    with pytest.raises(SettingsError, match="latent"):
        read_reconstruction({"latent": 0})


def test_a_gate_is_kept_as_one_file(tmp_path: Path) -> None:
    network = make_reconstruction(settings()).eval()
    gate = TrainedGate(network, reconstruction_document(settings()), IMAGE, {"history": [{"step": 1.0}]})
    save_gate(gate, tmp_path / "gate.pt")
    again = load_gate(tmp_path / "gate.pt")
    image = torch.rand(1, 1, 32, 32)
    assert torch.equal(again.network(image)[0], network(image)[0])
    assert (again.image, again.made_by) == (IMAGE, {"history": [{"step": 1.0}]})


def test_files_that_are_no_gate_are_refused(tmp_path: Path) -> None:
    write_checkpoint({"schema": "sitegen.classifier/1"}, tmp_path / "classifier.pt")
    with pytest.raises(CheckpointError, match=r"no trained gate.*sitegen train gate"):
        load_gate(tmp_path / "classifier.pt")


def test_weights_of_another_latent_size_are_refused(tmp_path: Path) -> None:
    network = make_reconstruction(settings(latent=5))
    save_gate(TrainedGate(network, reconstruction_document(settings()), IMAGE), tmp_path / "gate.pt")
    with pytest.raises(CheckpointError, match="weights that do not fit its own network"):
        load_gate(tmp_path / "gate.pt")
