"""Images that are laid over one another in pairs, their targets too: mixup (Zhang et al., ICLR 2018, Eq. 1).

A network that is asked for what lies between two images cannot know few images by heart: with two thousand of them that
is what else it does. A pair is only mixed where the same labels are known of both.
"""

from dataclasses import dataclass

import torch
from torch import Generator, Tensor


@dataclass(frozen=True)
class Mixing:
    """For each image of a batch [N] its partner's place in it, and the share that it keeps of itself, 0.5 to 1."""

    partners: Tensor
    shares: Tensor

    def targets(self, targets: Tensor) -> Tensor:
        """Return the mixed targets of targets [N, L]; what is unknown stays so."""
        share = self.shares.to(targets).unsqueeze(1)
        return share * targets + (1 - share) * targets[self.partners.to(targets.device)]

    def images(self, images: Tensor, partners: Tensor, part: slice) -> Tensor:
        """Return a part of the batch [n, C, H, W], mixed with its partners, which are given in the same order."""
        share = self.shares[part].to(images).view(-1, 1, 1, 1)
        return torch.lerp(partners, images, share)


def draw_mixing(targets: Tensor, strength: float, generator: Generator) -> Mixing:
    """Return how to mix a batch whose targets are [N, L]: shares are drawn from Beta(strength, strength).

    The larger of a share and its rest is the image's own, so that it stays mostly itself. All draws come from
    `generator`.
    """
    count = len(targets)
    partners = torch.randperm(count, generator=generator)
    first, second = (_gamma(strength, count, generator) for _ in range(2))
    drawn = first / (first + second)
    shares = torch.maximum(drawn, 1 - drawn)
    unknown = targets.isnan().cpu()
    alike = (unknown == unknown[partners]).all(dim=1)
    return Mixing(partners, torch.where(alike, shares, 1.0).float())


def _gamma(strength: float, count: int, generator: Generator) -> Tensor:
    """Values of Gamma(strength, 1), for a beta distribution; torch's public function takes no generator."""
    drawn = torch._standard_gamma(torch.full((count,), strength, dtype=torch.float64), generator=generator)
    return drawn.clamp(min=torch.finfo(torch.float64).tiny)
