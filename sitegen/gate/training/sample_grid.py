"""A picture of how a gate's training stands: validation images, their reconstructions, and what it makes up."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Generator, Tensor

from sitegen.gate.training.fit import reconstructions
from sitegen.networks.reconstruction import ReconstructionNetwork

COLUMNS = 10


@torch.inference_mode()
def sample_grid(network: ReconstructionNetwork, images: Tensor, seed: int = 1) -> Image.Image:
    """Return a grey picture of COLUMNS columns: images [N, 1, side, side], below each its reconstruction.

    A stochastic network adds a row of what it draws of random latents, always the same ones.
    """
    shown = images[:COLUMNS]
    rows = [shown, reconstructions(network, shown)[0]]
    if network.stochastic:
        latents = torch.randn((len(shown), network.latent), generator=Generator().manual_seed(seed))
        rows.append(network.decode(latents))
    grid = torch.cat([torch.cat(list(row[:, 0]), dim=1) for row in rows], dim=0)
    return Image.fromarray((255 * grid.clamp(0, 1)).round().numpy().astype(np.uint8))


def save_grid(picture: Image.Image, path: Path) -> None:
    """Write a picture as PNG, making its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path, format="PNG")
