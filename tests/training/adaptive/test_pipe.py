"""The augmentation pipe: what each part does, how often, and that nothing happens to an image by mistake."""

from math import log, pi

import numpy as np
import pytest
import torch
from scipy.ndimage import affine_transform
from torch import Generator

from sitegen.errors import SettingsError
from sitegen.training.adaptive.colouring import coloured, draw_colouring
from sitegen.training.adaptive.parts import PARTS, parts_of
from sitegen.training.adaptive.pipe import Adaptation, Pipe
from sitegen.training.adaptive.placing import draw_placing
from sitegen.training.adaptive.warping import rearranged, warped

SAME = torch.eye(3)


def _source(seed: int = 1) -> Generator:
    return Generator().manual_seed(seed)


def test_names_stand_for_parts_and_groups() -> None:
    assert parts_of(["blit", "hue"]) == {"flip", "quarter-turn", "shift", "hue"}
    assert parts_of(["blit", "geometry", "colour", "filtering", "corruption"]) == set(PARTS)
    with pytest.raises(SettingsError, match="there is no 'geom'; there are blit, geometry, colour, filtering, corrup"):
        parts_of(["geom"])


def test_what_is_not_moved_comes_out_as_it_was() -> None:
    images = torch.rand((2, 3, 32, 32), generator=_source(), dtype=torch.float64)
    torch.testing.assert_close(warped(images, SAME.repeat(2, 1, 1)), images, atol=1e-10, rtol=0)
    assert torch.equal(rearranged(images, SAME.repeat(2, 1, 1)), images)


def test_whole_pixels_only_change_places() -> None:
    image = torch.arange(16.0).reshape(1, 1, 4, 4)
    flip = torch.diag(torch.tensor([-1.0, 1, 1]))[None]
    assert torch.equal(rearranged(image, flip), image.flip(3))
    quarter = torch.tensor([[[0.0, -1, 0], [1, 0, 0], [0, 0, 1]]])
    assert torch.equal(rearranged(image, quarter), image.rot90(-1, (2, 3)).flip((2, 3)))
    right = SAME.clone()[None]
    right[0, 0, 2] = -1  # comes from the left neighbour, at the edge from the reflection
    assert rearranged(image, right)[0, 0, 0].tolist() == [1, 0, 1, 2]


def test_a_smooth_image_is_moved_as_scipys() -> None:
    """A slow wave, turned, scaled and moved, against SciPy's cubic splines, away from the edge."""
    x = np.arange(48) / 48 * 2 * pi
    image = np.sin(2 * x)[None, :] * np.cos(x)[:, None]
    cos, sin = np.cos(0.4) * 1.1, np.sin(0.4) * 1.1
    matrix = torch.tensor([[[cos, -sin, 1.3], [sin, cos, -0.6], [0, 0, 1]]])
    made = warped(torch.from_numpy(image)[None, None], matrix)[0, 0].numpy()
    down = np.array([[cos, sin], [-sin, cos]])  # SciPy's points are (down, across)
    centre = np.array([23.5, 23.5])
    expected = affine_transform(image, down, centre - down @ centre + np.array([-0.6, 1.3]), order=3, mode="mirror")
    np.testing.assert_allclose(made[8:-8, 8:-8], expected[8:-8, 8:-8], atol=0.01)


@pytest.mark.parametrize("chance", [0.0, 0.25, 1.0])
def test_parts_happen_as_often_as_asked(chance: float) -> None:
    """Shares of 4000 draws, within four standard errors."""
    count = 4000
    bound = 4 * (chance * (1 - chance) / count) ** 0.5
    moved = draw_placing(count, 64, chance, parts_of(["scale"]), _source())
    assert abs(float((moved[:, 0, 0] != 1).float().mean()) - chance) <= bound
    lighter = draw_colouring(count, chance, parts_of(["brightness"]), _source())
    assert abs(float((lighter[:, 0, 3] != 0).float().mean()) - chance) <= bound
    turned = draw_placing(count, 64, chance, parts_of(["turn"]), _source())  # once or twice: in all, with the chance
    assert abs(float((turned[:, 0, 1] != 0).float().mean()) - chance) <= bound


