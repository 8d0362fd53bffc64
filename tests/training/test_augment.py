import pytest
import torch
from torch import Generator

from sitegen.training.augment import LEVELS, AugmentSettings, augment, draw_changes
from sitegen.training.augment import changed as with_changes

STILL = AugmentSettings(rotation=0, shift=0, scale=0, brightness=0, contrast=0)


def images(count: int = 3) -> torch.Tensor:
    return torch.rand(count, 1, 16, 16, generator=Generator().manual_seed(1))


def test_nothing_changes_where_nothing_may() -> None:
    assert torch.allclose(augment(images(), STILL, 0.0, 1.0, Generator()), images(), atol=1e-6)


def test_values_stay_in_the_range() -> None:
    wild = AugmentSettings(rotation=90, shift=0.5, scale=0.5, brightness=1, contrast=1, gamma=2, sharpness=2)
    changed = augment(images(50) * 2 - 1, wild, -1.0, 1.0, Generator().manual_seed(2))
    assert changed.min() >= -1
    assert changed.max() <= 1


def test_brightness_is_a_share_of_the_range_and_differs_between_images() -> None:
    grey = torch.full((40, 1, 8, 8), 10.0)
    settings = AugmentSettings(rotation=0, shift=0, scale=0, brightness=0.1, contrast=0)
    changed = augment(grey, settings, 0.0, 20.0, Generator().manual_seed(3)).mean(dim=(1, 2, 3))
    assert changed.std() > 0.5
    assert (changed - 10).abs().max() <= 2.0


def test_a_shift_moves_by_whole_pixels_as_far_as_it_says() -> None:
    settings = AugmentSettings(rotation=0, shift=0.25, scale=0, brightness=0, contrast=0)
    dot = torch.zeros(200, 1, 16, 16)
    dot[:, :, 7:9, 7:9] = 1.0
    changed = augment(dot, settings, 0.0, 1.0, Generator().manual_seed(4))
    columns = (changed.sum(dim=(1, 2)) * torch.arange(16)).sum(dim=1) / changed.sum(dim=(1, 2, 3))
    assert columns.min() == pytest.approx(7.5 - 4, abs=0.2)
    assert columns.max() == pytest.approx(7.5 + 4, abs=0.2)


def test_a_rotation_keeps_distances() -> None:
    # A bar of 9 pixels through the middle keeps its length; sheared, it would not.
    bar = torch.zeros(100, 1, 33, 33)
    bar[:, :, 16, 12:21] = 1.0
    settings = AugmentSettings(rotation=90, shift=0, scale=0, brightness=0, contrast=0)
    changed = augment(bar, settings, 0.0, 1.0, Generator().manual_seed(5))[:, 0]
    y, x = torch.meshgrid(torch.arange(33) - 16.0, torch.arange(33) - 16.0, indexing="ij")
    spread = (changed * (x**2 + y**2)).sum(dim=(1, 2)) / changed.sum(dim=(1, 2))
    assert spread.min() == pytest.approx(60 / 9, rel=0.1)
    assert spread.max() == pytest.approx(60 / 9, rel=0.1)


def test_zoom_enlarges_some_images_and_leaves_the_rest() -> None:
    square = torch.zeros(200, 1, 40, 40)
    square[:, :, 15:25, 15:25] = 1.0
    settings = AugmentSettings(0, 0, 0, 0, 0, zoom=2.0, zoom_chance=0.25)
    areas = augment(square, settings, 0.0, 1.0, Generator().manual_seed(6)).sum(dim=(1, 2, 3))
    assert set(areas.round().int().tolist()) == {100, 400}
    assert 0.15 < (areas > 200).float().mean() < 0.35


def test_flip_exchanges_left_and_right_of_some_images() -> None:
    drawn = images(200)
    settings = AugmentSettings(0, 0, 0, 0, 0, flip_chance=0.25)
    changed = augment(drawn, settings, 0.0, 1.0, Generator().manual_seed(7))
    flipped = torch.tensor([torch.allclose(a, b.flip(2), atol=1e-5) for a, b in zip(changed, drawn, strict=True)])
    same = torch.tensor([torch.allclose(a, b, atol=1e-5) for a, b in zip(changed, drawn, strict=True)])
    assert torch.equal(flipped, ~same)
    assert 0.15 < flipped.float().mean() < 0.35


def test_what_is_off_draws_no_numbers() -> None:
    # The numbers of a recipe without zoom and flip must stay what they were before there were any.
    with_chance = AugmentSettings(zoom_chance=0.9)
    generator = Generator().manual_seed(8)
    changed = augment(images(), with_chance, 0.0, 1.0, generator)
    draws = Generator().manual_seed(8)
    torch.rand(6 * 3, generator=draws)  # angle, scale, two shifts, contrast, brightness
    assert torch.equal(torch.rand(1, generator=generator), torch.rand(1, generator=draws))
    assert torch.equal(changed, augment(images(), AugmentSettings(), 0.0, 1.0, Generator().manual_seed(8)))


def test_levels_rise_from_nothing_to_the_papers() -> None:
    levels = list(LEVELS.values())
    assert levels[0] == STILL
    assert levels[-1] == AugmentSettings(45, 0.15, 0.15, 0, 0)
    places = [(each.rotation, each.shift, each.scale) for each in levels]
    assert places == sorted(places)
    assert all((each.brightness, each.contrast, each.flip_chance, each.zoom) == (0, 0, 0, 1) for each in levels)


def test_gamma_leaves_black_and_white_and_moves_what_is_between() -> None:
    settings = AugmentSettings(0, 0, 0, 0, 0, gamma=0.5)
    steps = torch.tensor([-1.0, 0.0, 1.0]).repeat_interleave(4).view(1, 1, 1, 12).expand(60, 1, 12, 12)
    changed = augment(steps, settings, -1.0, 1.0, Generator().manual_seed(7))
    assert changed[..., 1].max() == pytest.approx(-1, abs=1e-5)
    assert changed[..., 10].min() == pytest.approx(1, abs=1e-5)
    exponents = (((changed[:, 0, 6, 5] + 1) / 2).log() / torch.tensor(0.5).log()).log()
    assert exponents.abs().max() <= 0.5 + 1e-5
    assert exponents.std() > 0.2


def test_sharpness_smooths_and_sharpens_and_leaves_even_greys() -> None:
    settings = AugmentSettings(0, 0, 0, 0, 0, sharpness=1.0)
    even = augment(torch.full((4, 1, 8, 8), 0.3), settings, 0.0, 1.0, Generator().manual_seed(8))
    assert torch.allclose(even, torch.full_like(even, 0.3), atol=1e-6)
    dot = torch.full((300, 1, 9, 9), 0.5)
    dot[:, :, 4, 4] = 0.59
    middle = augment(dot, settings, 0.0, 1.0, Generator().manual_seed(8))[:, 0, 4, 4]
    # Of 0.09 above its surroundings, 8 / 9 are detail: between none of it and twice as much.
    assert middle.min() == pytest.approx(0.51, abs=2e-3)
    assert middle.max() == pytest.approx(0.67, abs=2e-3)


def test_a_part_of_the_changes_is_that_of_the_images() -> None:
    settings = AugmentSettings(gamma=0.4, sharpness=0.5)
    drawn = draw_changes(6, settings, Generator().manual_seed(9))
    whole = with_changes(images(6), drawn, 0.0, 1.0)
    parts = torch.cat([with_changes(images(6)[part], drawn.of(part), 0.0, 1.0) for part in (slice(0, 2), slice(2, 6))])
    assert torch.equal(parts, whole)
