"""The arithmetic of explanations: literal answers, NumPy beside it, and what holds for all numbers."""

from __future__ import annotations  # array[float] is a name for type checkers until Python 3.12

from array import array
from hashlib import sha256

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sitegen_runtime.maps.arithmetic import (
    NOISE,
    STEPS,
    Mean,
    activation_map,
    between,
    gradient_activation_map,
    guided_activation_map,
    noisy,
    path_integral,
    strongest_rise,
)
from sitegen_runtime.pixels.tensor import little_endian

numbers = st.floats(-1e6, 1e6, width=32)


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def flat(values: np.ndarray) -> array[float]:
    return array("f", values.astype(np.float32).ravel().tolist())


def test_strongest_rise_of_one_channel_and_of_three() -> None:
    assert list(strongest_rise([1.0, -2.0, 0.0], 3)) == [1, 0, 0]
    assert list(strongest_rise([1.0, -2.0, 3.0, -4.0, -1.0, -1.0], 2)) == [3, 0]


@given(st.integers(1, 3), st.lists(numbers, min_size=4, max_size=4))
def test_strongest_rise_is_never_negative_and_at_least_every_channel(channels: int, values: list[float]) -> None:
    gradient = [value for shift in range(channels) for value in values[shift:] + values[:shift]]
    expected = np.maximum(np.array(gradient, np.float32).reshape(channels, 4).max(0), 0)
    assert list(strongest_rise(array("f", gradient), 4)) == expected.tolist()


def test_activation_map_is_the_product_of_weights_and_features() -> None:
    features, row = normal(7, 3, 2), normal(8, seed=1)
    expected = np.tensordot(row[:-1].astype(float), features.astype(float), 1)
    assert np.allclose(activation_map(flat(features), [flat(row)], 6), expected.ravel(), rtol=1e-6)


def test_the_mean_of_an_activation_map_and_the_bias_are_the_logit() -> None:
    features, row = normal(5, 4, 4), normal(6, seed=2)
    logit = float(features.astype(float).mean((1, 2)) @ row[:-1] + row[-1])
    assert np.mean(activation_map(flat(features), [flat(row)], 16)) + row[-1] == pytest.approx(logit, rel=1e-5)


def test_activation_maps_add_up() -> None:
    features, rows = normal(5, 4, 4), [flat(normal(6, seed=seed)) for seed in (1, 2, 3)]
    separate = sum(np.array(activation_map(flat(features), [row], 16)) for row in rows)
    assert np.allclose(activation_map(flat(features), rows, 16), separate, rtol=1e-5, atol=1e-5)


def test_gradient_activation_map_is_that_of_the_formula() -> None:
    features, gradient = normal(6, 3, 5), normal(6, 3, 5, seed=4)
    weights = gradient.astype(float).mean((1, 2))
    expected = np.maximum(0, np.tensordot(weights, features.astype(float), 1))
    assert np.allclose(gradient_activation_map(flat(features), flat(gradient), 15), expected.ravel(), rtol=1e-6)


def test_a_linear_head_makes_grad_cam_the_positive_part_of_cam() -> None:
    """Selvaraju et al. 2017, section 3.1: the gradient of a mean and a linear layer is the weight by the cells."""
    features, row = normal(6, 4, 4), normal(7, seed=5)
    gradient = np.broadcast_to(row[:-1, None, None] / 16, (6, 4, 4))
    cam = np.maximum(0, activation_map(flat(features), [flat(row)], 16))
    assert np.allclose(np.array(gradient_activation_map(flat(features), flat(gradient), 16)) * 16, cam, rtol=1e-5)


def test_guided_activation_map_multiplies_cell_by_cell() -> None:
    assert list(guided_activation_map([1.0, 2.0, 3.0, 4.0], (2, 2), [5.0], (1, 1))) == [5, 10, 15, 20]
    assert list(guided_activation_map([1.0] * 16, (4, 4), [0.0, 4.0], (1, 2)))[:4] == [0, 1, 3, 4]


def test_noise_is_that_of_numpys_mersenne_twister_in_every_digit() -> None:
    image = np.linspace(-1, 3, 50, dtype=np.float32)
    for copy in (0, 24):
        sums = np.frombuffer(np.random.RandomState([copy]).bytes(200), np.uint8).reshape(50, 4).sum(1, dtype=np.int64)
        factor = NOISE * 4 / np.sqrt(4 * (256**2 - 1) / 12)
        assert list(noisy(flat(image), copy)) == (image + factor * (sums - 510)).astype(np.float32).tolist()


def test_noise_is_the_same_everywhere() -> None:
    image = array("f", [index / 64 for index in range(64)])
    digest = sha256(b"".join(little_endian(noisy(image, copy)) for copy in range(3))).hexdigest()
    assert digest == "e39c1a54c67863d6f3cf9c9e088c0ee40c9d413185034d401c9037e7688037bf"


def test_noise_has_the_stated_deviation_and_no_bias_and_differs_between_copies() -> None:
    image = array("f", [0.0, 2.0] * 20_000)
    first, second = (np.array(noisy(image, copy)) - np.array(image) for copy in (0, 1))
    deviation = NOISE * 2
    assert np.std(first) == pytest.approx(deviation, rel=0.02)
    assert abs(np.mean(first)) < 4 * deviation / np.sqrt(len(image))
    assert np.abs(first).max() <= 3.5 * deviation
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.02
    assert abs(np.corrcoef(first[:-1], first[1:])[0, 1]) < 0.02


def test_noise_follows_the_normal_distribution_closely() -> None:
    """At one, two and three deviations; four bytes are not quite normal, and their sums stop short of 3.5."""
    image = array("f", [0.0, 1.0] * 50_000)
    noise = (np.array(noisy(image, 7)) - np.array(image)) / NOISE
    shares = [float(np.mean(np.abs(noise) < deviations)) for deviations in (1, 2, 3)]
    assert shares == pytest.approx([0.6827, 0.9545, 0.9973], abs=0.015)


def test_an_even_image_gets_no_noise() -> None:
    assert list(noisy([0.25] * 9, 3)) == [0.25] * 9


def test_steps_of_the_path_are_the_middles() -> None:
    path = [between([1.0, 0.0], [0.0, 1.0], step)[0] for step in range(STEPS)]
    assert path == [(step + 0.5) / STEPS for step in range(STEPS)]
    assert between([1.0, 0.0], [0.0, 1.0], 0)[1] == 1 - 0.5 / STEPS


def test_path_integral_sums_channels_and_keeps_the_sign() -> None:
    assert list(path_integral([1.0, 2.0, 3.0, 4.0], [0.0, 1.0, 0.0, 1.0], [1.0, -1.0, 2.0, -2.0], 2)) == [7, -7]


@given(st.lists(st.lists(numbers, min_size=3, max_size=3), min_size=1, max_size=5))
def test_mean_is_that_of_all_that_was_added(rows: list[list[float]]) -> None:
    mean = Mean(3)
    for row in rows:
        mean.add(row)
    assert mean.values() == pytest.approx(np.mean(np.array(rows, float), 0).tolist(), rel=1e-9, abs=1e-6)