def test_strengths_are_the_papers() -> None:
    """Deviations of 4000 draws, within 5 %: four standard errors of a deviation are 4.5 %."""
    count = 4000
    scale = draw_placing(count, 64, 1.0, parts_of(["scale"]), _source())[:, 0, 0].log()
    assert float(scale.std()) == pytest.approx(0.2 * log(2), rel=0.05)
    move = draw_placing(count, 64, 1.0, parts_of(["move"]), _source())[:, 0, 2]
    assert float(move.std()) == pytest.approx(8, rel=0.05)
    shift = draw_placing(count, 64, 1.0, parts_of(["shift"]), _source())[:, :2, 2]
    assert float(shift.abs().max()) == 8
    assert torch.equal(shift, shift.round())
    flip = draw_placing(count, 64, 1.0, parts_of(["flip"]), _source())[:, 0, 0]
    assert abs(float((flip < 0).float().mean()) - 0.5) < 4 * 0.5 / count**0.5
    stretch = draw_placing(count, 64, 1.0, parts_of(["stretch"]), _source())
    torch.testing.assert_close(stretch[:, 0, 0] * stretch[:, 1, 1], torch.ones(count))
    contrast = draw_colouring(count, 1.0, parts_of(["contrast"]), _source())[:, 0, 0].log()
    assert float(contrast.std()) == pytest.approx(0.5 * log(2), rel=0.05)
    brightness = draw_colouring(count, 1.0, parts_of(["brightness"]), _source())[:, 1, 3]
    assert float(brightness.std()) == pytest.approx(0.2, rel=0.05)


def test_colours_keep_grey_grey_and_hue_keeps_the_brightness() -> None:
    grey = torch.full((50, 3, 1, 1), 0.3)
    for part in ("hue", "saturation"):
        torch.testing.assert_close(coloured(grey, draw_colouring(50, 1.0, parts_of([part]), _source())), grey)
    pixel = torch.tensor([0.9, -0.2, 0.1]).reshape(1, 3, 1, 1).repeat(50, 1, 1, 1)
    turned = coloured(pixel, draw_colouring(50, 1.0, parts_of(["hue"]), _source()))
    torch.testing.assert_close(turned.sum(1), pixel.sum(1))
    torch.testing.assert_close(turned.square().sum(1), pixel.square().sum(1))
    assert float(turned.std(0).max()) > 0.1


def test_grey_images_are_changed_as_grey_colours_are() -> None:
    grey = torch.rand((20, 1, 4, 4), generator=_source())
    matrices = draw_colouring(20, 1.0, parts_of(["brightness", "contrast", "inversion"]), _source())
    expected = coloured(grey.repeat(1, 3, 1, 1), matrices)
    torch.testing.assert_close(coloured(grey, matrices).repeat(1, 3, 1, 1), expected)


def test_inversion_exchanges_black_and_white_of_half_the_images() -> None:
    matrices = draw_colouring(2000, 1.0, parts_of(["inversion"]), _source())
    made = coloured(torch.full((2000, 1, 1, 1), 0.5), matrices).flatten()
    assert set(made.round(decimals=4).tolist()) == {0.5, -0.5}
    assert abs(float((made < 0).float().mean()) - 0.5) < 4 * 0.5 / 2000**0.5


def test_the_pipe_lets_gradients_through_and_leaves_images_alone_at_0() -> None:
    pipe = Pipe(parts_of(PARTS))
    images = torch.rand((4, 1, 32, 32), generator=_source()).requires_grad_()
    assert pipe(images, 0.0, _source()) is images
    made = pipe(images, 1.0, _source())
    made.sum().backward()
    assert made.shape == images.shape and not torch.allclose(made, images)
    assert images.grad is not None and float(images.grad.abs().sum()) > 0


def test_the_probability_goes_towards_the_target() -> None:
    adaptation = Adaptation(0.0, target=0.6, every=2, images=1000)
    for _ in range(2):
        adaptation.note(torch.tensor([1.0, 2.0, 3.0, -1.0, 1.0]))
        sure = adaptation.sureness
        adaptation.step(sure, batch=5)
    assert sure == pytest.approx(0.6)  # not above: it goes down, and not below 0
    assert adaptation.chance == 0.0
    for _ in range(4):
        adaptation.note(torch.ones(5))
        adaptation.step(adaptation.sureness, batch=5)
    assert adaptation.chance == pytest.approx(0.02)
    fixed = Adaptation(0.3)
    fixed.note(torch.ones(5))
    fixed.step(1.0, 5)
    assert fixed.chance == 0.3
