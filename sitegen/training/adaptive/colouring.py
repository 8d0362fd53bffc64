"""Changes of grey and colour as matrices [N, 4, 4] on (red, green, blue, 1), values in -1..1."""

from math import pi, sqrt

import torch
from torch import Generator, Tensor

from sitegen.training.adaptive.parts import BRIGHTNESS, CONTRAST, SATURATION, Part

_AXIS = (1 / sqrt(3),) * 3  # of grey, in the space of colours


def draw_colouring(count: int, chance: float, parts: frozenset[Part], generator: Generator) -> Tensor:
    """Return matrices on the generator's device, in the paper's order; each part happens with `chance`."""
    device = generator.device
    axis = torch.tensor((*_AXIS, 0.0), device=device)
    along, same = torch.outer(axis, axis), torch.eye(4, device=device).repeat(count, 1, 1)
    made = same

    def even() -> Tensor:
        return torch.rand(count, generator=generator, device=device)

    def normal() -> Tensor:
        return torch.randn(count, generator=generator, device=device)

    for part in ("brightness", "contrast", "inversion", "hue", "saturation"):
        if part not in parts:
            continue
        happens = even() < chance
        change = same.clone()
        if part == "brightness":
            change[:, :3, 3] = (normal() * BRIGHTNESS)[:, None]
        elif part == "contrast":
            change[:, :3, :3] *= (normal() * CONTRAST).exp()[:, None, None]
        elif part == "inversion":
            change = change - 2 * along * (even() < 0.5).float()[:, None, None]
        elif part == "hue":
            change[:, :3, :3] = _turned((2 * even() - 1) * pi)
        else:
            change = along + (same - along) * (normal() * SATURATION).exp()[:, None, None]
            change[:, 3, 3] = 1
        made = torch.where(happens[:, None, None], change, same) @ made
    return made


def coloured(images: Tensor, matrices: Tensor) -> Tensor:
    """Return images [N, 1 or 3, H, W] with their colours changed; a grey one keeps one channel."""
    matrices = matrices.to(images)
    if images.shape[1] == 1:
        # Grey is the same in three colours, and what is left grey by the matrix is any row's answer.
        factor = matrices[:, :3, :3].sum(2).mean(1).reshape(-1, 1, 1, 1)
        return images * factor + matrices[:, :3, 3].mean(1).reshape(-1, 1, 1, 1)
    mixed = torch.einsum("nij,njhw->nihw", matrices[:, :3, :3], images)
    return mixed + matrices[:, :3, 3][:, :, None, None]


def _turned(angle: Tensor) -> Tensor:
    """Rotations [N, 3, 3] around the axis of grey (Rodrigues's formula)."""
    x = _AXIS[0]
    cross = torch.tensor([[0.0, -x, x], [x, 0.0, -x], [-x, x, 0.0]], device=angle.device)
    sin, cos = angle.sin()[:, None, None], (1 - angle.cos())[:, None, None]
    return torch.eye(3, device=angle.device) + sin * cross + cos * (cross @ cross)
