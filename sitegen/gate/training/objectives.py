"""What a step of training asks of a network: to draw the image again, well or likely."""

from abc import ABC, abstractmethod
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, OneCycleLR

from sitegen.gate.training.presets import GateRecipe, PointSettings, VariationalSettings
from sitegen.gate.training.ssim_loss import structural_similarity
from sitegen.networks.reconstruction import ReconstructionNetwork, sample_latents

Figures = dict[str, float]


class Objective(ABC):
    """A network with its optimisers: one call of `step` is one batch. `state` is all that a checkpoint must keep."""

    def __init__(self, recipe: GateRecipe, **modules: nn.Module) -> None:
        self.recipe, self.modules = recipe, modules
        self.optimisers: dict[str, torch.optim.Optimizer] = {}
        self.schedules: dict[str, LRScheduler] = {}

    @abstractmethod
    def step(self, images: Tensor, generator: Generator) -> Figures:
        """Learn from images [N, 1, side, side] in 0..1; all randomness comes from `generator`. Return figures."""

    def optimise(self, name: str, parameters: list[nn.Parameter]) -> torch.optim.Optimizer:
        """Return a new optimiser of these parameters, kept with its schedule under a name."""
        recipe = self.recipe
        optimiser = torch.optim.AdamW(
            parameters, recipe.learning_rate, betas=recipe.betas, weight_decay=recipe.weight_decay
        )
        self.optimisers[name] = optimiser
        if recipe.schedule == "one-cycle":
            self.schedules[name] = OneCycleLR(
                optimiser, recipe.learning_rate, total_steps=recipe.steps, cycle_momentum=False
            )
        else:
            self.schedules[name] = LambdaLR(optimiser, lambda _: 1.0)
        return optimiser

    def descend(self, name: str, loss: Tensor) -> None:
        """Take one step down a loss with the optimiser of a name."""
        optimiser = self.optimisers[name]
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        self.schedules[name].step()

    def train(self) -> None:
        """Put all modules in training mode."""
        for module in self.modules.values():
            module.train()

    def state(self) -> dict[str, Any]:
        """Return what `load` needs to go on."""
        groups = {"modules": self.modules, "optimisers": self.optimisers, "schedules": self.schedules}
        return {
            group: {name: part.state_dict() for name, part in parts.items()}  # type: ignore[attr-defined]
            for group, parts in groups.items()
        }

    def load(self, state: dict[str, Any]) -> None:
        """Take up a state that `state` gave."""
        groups = {"modules": self.modules, "optimisers": self.optimisers, "schedules": self.schedules}
        for group, parts in groups.items():
            for name, part in parts.items():  # type: ignore[attr-defined]
                part.load_state_dict(state[group][name])


class PointObjective(Objective):
    """Squared error and 1 - SSIM, see `PointSettings`."""

    def __init__(self, network: ReconstructionNetwork, recipe: GateRecipe, settings: PointSettings) -> None:
        super().__init__(recipe, network=network)
        self.network, self.settings = network, settings
        self.optimise("network", list(network.parameters()))

    def step(self, images: Tensor, generator: Generator) -> Figures:
        """Take one step."""
        blanks = int(self.settings.blank_share * len(images))
        shades = torch.rand((blanks, 1, 1, 1), generator=generator).to(images).expand(-1, *images.shape[1:])
        outputs, _ = self.network(torch.cat([shades, images[blanks:]]))
        squared = (outputs - images).square().mean()
        unlike = 1 - structural_similarity(outputs, images, 1.0).mean()
        loss = (1 - self.settings.ssim_share) * squared + self.settings.ssim_share * unlike
        self.descend("network", loss)
        return {"loss": float(loss.detach())}


class VariationalObjective(Objective):
    """The negative evidence lower bound in nats an image, see `VariationalSettings`."""

    def __init__(self, network: ReconstructionNetwork, recipe: GateRecipe, settings: VariationalSettings) -> None:
        super().__init__(recipe, network=network)
        self.network, self.settings = network, settings
        self.optimise("network", list(network.parameters()))

    def step(self, images: Tensor, generator: Generator) -> Figures:
        """Take one step."""
        mean, log_variance = self.network.distribution(images)
        outputs = self.network.decode(sample_latents(mean, log_variance, generator))
        misfit = (outputs - images).square().sum(dim=(1, 2, 3)).mean() / (2 * self.settings.sigma**2)
        divergence = divergence_from_standard(mean, log_variance).mean()
        loss = misfit + self.settings.beta * divergence
        self.descend("network", loss)
        parts = {"loss": loss, "misfit": misfit, "divergence": divergence}
        return {name: float(part.detach()) for name, part in parts.items()}


def divergence_from_standard(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Return the Kullback-Leibler divergence [N] of Gaussians [N, L] from the standard one (appendix B there)."""
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(dim=1)
