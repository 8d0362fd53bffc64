"""Differences of a logit beside an image: kinks close by do not drop a gradient, and defects do, at every step."""

from collections.abc import Callable

import numpy as np
import pytest

from sitegen.importing.proof.finite_differences import LIMIT, disagreement

SHAPE = (1, 24, 24)


class Kinked:
    """Many rectifiers, on, whose kinks lie `near` the image, as in a deep network with a small gradient."""

    def __init__(self, near: float) -> None:
        random = np.random.default_rng(3)
        pixels = int(np.prod(SHAPE))
        self.image = random.standard_normal(SHAPE).astype(np.float32)
        self.weights = random.standard_normal((600, pixels)) / pixels**0.5
        self.heights = np.abs(random.standard_normal(600)) * random.choice((-1, 1), 600)
        self.kinks = self.weights @ self.image.ravel().astype(np.float64) - near * np.abs(random.standard_normal(600))

    def logit(self, image: np.ndarray) -> float:
        inside = self.weights @ image.ravel().astype(np.float64) - self.kinks
        return 0.001 * float((self.heights * np.maximum(inside, 0)).sum())

    @property
    def gradient(self) -> np.ndarray:
        on = self.weights @ self.image.ravel().astype(np.float64) > self.kinks
        return np.asarray(0.001 * ((self.heights * on) @ self.weights).reshape(SHAPE))


@pytest.mark.parametrize("near", [0.002, 0.01, 10.0])
def test_kinks_close_by_do_not_contradict_a_gradient(near: float) -> None:
    network = Kinked(near)
    (found,) = disagreement(network.logit, [network.gradient], network.image)
    assert found <= LIMIT


DEFECTS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "sign": lambda gradient: -gradient,
    "lost": lambda gradient: 0 * gradient,
    "axes": lambda gradient: gradient.transpose(0, 2, 1),
    "place": lambda gradient: np.roll(gradient, 1, axis=2),
    "scale": lambda gradient: gradient / 3,
}


@pytest.mark.parametrize("near", [0.01, 10.0])
@pytest.mark.parametrize("defect", list(DEFECTS))
def test_defects_are_contradicted_at_every_step(near: float, defect: str) -> None:
    network = Kinked(near)
    found = disagreement(network.logit, [DEFECTS[defect](network.gradient), network.gradient], network.image)
    assert found[0] > LIMIT
    assert found[1] < found[0] / 2


@pytest.mark.parametrize("defect", ["sign", "lost", "axes", "place"])
def test_most_defects_are_contradicted_among_kinks(defect: str) -> None:
    network = Kinked(0.002)  # where a third of the gradient would pass: a wide step turns so many rectifiers off
    assert disagreement(network.logit, [DEFECTS[defect](network.gradient)], network.image)[0] > LIMIT
