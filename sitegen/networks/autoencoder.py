"""A convolutional autoencoder with a narrow latent: what it has never seen, it cannot draw.

The gate compares an image with its reconstruction. All the network keeps of an image is `latent` numbers, so it learns
the ways in which the training images differ and nothing else; a hand or a page of text comes back as a bad chest.
"""

from dataclasses import dataclass
from itertools import pairwise

from torch import Tensor, nn


@dataclass(frozen=True)
class AutoencoderSettings:
    """The shape of the autoencoder: side and channels of the image, of the latent, of the maps."""

    side: int = 64
    channels: int = 1
    latent: int = 24
    widths: tuple[int, ...] = (16, 32, 48, 64)  # of the maps after each halving


class Autoencoder(nn.Module):
    """Convolutions of stride 2 down to a vector, and back by nearest-neighbour enlargement and convolution.

    Enlarging before convolving leaves no checkerboard, which strided transposed convolutions do.
    """

    def __init__(self, settings: AutoencoderSettings) -> None:
        super().__init__()
        widths = (settings.channels, *settings.widths)
        small = settings.side >> len(settings.widths)
        flat = widths[-1] * small * small
        down = [_halve(narrow, wide) for narrow, wide in pairwise(widths)]
        up = [_double(wide, narrow) for wide, narrow in zip(widths[:1:-1], widths[-2:0:-1], strict=True)]
        self.encoder = nn.Sequential(*down, nn.Flatten(), nn.Linear(flat, settings.latent))
        self.decoder = nn.Sequential(
            nn.Linear(settings.latent, flat),
            nn.Unflatten(1, (widths[-1], small, small)),
            *up,
            nn.Upsample(scale_factor=2, mode="nearest"),
            nn.Conv2d(widths[1], settings.channels, 3, padding=1),
            nn.Sigmoid(),
        )

    def forward(self, images: Tensor) -> Tensor:
        """Return reconstructions in 0..1, of the shape of the images [N, channels, side, side]."""
        reconstructions: Tensor = self.decoder(self.encoder(images))
        return reconstructions


def _halve(narrow: int, wide: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(narrow, wide, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(wide), nn.ReLU())


def _double(wide: int, narrow: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Upsample(scale_factor=2, mode="nearest"),
        nn.Conv2d(wide, narrow, 3, padding=1, bias=False),
        nn.BatchNorm2d(narrow),
        nn.ReLU(),
    )
