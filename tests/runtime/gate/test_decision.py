"""The gate's decision: SSIM on the range from black, other scores, checks, and reasons; errors as shares."""

from math import nextafter

import numpy as np
import pytest
from skimage.metrics import structural_similarity

from sitegen_runtime.bundle.gate import Combination, Gate, Quantiles, ScoreLimit
from sitegen_runtime.gate.decision import Check, Decision, Score, decide
from sitegen_runtime.gate.metrics import METRICS, STAGE_TWO, measured_metrics, stage, unlikeness
from sitegen_runtime.gate.refusal import reason_of_score
from sitegen_runtime.gate.variants import Variant
from tests.helpers.runtime.models import network_input

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

    decision = decide(values(shares), {"reconstruction": values(rebuilt)}, entry, Gate("ssim", 0.5))
    similarity = structural_similarity(shares, rebuilt, data_range=1.0, channel_axis=0)
    assert decision.score == pytest.approx(similarity, abs=1e-9)
    np.testing.assert_allclose(decision.errors, np.abs(shares - rebuilt).mean(axis=0).reshape(-1), rtol=0, atol=1e-12)
    assert (decision.metric, decision.threshold, decision.side) == ("ssim", 0.5, SIDE)
    assert decision.channels == entry.shape[1]
    np.testing.assert_allclose(decision.reconstruction, rebuilt.reshape(-1), rtol=0, atol=1e-12)


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
    decision = decide(image, {"reconstruction": image}, network_input(SIDE), Gate("ssim", 0.999))
    assert decision.score == pytest.approx(1.0, abs=1e-12)
    assert decision.accepted
    assert set(decision.errors) == {0.0}


def test_literal_errors_of_a_reconstruction_that_is_black() -> None:
    image = [cell / (SIDE * SIDE) for cell in range(SIDE * SIDE)]
    decision = decide(image, {"reconstruction": [0.0] * len(image)}, network_input(SIDE), Gate("ssim", 0.5))
    assert list(decision.errors) == image
    assert not decision.accepted


ALL_OF_STAGE_ONE = Gate(
    "ssim",
    0.5,
    scores=(
        ScoreLimit("l1", 0.2, "unlike"),
        ScoreLimit("l2", 0.01, "unlike"),
        ScoreLimit("ssim-gaussian", 0.1, "alike"),
        ScoreLimit("latent", 5.0, "unlike"),
        ScoreLimit("turned", 0.0, "unlike"),
        ScoreLimit("energy", 0.0, "unlike"),
    ),
    quantiles=Quantiles("validation", (0.0, 1.0), {"ssim": (0.0, 1.0), "latent": (0.0, 20.0)}),
)


def test_every_score_of_stage_one() -> None:
    image, rebuilt = (each.reshape(-1).tolist() for each in images(1))
    answer = {"reconstruction": rebuilt, "latent": [3.0, -4.0]}
    decision = decide(image, answer, network_input(SIDE), ALL_OF_STAGE_ONE, Variant("turn-90", 0.25))
    found = {score.metric: score for score in decision.scores}
    assert list(found) == ["l1", "l2", "ssim-gaussian", "latent", "turned"]  # the energy comes later
    differences = np.subtract(image, rebuilt)
    gaussian = structural_similarity(
        *(np.reshape(each, (SIDE, SIDE)) for each in (image, rebuilt)),
        data_range=1.0,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
    )
    expected = {
        "l1": np.abs(differences).mean(),
        "l2": np.sqrt(np.mean(differences**2)),
        "ssim-gaussian": gaussian,
        "latent": 5.0,
        "turned": 0.25 - decision.score,
    }
    assert {metric: score.value for metric, score in found.items()} == pytest.approx(expected, abs=1e-12)
    assert {metric: score.passed for metric, score in found.items()} == {
        "l1": True,
        "l2": False,
        "ssim-gaussian": True,
        "latent": True,  # at the threshold
        "turned": True,
    }
    assert decision.position == pytest.approx(1 - decision.score, abs=1e-12)
    assert (found["latent"].position, found["l1"].position) == (0.25, None)
    assert decision.score > 0.5
    assert not decision.accepted
    assert decision.reason == reason_of_score("l2", found["l2"].value, 0.01, "unlike")


@pytest.mark.parametrize(
    ("value", "higher", "passed"),
    [
        (0.5, "unlike", True),
        (nextafter(0.5, 1), "unlike", False),
        (0.5, "alike", True),
        (nextafter(0.5, 0), "alike", False),
        (float("nan"), "unlike", False),
        (float("nan"), "alike", False),
    ],
)
def test_a_score_passes_at_its_threshold_and_on_the_good_side(value: float, higher: str, passed: bool) -> None:
    score = Score("l1", value, 0.5, higher, None)
    assert score.passed is passed
    assert Decision("ssim", 0.75, 0.5, (0.0,), 1, scores=(score,)).accepted is passed


