"""The gate's decision: the score is SSIM on the range from black, accepted at the threshold, with errors as shares."""

import numpy as np
import pytest
from skimage.metrics import structural_similarity

from models import network_input
from sitegen_runtime.gate import Decision, decide
from sitegen_runtime.model import Gate

SIDE = 12


def images(channels: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """An image as shares of full scale, and a reconstruction that is off by a little."""
    random = np.random.default_rng(seed)
    image = random.uniform(0, 1, (channels, SIDE, SIDE))
    return image, np.clip(image + random.normal(0, 0.1, image.shape), 0, 1)


@pytest.mark.parametrize(
    ("colour", "low", "high", "mean", "std"),
    [
        ("grey", 0.0, 1.0, (0.0,), (1.0,)),
        ("grey", -1024.0, 1024.0, (0.0,), (1.0,)),
        ("grey", 0.0, 255.0, (128.0,), (64.0,)),
        ("rgb", 0.0, 1.0, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    ],
)
def test_score_and_errors_do_not_depend_on_range_and_normalisation(
    colour: str, low: float, high: float, mean: tuple[float, ...], std: tuple[float, ...]
) -> None:
    entry = network_input(SIDE, colour, low=low, high=high, mean=mean, std=std)
    shares, rebuilt = images(entry.shape[1])

    def values(image: np.ndarray) -> list[float]:
        bias, scale = np.reshape(mean, (-1, 1, 1)), np.reshape(std, (-1, 1, 1))
        return list(((low + (high - low) * image - bias) / scale).reshape(-1))

    decision = decide(values(shares), values(rebuilt), entry, Gate("ssim", 0.5))
    similarity = structural_similarity(shares, rebuilt, data_range=1.0, channel_axis=0)
    assert decision.score == pytest.approx(similarity, abs=1e-9)
    np.testing.assert_allclose(decision.errors, np.abs(shares - rebuilt).mean(axis=0).reshape(-1), rtol=0, atol=1e-12)
    assert (decision.metric, decision.threshold, decision.side) == ("ssim", 0.5, SIDE)


def test_a_score_at_the_threshold_is_accepted() -> None:
    def with_score(score: float) -> Decision:
        return Decision("ssim", score, 0.6, (0.0,), 1)

    assert with_score(0.6).accepted
    assert with_score(0.7).accepted
    assert not with_score(np.nextafter(0.6, 0)).accepted
    assert with_score(0.6).reason is None


def test_reason_names_score_and_threshold() -> None:
    reason = Decision("ssim", 0.1234, 0.598014, (0.0,), 1).reason
    assert reason is not None
    assert "0.123" in reason
    assert "at least 0.598 is needed" in reason


def test_a_perfect_reconstruction() -> None:
    image = images(1)[0].reshape(-1).tolist()
    decision = decide(image, image, network_input(SIDE), Gate("ssim", 0.999))
    assert decision.score == pytest.approx(1.0, abs=1e-12)
    assert decision.accepted
    assert set(decision.errors) == {0.0}


def test_literal_errors_of_a_reconstruction_that_is_black() -> None:
    image = [cell / (SIDE * SIDE) for cell in range(SIDE * SIDE)]
    decision = decide(image, [0.0] * len(image), network_input(SIDE), Gate("ssim", 0.5))
    assert list(decision.errors) == image
    assert not decision.accepted
