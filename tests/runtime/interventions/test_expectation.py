"""Expected effects: what maskings draw, and means that can be worked out by hand."""

from itertools import product
from typing import Any

import numpy as np
import pytest

from sitegen_runtime.errors import BadIntervention
from sitegen_runtime.interventions.expectation import Drawn, as_the_gate_sees, expected
from sitegen_runtime.interventions.maskings import MASKINGS, draw_masks
from sitegen_runtime.interventions.what_if import scene_of
from tests.helpers.runtime.drive import job
from tests.helpers.runtime.images import picture, saved
from tests.helpers.runtime.known_networks import CELLS, Knowing, linear, linear_weights, patch_seer, two_layers
from tests.helpers.runtime.models import model

PICTURE = picture(64, 64, colour=0.0)
DATA = saved(PICTURE, "PNG")
RGBA = np.asarray(PICTURE.convert("RGBA"))
SEEN = (RGBA[..., 0] / 255).reshape(CELLS, 4, CELLS, 4).mean((1, 3))


def drawn(network: Any, masks: list[bytes], filling: str = "black") -> list[Drawn]:
    machine = Knowing(RGBA, network)
    seen = machine.run(job(DATA, model())).seen
    assert seen is not None
    return machine.draw_effects(scene_of(model(), seen), masks, filling)


def grids(masks: list[bytes]) -> np.ndarray:
    return np.array([list(mask) for mask in masks]).reshape(len(masks), CELLS, CELLS)


def test_maskings_change_the_share_that_is_asked_for() -> None:
    pixels, squares, grid = (grids(draw_masks(name, (CELLS, CELLS), 0.1, 40, 3)) for name in MASKINGS)
    assert set(pixels.sum((1, 2))) == {26}  # of 256
    assert set(squares.sum((1, 2))) == {25}
    assert set(grid[:9].sum((1, 2))) == {25, 30, 36}  # 16 cells in three parts: 5, 5 and 6
    assert np.array_equal(grid[:9].sum(0), np.ones((CELLS, CELLS)))  # each block once, before any again
    assert len({mask.tobytes() for mask in squares}) > 25
    assert np.abs(grids(draw_masks("pixels", (CELLS, CELLS), 0.1, 900, 3)).mean(0) - 26 / 256).max() < 5 * 0.3 / 30
    assert draw_masks("pixels", (CELLS, CELLS), 0.1, 3, 3) == draw_masks("pixels", (CELLS, CELLS), 0.1, 4, 3)[:3]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (("stripes", 16, 0.1, 5, 0), "no masking 'stripes'. There are 'pixels', 'squares', 'grid'"),
        (("pixels", 16, 0.0, 5, 0), "share must be above 0"),
        (("pixels", 16, 0.6, 5, 0), "at most 0.5"),
        (("pixels", 16, 0.1, 1, 0), "Two runs at least"),
    ],
)
def test_what_cannot_be_drawn(given: Any, words: str) -> None:
    with pytest.raises(BadIntervention) as caught:
        draw_masks(*given)
    assert words in str(caught.value)


def test_masked_pixels_of_a_linear_model() -> None:
    """Each cell is masked with a chance of 26 in 256, so that so much of every term is lost on average."""
    draws = drawn(linear, draw_masks("pixels", (CELLS, CELLS), 0.1, 300, 1))
    for label in range(3):
        found = expected([each.logit_effects[label] for each in draws])
        truth = -26 / 256 * (linear_weights()[label] * SEEN).sum()
        assert abs(found.mean - truth) <= 3 * found.error
        assert found.error < 0.02
        assert (found.low, found.high) == (found.mean - 1.96 * found.error, found.mean + 1.96 * found.error)


def test_a_whole_grid_of_a_linear_model_is_exact() -> None:
    draws = drawn(linear, draw_masks("grid", (CELLS, CELLS), 0.1, 9, 1))
    found = [expected([each.logit_effects[label] for each in draws]).mean for label in range(3)]
    assert np.allclose(found, -(linear_weights() * SEEN).sum((1, 2)) / 9, atol=1e-6)


@pytest.mark.parametrize("network", [two_layers, patch_seer])
def test_squares_have_the_mean_over_all_their_places(network: Any) -> None:
    def masked(top: int, left: int) -> np.ndarray:
        changed = SEEN.copy()
        changed[top : top + 5, left : left + 5] = 0
        return np.asarray(network(changed))

    before = network(SEEN)
    after = np.array([masked(*place) for place in product(range(12), repeat=2)])
    shares = [1 / (1 + np.exp(-logits)) for logits in (after, before)]
    truth = [(after - before).mean(0), (shares[0] - shares[1]).mean(0)]
    draws = drawn(network, draw_masks("squares", (CELLS, CELLS), 0.1, 400, 2))
    for label in range(3):
        for values, true in zip(("logit_effects", "effects"), truth, strict=True):
            found = expected([getattr(each, values)[label] for each in draws])
            assert abs(found.mean - true[label]) <= 3 * found.error + 1e-7


def test_every_draw_has_the_gates_score_of_the_changed_image() -> None:
    masks = draw_masks("pixels", (CELLS, CELLS), 0.1, 3, 4)
    assert all(each.similarity == pytest.approx(1.0) for each in drawn(linear, masks))  # this gate rebuilds all it sees
    machine = Knowing(RGBA, linear)
    seen = machine.run(job(DATA, model())).seen
    assert seen is not None
    scene = scene_of(model(), seen)
    own, gate = scene.canvases["classifier"], scene.canvases["gate"]
    given = as_the_gate_sees(own, gate, own.changed(masks[0], "black"))
    expected_image = np.where(grids(masks)[0] > 0, 0, SEEN).reshape(8, 2, 8, 2).mean((1, 3))
    assert np.allclose(np.array(given).reshape(8, 8), expected_image, atol=1e-6)
