"""The whole generator: a mapping and a synthesis."""

import torch
from torch import Tensor, nn

from sitegen.networks.stylegan2.mapping import Mapping, truncated
from sitegen.networks.stylegan2.settings import GeneratorShape
from sitegen.networks.stylegan2.synthesis import Noise, Synthesis


class StyleGenerator(nn.Module):
    """Draws images of Gaussian z, or of styles w."""

    def __init__(self, shape: GeneratorShape) -> None:
        super().__init__()
        self.shape = shape
        self.mapping = Mapping(shape.latent, shape.classes, shape.style, shape.mapping_layers, shape.mapping_rate)
        self.synthesis = Synthesis(shape)

    def styles(
        self, z: Tensor, label: Tensor | None = None, psi: float = 1.0, truncated_layers: int | None = None
    ) -> Tensor:
        """Return w [N, layers, style] of z [N, latent], the same w for each layer, truncated by `psi`."""
        w = self.mapping(z, label).unsqueeze(1).expand(-1, self.shape.layers, -1)
        return w if psi == 1 else truncated(w, self.mapping.w_avg, psi, truncated_layers)

    def forward(self, z: Tensor, label: Tensor | None = None, psi: float = 1.0, noise: Noise | None = None) -> Tensor:
        """Return images [N, channels, side, side], about -1..1; `noise` None is none."""
        images: Tensor = self.synthesis(self.styles(z, label, psi), noise)
        return images


def one_hot(classes: Tensor, count: int) -> Tensor:
    """Return classes [N], counted from 0, as float32 rows [N, count] of zeros and a one."""
    return torch.nn.functional.one_hot(classes, count).float()


def make_generator(shape: GeneratorShape) -> StyleGenerator:
    """Return a new generator, its weights drawn from torch's global generator."""
    return StyleGenerator(shape)
