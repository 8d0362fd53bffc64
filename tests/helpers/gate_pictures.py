"""Drawn chest radiographs to train gates on, and settings small enough for tests."""

from functools import cache
from typing import Any

import numpy as np
import torch

from sitegen.gate.training.fit import GateImages
from sitegen.gate.training.presets import GateRecipe, read_gate_recipe
from sitegen.phantom import phantom

SIDE = 32


@cache
def _picture(seed: int) -> np.ndarray:
    return phantom(seed, SIDE)


def drawn(first: int, count: int) -> torch.Tensor:
    pictures = np.stack([_picture(seed) for seed in range(first, first + count)])
    return torch.from_numpy(pictures / 255).float().unsqueeze(1)


def images(count: int = 24) -> GateImages:
    return GateImages(drawn(0, count), torch.ones(count), drawn(100, 6))


def small(preset: str, **changes: Any) -> GateRecipe:
    shape = {"side": SIDE, "latent": 4, "widths": (8, 16, 16)}
    return read_gate_recipe({"preset": preset, "network": shape, "batch": 8, "steps": 6, "report_every": 2} | changes)
