import math
from typing import Any

import pytest
import torch
from skimage.metrics import structural_similarity as reference
from torch.distributions import Independent, Normal, kl_divergence

from sitegen.gate.training.adversarial import AdversarialObjective, JointDiscriminator
from sitegen.gate.training.fit import new_objective
from sitegen.gate.training.objectives import divergence_from_standard
from sitegen.gate.training.presets import AdversarialSettings
from sitegen.gate.training.ssim_loss import structural_similarity
from sitegen.networks.reconstruction import ReconstructionNetwork
from tests.helpers.gate_pictures import drawn, images, small


def test_the_differentiable_ssim_is_scikit_images() -> None:
    first, second = torch.rand(2, 1, 20, 24).double(), torch.rand(2, 1, 20, 24).double()
    expected = [reference(a[0].numpy(), b[0].numpy(), data_range=1.0) for a, b in zip(first, second, strict=True)]
    assert structural_similarity(first, second, 1.0).numpy() == pytest.approx(expected, abs=1e-12)


def test_the_divergence_is_torchs() -> None:
    mean, log_variance = torch.randn(5, 3).double(), torch.randn(5, 3).double()
    ours = Independent(Normal(mean, (log_variance / 2).exp()), 1)
    standard = Independent(Normal(torch.zeros(5, 3).double(), torch.ones(5, 3).double()), 1)
    assert divergence_from_standard(mean, log_variance).numpy() == pytest.approx(
        kl_divergence(ours, standard).numpy(), abs=1e-12
    )


def test_the_variational_loss_is_the_negative_evidence_bound_up_to_a_constant() -> None:
    recipe = small("variational", objective={"sigma": 0.2, "beta": 1.0}, learning_rate=1e-12)
    network, objective = new_objective(recipe)
    batch, generator = drawn(0, 8), torch.Generator().manual_seed(3)
    network.train()
    figures = objective.step(batch, generator)
    noise = torch.randn((8, 4), generator=torch.Generator().manual_seed(3))
    mean, log_variance = network.distribution(batch)  # batch normalisation uses the batch itself in training
    outputs = network.decode(mean + noise * (log_variance / 2).exp())
    likelihood = Normal(outputs, 0.2).log_prob(batch).sum(dim=(1, 2, 3)).mean()
    constant = 32 * 32 * math.log(0.2 * math.sqrt(2 * math.pi))
    assert figures["misfit"] == pytest.approx(-float(likelihood.detach()) - constant, rel=1e-3)
    assert figures["loss"] == pytest.approx(figures["misfit"] + figures["divergence"], rel=1e-6)


def test_blanks_go_in_and_radiographs_are_asked_for() -> None:
    network, objective = new_objective(small("autoencoder", objective={"blank_share": 0.5, "ssim_share": 0.0}))
    seen = []
    network.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0]))
    batch = drawn(0, 8)
    objective.step(batch, torch.Generator().manual_seed(1))
    (given,) = seen
    assert given[:4].flatten(1).std(dim=1).tolist() == pytest.approx([0, 0, 0, 0], abs=1e-6)
    assert torch.equal(given[4:], batch[4:])


def test_spectral_norm_bounds_every_layer_of_the_discriminator() -> None:
    recipe = small("ali")
    assert isinstance(recipe.objective, AdversarialSettings)
    discriminator = JointDiscriminator(recipe, recipe.objective).train()
    for _ in range(30):  # each pass improves the estimate of the largest singular value
        discriminator(drawn(0, 4), torch.randn(4, 4))
    discriminator.eval()
    for layer in discriminator.modules():
        if isinstance(layer, (torch.nn.Conv2d, torch.nn.Linear)):
            largest = torch.linalg.matrix_norm(layer.weight.flatten(1), ord=2)
            assert float(largest.detach()) == pytest.approx(1, abs=0.05)


def adversarial(**changes: float) -> tuple[ReconstructionNetwork, AdversarialObjective]:
    network, objective = new_objective(small("ali", objective=changes))
    assert isinstance(objective, AdversarialObjective)
    return network, objective


def weights(network: Any) -> list[Any]:
    return [value.clone() for value in network.parameters()]


def test_the_generator_halts_while_it_is_too_good() -> None:
    network, objective = adversarial(halt_below=1.0)  # fewer than all pairs told apart, which a new one never manages
    before = weights(network), weights(objective.discriminator)
    figures = objective.step(drawn(0, 8), torch.Generator().manual_seed(1))
    assert figures["told_apart"] < 1
    assert figures["halted"] == 1
    assert all(map(torch.equal, before[0], weights(network)))
    assert not all(map(torch.equal, before[1], weights(objective.discriminator)))


def test_the_generator_learns_otherwise_and_leaves_the_discriminator_alone() -> None:
    network, objective = adversarial(halt_below=0.0)
    before = weights(network)
    figures = objective.step(drawn(0, 8), torch.Generator().manual_seed(1))
    assert figures["halted"] == 0
    assert not all(map(torch.equal, before, weights(network)))
    assert all(parameter.requires_grad for parameter in objective.discriminator.parameters())


def test_labels_are_drawn_from_the_smoothed_ranges(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    original = torch.nn.functional.binary_cross_entropy_with_logits

    def spy(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        seen.append(labels)
        return original(logits, labels)

    monkeypatch.setattr("sitegen.gate.training.adversarial.functional.binary_cross_entropy_with_logits", spy)
    _, objective = adversarial()
    for seed in range(20):
        objective.step(images().train[:8], torch.Generator().manual_seed(seed))
    true, false = torch.cat(seen[0::2]), torch.cat(seen[1::2])
    assert (0.7 <= true.min() < 0.75) and (1.05 < true.max() <= 1.1)
    assert (-0.1 <= false.min() < -0.05) and (0.25 < false.max() <= 0.3)


def test_the_game_is_won_by_neither_side_on_drawn_images() -> None:
    """Some steps of the game on phantoms: reconstructions come nearer to the images than those of a new network."""
    recipe = small("ali", learning_rate=2e-3, objective={"cycle": 1.0})
    network, objective = new_objective(recipe)
    batch = drawn(0, 16)

    def misfit() -> float:
        network.train()
        return float((network(batch)[0] - batch).square().mean().detach())

    before = misfit()
    told = [objective.step(batch, torch.Generator().manual_seed(step))["told_apart"] for step in range(60)]
    assert misfit() < 0.6 * before
    assert 0.3 < sum(told[-20:]) / 20 < 1
