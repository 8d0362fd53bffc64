"""Planted marks, and maps that point to them or do not."""

import numpy as np
import pytest

from sitegen.evaluation.explanations.baselines import BASELINES
from sitegen.evaluation.explanations.document import finds_the_mark
from sitegen.evaluation.explanations.planted import (
    MARK,
    SIDE,
    TOLERANCE,
    Mark,
    area_share,
    hit,
    marked,
    mass_inside,
    planted,
)
from sitegen.metrics.document_types import IntervalDocument
from sitegen.phantom import phantom

HERE = Mark(20, 30, MARK)


def test_every_second_image_has_a_mark_and_differs_there_alone() -> None:
    drawn = planted(range(10))
    assert [mark is not None for mark in drawn.marks] == [False, True] * 5
    for seed, (image, mark) in enumerate(zip(drawn.images, drawn.marks, strict=True)):
        changed = image != phantom(seed, SIDE)
        assert changed.sum() == (MARK**2 if mark else 0)
        assert not mark or changed[mark.cells((SIDE, SIDE))].all()
    assert len({(mark.top, mark.left) for mark in drawn.marks if mark}) == 5


def test_a_mark_leaves_the_mean_grey_where_nothing_is_clipped() -> None:
    plain = np.full((SIDE, SIDE), 100, np.uint8)
    assert marked(plain, HERE).mean() == 100
    assert sorted(np.unique(marked(plain, HERE)).tolist()) == [55, 100, 145]


def test_the_strongest_cell_decides_whether_a_map_points_to_the_mark() -> None:
    given = np.zeros((SIDE, SIDE))
    assert not hit(given, HERE)
    given[20 - TOLERANCE, 30] = 1
    assert hit(given, HERE)
    given[20 - TOLERANCE - 1, 30] = 2
    assert not hit(given, HERE)


def test_mass_counts_what_speaks_for_the_finding() -> None:
    given = np.zeros((SIDE, SIDE))
    assert mass_inside(given, HERE) == 0
    given[22, 32], given[0, 0], given[1, 1] = 3, 1, -9
    assert mass_inside(given, HERE) == 0.75


def test_a_map_without_knowledge_has_the_marks_share_of_the_area() -> None:
    assert area_share(HERE) == (MARK + 2 * TOLERANCE) ** 2 / SIDE**2
    assert mass_inside(np.ones((SIDE, SIDE)), HERE) == pytest.approx(area_share(HERE))


def lowest(low: float) -> IntervalDocument:
    return {"value": 1.0, "low": low, "high": 1.0}


def test_finding_needs_both_intervals_to_begin_above_chance() -> None:
    good, bad, little, half = (lowest(low) for low in (0.6, 0.05, 0.1, 0.5))
    assert finds_the_mark(good, little, 0.06)
    assert not finds_the_mark(half, little, 0.06)
    assert not finds_the_mark(good, bad, 0.06)


def test_baselines_know_the_image_at_most() -> None:
    image = np.zeros((1, 8, 8), np.float32)
    image[:, :, 4:] = 1
    rng = np.random.default_rng(0)
    assert np.argmax(BASELINES["edges"](image, rng).sum(axis=0)) in (3, 4)
    assert BASELINES["edges"](image, rng)[:, :2].max() == 0
    middle = BASELINES["centre"](np.zeros((1, 9, 9), np.float32), rng)
    assert middle[4, 4] == 1
    assert middle[4, 0] == pytest.approx(np.exp(-0.5 * (4 / 9 / 0.25) ** 2))
    assert np.ptp(BASELINES["random"](image, rng)) > 0.5
