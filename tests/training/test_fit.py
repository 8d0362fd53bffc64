import numpy as np
import pytest
import torch

from sitegen.errors import CheckpointError
from sitegen.evaluation.metrics import auc
from sitegen.networks.autoencoder import Autoencoder, AutoencoderSettings
from sitegen.networks.densenet import DenseNet, DenseNetSettings
from sitegen.phantom import phantom
from sitegen.training.augment import AugmentSettings
from sitegen.training.classifier import (
    ClassifierSettings,
    LabelledImages,
    equal_weights,
    fit_classifier,
    predict_logits,
)
from sitegen.training.gate import GateFitSettings, fit_gate, gate_scores, reconstruct, structural_similarity
from sitegen.training.loop import FitSettings

TINY = DenseNetSettings(growth=4, blocks=(2, 2), stem=8)
LITTLE = AugmentSettings(rotation=3, shift=0.02, scale=0.02, brightness=0.02, contrast=0.02)


@pytest.fixture(scope="module")
def labelled() -> LabelledImages:
    """Phantoms of 32 x 32, every second one with an opacity."""
    drawn = np.stack([phantom(seed, 32, opacity=seed % 2 == 1) for seed in range(32)])
    targets = (torch.arange(32) % 2).float().unsqueeze(1)
    return LabelledImages(torch.from_numpy(drawn / 127.5 - 1).float().unsqueeze(1), targets, torch.ones(32))


def recipe(epochs: int) -> ClassifierSettings:
    return ClassifierSettings(FitSettings(epochs, batch=8, learning_rate=1e-2), LITTLE)


def new(seed: int = 0) -> DenseNet:
    torch.manual_seed(seed)
    return DenseNet(TINY)


def test_a_tiny_classifier_learns_to_see_the_opacity(labelled):
    network = new()
    losses = fit_classifier(network, labelled, recipe(15))
    assert losses[-1] < 0.6 * losses[0]
    assert auc(predict_logits(network, labelled.images)[:, 0], labelled.targets[:, 0].bool().numpy()) > 0.95


def test_a_resumed_run_ends_where_an_uninterrupted_one_does(labelled, tmp_path):
    whole, resumed = new(), new()
    losses = fit_classifier(whole, labelled, recipe(3))
    assert len(fit_classifier(resumed, labelled, recipe(3), tmp_path / "run.pt", epochs_now=2)) == 2
    other_start = new(seed=9)  # what it starts from must not matter: all comes from the checkpoint
    assert fit_classifier(other_start, labelled, recipe(3), tmp_path / "run.pt") == losses
    for name, value in whole.state_dict().items():
        assert torch.equal(value, other_start.state_dict()[name]), name


def test_a_checkpoint_of_another_recipe_is_refused(labelled, tmp_path):
    fit_classifier(new(), labelled, recipe(2), tmp_path / "run.pt", epochs_now=1)
    with pytest.raises(CheckpointError, match="other settings"):
        fit_classifier(new(), labelled, recipe(4), tmp_path / "run.pt")


def test_sources_count_the_same_whatever_their_size():
    weights = equal_weights(["a", "b", "b", "b"])
    assert weights.tolist() == pytest.approx([2.0, 2 / 3, 2 / 3, 2 / 3])


def test_weight_zero_takes_an_image_out(labelled):
    half = torch.tensor([2.0, 0.0]).repeat_interleave(16)
    shuffled = labelled.targets.clone()
    shuffled[16:] = 1 - shuffled[16:]
    still = AugmentSettings(0, 0, 0, 0, 0)
    settings = ClassifierSettings(FitSettings(1, batch=32, learning_rate=1e-2), still)
    with_wrong, with_right = new(), new()
    fit_classifier(with_wrong, LabelledImages(labelled.images, shuffled, half), settings)
    fit_classifier(with_right, LabelledImages(labelled.images, labelled.targets, half), settings)
    assert torch.equal(with_wrong.classifier.weight, with_right.classifier.weight)


def test_a_tiny_autoencoder_learns_phantoms_and_not_noise():
    drawn = np.stack([phantom(seed, 32) for seed in range(24)])
    images = torch.from_numpy(drawn / 255).float().unsqueeze(1)
    torch.manual_seed(0)
    network = Autoencoder(AutoencoderSettings(side=32, latent=4, widths=(8, 16, 16)))
    settings = GateFitSettings(FitSettings(30, batch=8, learning_rate=1e-2), LITTLE)
    losses = fit_gate(network, images, torch.ones(24), settings)
    assert losses[-1] < 0.6 * losses[0]
    noise = torch.rand(4, 1, 32, 32)
    seen = gate_scores(images.numpy(), reconstruct(network, images), 1.0)
    strange = gate_scores(noise.numpy(), reconstruct(network, noise), 1.0)
    assert seen.min() > strange.max()


def test_the_differentiable_ssim_is_the_runtimes():
    first, second = torch.rand(2, 1, 20, 24), torch.rand(2, 1, 20, 24)
    ours = structural_similarity(first.double(), second.double(), 1.0).numpy()
    assert ours == pytest.approx(gate_scores(first.numpy(), second.numpy(), 1.0), abs=1e-9)
