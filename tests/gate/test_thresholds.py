"""Thresholds keep their promise for every source, and what cannot give any is told."""

from math import ceil, floor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sitegen.errors import DataError, SettingsError
from sitegen.gate.thresholds import Thresholds, fit_thresholds, needed_images

ALIKE, UNLIKE = "ssim", "turned"


def passes(fitted: Thresholds, scores: dict[str, np.ndarray]) -> np.ndarray:
    """As the contract has it: at or above the threshold where higher is alike, at or below it where it is unlike."""
    good = [
        values >= fitted.values[metric] if metric == "ssim" else values <= fitted.values[metric]
        for metric, values in scores.items()
    ]
    return np.logical_and.reduce(good)


def test_of_a_hundred_images_five_are_refused() -> None:
    values = np.arange(100) / 100
    assert fit_thresholds({ALIKE: values}, ["one"] * 100).values == {ALIKE: 0.05}
    assert fit_thresholds({UNLIKE: values}, ["one"] * 100).values == {UNLIKE: 0.94}
    fitted = fit_thresholds({ALIKE: values}, ["one"] * 100)
    assert fitted.own_share == 0.95
    assert fitted.passing == {"one": 0.95}


@pytest.mark.parametrize("images", [20, 39, 40, 99, 100, 101, 334, 1000])
def test_one_metric_alone_is_a_quantile_of_numpy(images: int) -> None:
    """The smallest value that 95 % of the images do not exceed is NumPy's quantile by the inverted distribution."""
    values = np.random.default_rng(images).normal(size=images)
    fitted = fit_thresholds({UNLIKE: values}, ["one"] * images)
    assert fitted.values[UNLIKE] == pytest.approx(np.quantile(values, 0.95, method="inverted_cdf"), rel=2e-5)
    assert (values > fitted.values[UNLIKE]).sum() == floor(images / 20 + 1e-9)


def test_rounding_refuses_nobody_more() -> None:
    values = np.full(40, 0.87654321)
    alike, unlike = (fit_thresholds({metric: values}, ["one"] * 40).values[metric] for metric in (ALIKE, UNLIKE))
    assert (alike, unlike) == (0.876543, 0.876544)
    tiny = fit_thresholds({"energy": np.full(40, -1.23456789e-9)}, ["one"] * 40).values["energy"]
    assert tiny == -1.23456e-9
    assert str(fit_thresholds({ALIKE: np.zeros(40)}, ["one"] * 40).values[ALIKE]) == "0.0"


def test_scores_that_refuse_different_images_share_what_may_be_refused() -> None:
    """Ten images may go; the worst of one metric are not those of the other, so that each may refuse five."""
    values = np.arange(200.0)
    fitted = fit_thresholds({ALIKE: values, UNLIKE: values}, ["one"] * 200)
    assert fitted.values == {ALIKE: 5.0, UNLIKE: 194.0}
    assert fitted.own_share == 0.975
    assert fitted.passing == {"one": 0.95}


def test_scores_that_refuse_the_same_images_give_away_nothing() -> None:
    values = np.arange(200.0)
    fitted = fit_thresholds({ALIKE: -values, UNLIKE: values}, ["one"] * 200)
    assert fitted.values == {ALIKE: -189.0, UNLIKE: 189.0}
    assert fitted.own_share == 0.95


def test_the_source_that_is_least_alike_decides() -> None:
    values = np.concatenate([np.arange(100.0), np.arange(40.0) + 500])
    fitted = fit_thresholds({UNLIKE: values}, ["near"] * 100 + ["far"] * 40)
    assert fitted.values == {UNLIKE: 537.0}
    assert fitted.passing == {"far": 0.95, "near": 1.0}


@st.composite
def samples(draw: st.DrawFn) -> tuple[dict[str, np.ndarray], list[str], float]:
    """Scores of three metrics, with ties and of sources of different sizes."""
    share = draw(st.sampled_from([0.5, 0.8, 0.9, 0.95]))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    counts = draw(st.lists(st.integers(needed_images(share), 90), min_size=1, max_size=4))
    sources = [f"source {number}" for number, count in enumerate(counts) for _ in range(count)]
    common = random.normal(size=len(sources))
    decimals = draw(st.integers(0, 8))
    scores = {
        metric: np.round(common * random.normal() + random.normal(size=len(sources)) * random.uniform(0, 3), decimals)
        for metric in draw(st.sampled_from([("ssim",), ("l1", "ssim"), ("ssim", "turned", "latent")]))
    }
    return scores, sources, share


