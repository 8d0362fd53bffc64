"""Classifiers whose effects can be worked out by hand: a linear one, one with a hidden layer, one that sees a patch."""

from array import array
from collections.abc import Callable
from typing import Any

import numpy as np

from sitegen_runtime.requests import Request, RunGraph
from tests.helpers.runtime.drive import Machine

CELLS = 16  # a side, as `tests.helpers.runtime.models.model` has them
PATCH = (slice(4, 8), slice(10, 14))  # rows, columns of the planted patch
Network = Callable[[np.ndarray], np.ndarray]  # float64 [cells, cells] -> logits of three labels


def linear(image: np.ndarray) -> np.ndarray:
    return np.einsum("lrc,rc->l", linear_weights(), image) + np.array([0.5, -1.0, 0.25])


def linear_weights() -> np.ndarray:
    return np.random.default_rng(3).normal(0, 0.05, (3, CELLS, CELLS))


def two_layers(image: np.ndarray) -> np.ndarray:
    random = np.random.default_rng(4)
    first, second = random.normal(0, 0.3, (12, CELLS * CELLS)), random.normal(0, 0.3, (3, 12))
    return second @ np.maximum(first @ image.ravel() - 0.1, 0.0)


def patch_seer(image: np.ndarray) -> np.ndarray:
    """The first label sees the patch's light, the second its darkness, the third nothing."""
    light = 8.0 * image[PATCH].mean()
    return np.array([light - 4.0, 4.0 - light, 0.0])


class Knowing(Machine):
    """A machine whose classifier is one of these."""

    def __init__(self, rgba: np.ndarray, network: Network, **options: Any) -> None:
        super().__init__(rgba, **options)
        self.network = network

    def answer(self, request: Request) -> Any:
        match request:
            case RunGraph(role="classifier", feeds=(image,), outputs=outputs):
                logits = self.network(np.array(image.values, np.float64).reshape(CELLS, CELLS))
                return {outputs[0]: array("f", logits.tolist())}
        return super().answer(request)
