"""From a Gaussian z, and a class, to a style w (Karras et al. 2019, section 2), and the average to truncate to."""

import torch
from torch import Tensor, nn

from sitegen.networks.stylegan2.equalised import EPSILON, EqualLinear

FORGETTING = 0.995  # of the average of w, for each step


class Mapping(nn.Module):
    """Normalises z and the class's embedding, and runs them through rectified layers of a slowed learning rate.

    With `latent` 0 there is no z, and w is of the class alone: the discriminator's condition.
    """

    w_avg: Tensor

    def __init__(self, latent: int, classes: int, style: int, layers: int, rate: float) -> None:
        super().__init__()
        self.embed = EqualLinear(classes, style) if classes else None
        first = latent + (style if classes else 0)
        sizes = [first, *[style] * layers]
        self.layers = nn.ModuleList(
            EqualLinear(sizes[n], sizes[n + 1], rectified=True, rate=rate) for n in range(layers)
        )
        self.register_buffer("w_avg", torch.zeros(style), persistent=latent > 0)

    def forward(self, z: Tensor | None, label: Tensor | None = None) -> Tensor:
        """Return w [N, style] of z [N, latent] and a class as a row of zeros and a one [N, classes]."""
        parts = [] if z is None else [_normalised(z)]
        if self.embed is not None and label is not None:
            parts.append(_normalised(self.embed(label)))
        values = torch.cat(parts, dim=1)
        for layer in self.layers:
            values = layer(values)
        return values

    @torch.no_grad()
    def follow(self, w: Tensor) -> None:
        """Take a batch's w [N, style] into their running average."""
        self.w_avg.copy_(torch.lerp(w.detach().mean(0).to(self.w_avg), self.w_avg, FORGETTING))


def truncated(w: Tensor, average: Tensor, psi: float, layers: int | None = None) -> Tensor:
    """Return w [N, L, style] moved towards the average [style]: psi 1 leaves it, 0 gives the average.

    `layers` of them are moved, all by default (Karras et al. 2019, appendix B).
    """
    count = w.shape[1] if layers is None else layers
    moved = average + psi * (w[:, :count] - average)
    return torch.cat([moved, w[:, count:]], dim=1)


def _normalised(values: Tensor) -> Tensor:
    result: Tensor = values * torch.rsqrt(values.square().mean(1, keepdim=True) + EPSILON)
    return result
