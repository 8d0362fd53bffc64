"""Networks that draw an image again from a few numbers: what they have never seen, they cannot draw.

The gate compares an image with its reconstruction. All that is kept of an image is its latent, so the network learns
the ways in which the training images differ and nothing else; a hand or a page of text comes back as a bad chest.

    make_reconstruction(ReconstructionSettings("ali", latent=128))

Three kinds have the same body, and differ in how they are trained (`sitegen.gate.training`):

    autoencoder    the latent is a point
    variational    the encoder gives a Gaussian for each image (Kingma and Welling 2014)
    ali            the same, trained against a joint discriminator (Dumoulin et al. 2017; BiGAN, Donahue et al. 2017)
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Any, Literal

import torch
from pydantic import Field
from torch import Generator, Tensor, nn

from sitegen.errors import SettingsError
from sitegen.settings.reading import STRICT, Count, read_settings, settings_document

Kind = Literal["autoencoder", "variational", "ali"]
_LOG_VARIANCES = (-10.0, 4.0)  # kept between these, so that a bad step cannot overflow


@dataclass(frozen=True)
class ReconstructionSettings:
    """The kind, and the shape: side and channels of the image, size of the latent, channels after each halving."""

    __pydantic_config__ = STRICT
    name: Kind = "autoencoder"
    side: Count = 64
    channels: Count = 1
    latent: Count = 64
    widths: Annotated[tuple[Count, ...], Field(min_length=1)] = (16, 32, 64, 96)


class ReconstructionNetwork(nn.Module):
    """Convolutions of stride 2 down to a vector, and back by nearest-neighbour enlargement and convolution.

    Enlarging before convolving leaves no checkerboard, which strided transposed convolutions do.
    """

    def __init__(self, settings: ReconstructionSettings) -> None:
        super().__init__()
        widths = (settings.channels, *settings.widths)
        small = settings.side >> len(settings.widths)
        flat = widths[-1] * small * small
        self.latent = settings.latent
        self.stochastic = settings.name != "autoencoder"
        outputs = 2 * settings.latent if self.stochastic else settings.latent
        down = [_halve(narrow, wide) for narrow, wide in pairwise(widths)]
        up = [_double(wide, narrow) for wide, narrow in zip(widths[:1:-1], widths[-2:0:-1], strict=True)]
        self.encoder = nn.Sequential(*down, nn.Flatten(), nn.Linear(flat, outputs))
        self.decoder = nn.Sequential(
            nn.Linear(settings.latent, flat),
            nn.Unflatten(1, (widths[-1], small, small)),
            *up,
            nn.Upsample(scale_factor=2, mode="nearest"),
            nn.Conv2d(widths[1], settings.channels, 3, padding=1),
            nn.Sigmoid(),
        )

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return reconstructions in 0..1 of the shape of the images [N, C, side, side], and latents [N, L].

        Of a stochastic encoder the latent is the mean, so that the same image always gives the same answer.
        """
        latent = self.encode(images)
        return self.decode(latent), latent

    def encode(self, images: Tensor) -> Tensor:
        """Return the latents [N, L] of images [N, C, side, side] in 0..1."""
        encoded: Tensor = self.encoder(images)
        return encoded[:, : self.latent] if self.stochastic else encoded

    def decode(self, latents: Tensor) -> Tensor:
        """Return images [N, C, side, side] in 0..1 of latents [N, L]."""
        images: Tensor = self.decoder(latents)
        return images

    def distribution(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log-variance, both [N, L], of what a stochastic encoder makes of images."""
        mean, log_variance = self.encoder(images).chunk(2, dim=1)
        return mean, log_variance.clamp(*_LOG_VARIANCES)


def sample_latents(mean: Tensor, log_variance: Tensor, generator: Generator) -> Tensor:
    """Draw one latent of each Gaussian, so that gradients reach its mean and variance."""
    noise = torch.randn(mean.shape, generator=generator).to(mean)
    return mean + noise * (log_variance / 2).exp()


def make_reconstruction(settings: ReconstructionSettings) -> ReconstructionNetwork:
    """Return a new network, its weights drawn from torch's global generator.

    Raises SettingsError where the side cannot be halved as often as there are widths.
    """
    if settings.side % (1 << len(settings.widths)):
        raise SettingsError(
            f"the gate's side {settings.side} cannot be halved {len(settings.widths)} times, once for each of its "
            f"widths {list(settings.widths)}; choose a multiple of {1 << len(settings.widths)}, or fewer widths"
        )
    return ReconstructionNetwork(settings)


def read_reconstruction(document: Mapping[str, Any]) -> ReconstructionSettings:
    """Return the settings of a document. Raises SettingsError where keys or values do not fit."""
    return read_settings(ReconstructionSettings, document)


def reconstruction_document(settings: ReconstructionSettings) -> dict[str, Any]:
    """Return what `read_reconstruction` makes the same settings of."""
    return settings_document(settings)


def _halve(narrow: int, wide: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(narrow, wide, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(wide), nn.ReLU())


def _double(wide: int, narrow: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Upsample(scale_factor=2, mode="nearest"),
        nn.Conv2d(wide, narrow, 3, padding=1, bias=False),
        nn.BatchNorm2d(narrow),
        nn.ReLU(),
    )
