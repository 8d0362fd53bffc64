"""What a projection makes small: how far a reconstruction is from the image."""

from torch import Tensor

NOISE_WEIGHT = 1e5
"""Of the noise inputs' regularity (Karras et al. 2020, appendix D), so that they cannot draw the image."""


def pixel_distance(made: Tensor, image: Tensor) -> Tensor:
    """Return [N]: the mean squared difference of images [N, C, side, side], 4 from black to white."""
    return (made - image).square().mean((1, 2, 3))