@settings(max_examples=150, deadline=None)
@given(samples())
def test_the_share_is_met_for_every_source(sample: tuple[dict[str, np.ndarray], list[str], float]) -> None:
    scores, sources, share = sample
    fitted = fit_thresholds(scores, sources, share)
    good, names = passes(fitted, scores), np.array(sources)
    for source in set(sources):
        found = good[names == source]
        assert found.sum() >= ceil(round(share * len(found), 9))
        assert fitted.passing[source] == found.mean()


@settings(max_examples=100, deadline=None)
@given(samples())
def test_a_larger_share_has_looser_thresholds(sample: tuple[dict[str, np.ndarray], list[str], float]) -> None:
    scores, sources, share = sample
    strict, loose = fit_thresholds(scores, sources, share / 2), fit_thresholds(scores, sources, share)
    for metric in scores:
        if metric == "ssim":
            assert loose.values[metric] <= strict.values[metric]
        else:
            assert loose.values[metric] >= strict.values[metric]
    assert (passes(loose, scores) | ~passes(strict, scores)).all()


@settings(max_examples=60, deadline=None)
@given(samples())
def test_no_smaller_own_share_would_do(sample: tuple[dict[str, np.ndarray], list[str], float]) -> None:
    """Try every other number of images that the smallest source could lose, without the search."""
    scores, sources, share = sample
    fitted = fit_thresholds(scores, sources, share)
    names = np.array(sources)
    groups = [names == source for source in sorted(set(sources))]
    for own in sorted({1 - count / group.sum() for group in groups for count in range(group.sum())}):
        if own >= fitted.own_share - 1e-9:
            break
        good = np.ones(len(names), bool)
        for metric, values in scores.items():
            bad = -values if metric == "ssim" else values
            limit = max(np.sort(bad[group])[ceil(round(own * group.sum(), 9)) - 1] for group in groups)
            good &= bad <= limit + abs(limit) * 1e-5
        assert min(good[group].mean() for group in groups) < share


@pytest.mark.parametrize("share", [0, 1, 0.0, 1.0, -0.1, 1.2, float("nan"), float("inf")])
def test_a_share_must_lie_between_0_and_1(share: float) -> None:
    with pytest.raises(SettingsError, match=r"must lie between 0 and 1.*0\.95 is usual"):
        fit_thresholds({ALIKE: np.arange(100.0)}, ["one"] * 100, share)


def test_without_images_there_are_no_thresholds() -> None:
    with pytest.raises(DataError, match="no validation images"):
        fit_thresholds({ALIKE: []}, [])


def test_a_source_with_too_few_images_is_named_with_how_many_are_needed() -> None:
    values = np.arange(59.0)
    with pytest.raises(DataError, match=r"20 validation images of every source are needed: small has 19\."):
        fit_thresholds({ALIKE: values}, ["large"] * 40 + ["small"] * 19)
    with pytest.raises(DataError, match=r"100 validation images .* the only source has 59"):
        fit_thresholds({ALIKE: values}, [""] * 59, 0.99)
    assert (needed_images(0.95), needed_images(0.99), needed_images(0.9), needed_images(0.94)) == (20, 100, 10, 17)


def test_values_that_do_not_fit_are_told() -> None:
    values = np.arange(40.0)
    with pytest.raises(DataError, match=r"metric ssim of validation image 3 is nan"):
        fit_thresholds({ALIKE: np.where(values == 3, np.nan, values)}, ["one"] * 40)
    with pytest.raises(DataError, match=r"metric ssim has values of the shape \[40\] for 39 images"):
        fit_thresholds({ALIKE: values}, ["one"] * 39)
    with pytest.raises(SettingsError, match="there is no metric 'likeness'"):
        fit_thresholds({"likeness": values}, ["one"] * 40)
    with pytest.raises(SettingsError, match="no metric was named"):
        fit_thresholds({}, ["one"] * 40)
