"""Adversarially learned inference: encoder and decoder against a discriminator of pairs of image and latent.

Dumoulin et al. 2017, algorithm 1; Cohen 2020, section 3 and appendix C. The discriminator is shown an image with what
the encoder draws for it, and a latent of the standard Gaussian with what the decoder draws of it. It learns to tell the
two joint distributions apart; the generator learns to make them one.
"""

from itertools import pairwise

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm

from sitegen.gate.training.objectives import Figures, Objective
from sitegen.gate.training.presets import AdversarialSettings, GateRecipe, Labels
from sitegen.networks.reconstruction import ReconstructionNetwork, sample_latents


class JointDiscriminator(nn.Module):
    """One logit for a pair of image and latent: positive where it takes the image for a real one."""

    def __init__(self, recipe: GateRecipe, settings: AdversarialSettings) -> None:
        super().__init__()
        network = recipe.network
        widths = (network.channels, *settings.widths)
        small = network.side >> len(settings.widths)
        layers = [layer for narrow, wide in pairwise(widths) for layer in (_halve(narrow, wide), nn.LeakyReLU(0.2))]
        self.of_image = nn.Sequential(*layers, nn.Flatten(), nn.Linear(widths[-1] * small * small, settings.hidden))
        self.of_latent = nn.Sequential(
            nn.Linear(network.latent, settings.hidden), nn.LeakyReLU(0.2), nn.Linear(settings.hidden, settings.hidden)
        )
        self.of_both = nn.Sequential(
            nn.LeakyReLU(0.2),
            nn.Linear(2 * settings.hidden, settings.hidden),
            nn.LeakyReLU(0.2),
            nn.Linear(settings.hidden, 1),
        )
        if settings.spectral_norm:
            for part in list(self.modules()):
                if isinstance(part, (nn.Conv2d, nn.Linear)):
                    spectral_norm(part)

    def forward(self, images: Tensor, latents: Tensor) -> Tensor:
        """Return logits [N] of images [N, C, side, side] in 0..1 with latents [N, L]."""
        both = torch.cat([self.of_image(2 * images - 1), self.of_latent(latents)], dim=1)
        logits: Tensor = self.of_both(both)
        return logits.squeeze(1)


class AdversarialObjective(Objective):
    """The game of one batch: a step of the discriminator, then, unless it is too good, one of the generator."""

    def __init__(self, network: ReconstructionNetwork, recipe: GateRecipe, settings: AdversarialSettings) -> None:
        discriminator = JointDiscriminator(recipe, settings)
        super().__init__(recipe, network=network, discriminator=discriminator)
        self.network, self.discriminator, self.settings = network, discriminator, settings
        self.optimise("network", list(network.parameters()))
        self.optimise("discriminator", list(discriminator.parameters()))

    def step(self, images: Tensor, generator: Generator) -> Figures:
        """Take one step of each side; `told_apart` is the share of pairs that the discriminator had right."""
        mean, log_variance = self.network.distribution(images)
        encoded = sample_latents(mean, log_variance, generator)
        latents = torch.randn(encoded.shape, generator=generator).to(images)
        drawn = self.network.decode(latents)
        loss, told_apart = self._discriminate(images, encoded.detach(), drawn.detach(), latents, generator)
        halted = told_apart < self.settings.halt_below
        if not halted:
            self._generate(images, mean, encoded, drawn, latents)
        return {"discriminator_loss": loss, "told_apart": told_apart, "halted": float(halted)}

    def _discriminate(
        self, images: Tensor, encoded: Tensor, drawn: Tensor, latents: Tensor, generator: Generator
    ) -> tuple[float, float]:
        real, false = self.discriminator(images, encoded), self.discriminator(drawn, latents)
        loss = functional.binary_cross_entropy_with_logits(
            real, _labels(real, self.settings.true_labels, generator)
        ) + functional.binary_cross_entropy_with_logits(false, _labels(false, self.settings.false_labels, generator))
        self.descend("discriminator", loss)
        right = torch.cat([real > 0, false <= 0]).float().mean()
        return float(loss.detach()), float(right)

    def _generate(self, images: Tensor, mean: Tensor, encoded: Tensor, drawn: Tensor, latents: Tensor) -> None:
        """Exchange the labels, as the non-saturating game does (Dumoulin et al. 2017, section 2)."""
        self.discriminator.requires_grad_(False)
        real, false = self.discriminator(images, encoded), self.discriminator(drawn, latents)
        loss = functional.softplus(real).mean() + functional.softplus(-false).mean()
        if self.settings.cycle:
            loss = loss + self.settings.cycle * (self.network.decode(mean) - images).square().mean()
        self.descend("network", loss)
        self.discriminator.requires_grad_(True)


def _labels(like: Tensor, ends: Labels, generator: Generator) -> Tensor:
    low, high = ends
    return (low + (high - low) * torch.rand(like.shape, generator=generator)).to(like)


def _halve(narrow: int, wide: int) -> nn.Conv2d:
    return nn.Conv2d(narrow, wide, 4, stride=2, padding=1)