@pytest.mark.parametrize(
    ("check", "accepted"),
    [("colour", False), ("blank", False), ("small", False), ("narrow", False), ("turned", True), ("inverted", True)],
)
def test_an_offer_refuses_nothing(check: str, accepted: bool) -> None:
    decision = Decision("ssim", 0.75, 0.5, (0.0,), 1).noting([Check(check, "It is odd.")])
    assert decision.accepted is accepted
    assert decision.reason == (None if accepted else "It is odd.")


def test_reasons_are_listed_in_order() -> None:
    scores = (Score("l1", 0.3, 0.2, "unlike", None), Score("l2", 0.1, 0.2, "unlike", None))
    checks = (Check("blank", "It is blank."), Check("turned", "It seems to be turned.", "turn-90"))
    reason = Decision("ssim", 0.25, 0.5, (0.0,), 1, scores=scores, checks=checks).reason
    assert reason is not None
    assert reason.startswith("This image is unlike the images that the gate knows")
    assert reason.endswith(
        "Its reconstruction is too far off, on average (l1 is 0.300; at most 0.200 is needed). It is blank."
    )


@pytest.mark.parametrize("metric", [metric for metric in METRICS if metric != "ssim"])
def test_every_score_has_a_reason(metric: str) -> None:
    assert reason_of_score(metric, 1.0, 2.0, METRICS[metric].higher).endswith(" is needed).")


@pytest.mark.parametrize(
    ("metric", "value", "threshold", "told"),
    [
        ("turned", -0.02, -0.133, "turned or inverted, its similarity is 0.020 lower; at least 0.133 lower is needed"),
        ("turned", 0.2, 0.05, "turned or inverted, its similarity is 0.200 higher; at most 0.050 higher is needed"),
        ("energy", -0.133, -1.5, "its energy with the sign turned is 0.133; at least 1.500 is needed"),
        ("max-logit", -2.0, 0.0, "its largest probability is 11.9 %; at least 50.0 % is needed"),
        ("l1", 0.3, 0.2, "l1 is 0.300; at most 0.200 is needed"),
        ("vim", 0.00001, -0.133, "vim is 0.000; at most −0.133 is needed"),
    ],
)
def test_negative_scales_are_told_so_that_they_say_something(
    metric: str, value: float, threshold: float, told: str
) -> None:
    assert reason_of_score(metric, value, threshold, METRICS[metric].higher).endswith(f"({told}).")


def test_scores_of_stage_two_are_added() -> None:
    first = Decision("ssim", 0.75, 0.5, (0.0,), 1, measured={"ssim": 0.75})
    second = first.measuring({"energy": -0.5}, ALL_OF_STAGE_ONE, STAGE_TWO)
    assert [(score.metric, score.value, score.passed) for score in second.scores] == [("energy", -0.5, True)]
    assert second.measured == {"ssim": 0.75, "energy": -0.5}
    assert first.scores == ()


TABLE = Quantiles("validation", (0.0, 1.0), dict.fromkeys(METRICS, (0.0, 1.0)))


def test_a_combination_is_of_the_later_stage_of_its_parts() -> None:
    def gate(*metrics: str) -> Gate:
        weights = Combination(dict.fromkeys(metrics, 1.0), 0.0)
        return Gate("ssim", 0.5, (ScoreLimit("combined", 0.5, "unlike"),), TABLE, weights)

    early, late = gate("ssim", "l1"), gate("max-logit", "l1")
    assert (stage("combined", early), stage("combined", late)) == (1, 2)
    assert measured_metrics(early) == ("ssim", "l1")
    assert measured_metrics(late) == ("ssim", "l1", "max-logit")
    decision = Decision("ssim", 0.75, 0.5, (0.0,), 1)
    found = decision.measuring({"ssim": 0.75, "l1": 0.5}, early).scores
    assert [(score.metric, score.position) for score in found] == [("combined", found[0].value)]
    assert found[0].value == pytest.approx(1 / (1 + np.exp(-0.75)), abs=1e-12)
    assert decision.measuring({"ssim": 0.75, "l1": 0.5}, late).scores == ()
    assert len(decision.measuring({"l1": 0.5, "max-logit": 0.25}, late, STAGE_TWO).scores) == 1


def test_a_combination_that_is_not_used_measures_nothing() -> None:
    assert measured_metrics(Gate("ssim", 0.5, (), TABLE, Combination({"vim": 1.0}, 0.0))) == ("ssim",)


def test_unlikeness_points_one_way() -> None:
    assert (unlikeness("ssim", 0.25), unlikeness("max-logit", 2.0)) == (-0.25, -2.0)
    assert (unlikeness("l1", 0.25), unlikeness("energy", -2.0)) == (0.25, -2.0)
