"""Effects of masking with known answers, and what an attack does to the gate's input."""

from array import array
from dataclasses import replace

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from sitegen.bundle import Bundle
from sitegen.evaluation.adversarial.effects import effects
from sitegen.prediction import Predictor
from sitegen_runtime.bundle.model import NetworkInput
from sitegen_runtime.interventions.carried_over import carried_over
from sitegen_runtime.interventions.fillings import Canvas
from sitegen_runtime.interventions.maskings import draw_masks
from sitegen_runtime.pixels.geometry import Place, square


@pytest.mark.parametrize("filling", ["black", "mean"])
def test_effects_are_those_of_the_network_written_out(gradient_bundle: Bundle, filling: str) -> None:
    weights = {
        each.name: numpy_helper.to_array(each).astype(np.float64)
        for each in onnx.load(str(gradient_bundle.folder / "classifier.onnx")).graph.initializer
    }

    def logits(image: np.ndarray) -> np.ndarray:
        windows = np.lib.stride_tricks.sliding_window_view(image, (5, 5))[::2, ::2]
        active = np.tanh(np.einsum("ijab,kab->kij", windows, weights["kernel"][:, 0]))
        return np.asarray(active.mean(axis=(1, 2)) @ weights["linear"] + weights["bias"])

    image = np.random.default_rng(0).uniform(0, 1, (32, 32)).astype(np.float32).astype(np.float64)
    masks = draw_masks("pixels", (32, 32), 0.1, 4, 0)
    fill = {"black": 0.0, "mean": image.mean()}[filling]
    changed = [np.where(np.frombuffer(mask, np.uint8).reshape(32, 32), fill, image) for mask in masks]
    expected = np.array([logits(each) for each in changed]) - logits(image)
    found = effects(Predictor(gradient_bundle), array("f", image.ravel()), masks, filling)
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-5)
    assert np.abs(expected).max() > 1e-2


GREY = NetworkInput("image", (1, 1, 8, 8), "grey", 1.0, (-1.0, 1.0), (0.0,), (1.0,))
SMALL = replace(GREY, shape=(1, 1, 4, 4), range=(0.0, 1.0))


def canvas(entry: NetworkInput, level: float, square: Place) -> Canvas:
    return Canvas(array("f", [level] * (len(entry.mean) * entry.area)), entry, square)


def test_a_change_reaches_the_gate_at_its_own_scale() -> None:
    whole = square(10, 20, 80)
    before, gate = canvas(GREY, 0.0, whole), canvas(SMALL, 0.5, whole)
    after = before.values[:]
    for at in (0, 1, 8):  # three of the four cells that make the gate's first
        after[at] = 0.4  # 0.2 of the range of 2
    carried = carried_over(before, after, gate)
    assert list(carried) == pytest.approx([0.65, *[0.5] * 15], abs=1e-6)


def test_what_the_classifier_does_not_see_stays() -> None:
    before, gate = canvas(GREY, 0.0, square(20, 0, 20)), canvas(SMALL, 0.5, square(0, 0, 40))
    carried = np.array(carried_over(before, array("f", [1.0] * 64), gate)).reshape(4, 4)
    expected = np.full((4, 4), 0.5)
    expected[:2, 2:] = 1.0
    np.testing.assert_allclose(carried, expected, atol=1e-6)


def test_a_change_does_not_leave_the_range_and_colours_become_grey() -> None:
    rgb = NetworkInput("image", (1, 3, 8, 8), "rgb", 1.0, (0.0, 1.0), (0.5,) * 3, (0.25,) * 3)
    before, gate = canvas(rgb, 0.0, square(0, 0, 8)), canvas(SMALL, 0.9, square(0, 0, 8))
    green = array("f", [0.0] * 64 + [1.2] * 64 + [0.0] * 64)  # 0.3 of the range, in one channel of three
    assert list(carried_over(before, green, gate)) == pytest.approx([1.0] * 16)
    blue = array("f", [0.0] * 128 + [-1.2] * 64)
    assert list(carried_over(before, blue, gate)) == pytest.approx([0.8] * 16)
