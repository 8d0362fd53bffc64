"""How much of its data's images a model never saw: said where the bundle tells, and silent elsewhere."""

from pathlib import Path
from typing import Any

import pytest

from sitegen.bundle.unseen import unseen_words
from tests.helpers.help_bundles import known


def told(folder: Path, audit: Any) -> str | None:
    return unseen_words(known(folder, {"provenance": {"audit": audit}}))


def test_wide_images_are_told_of(tmp_path: Path) -> None:
    aspect = {"least": 0.8, "median": 1.25, "most": 2.5}
    assert told(tmp_path, {"aspect": aspect}) == (
        "Test model: 20 % of the middle image of its data (1.25 times as wide as high) lies outside of what "
        "the model sees, and 60 % of the longest."
    )


def test_high_images_lose_as_much(tmp_path: Path) -> None:
    said = told(tmp_path, {"aspect": {"least": 0.5, "median": 0.8, "most": 1.0}})
    assert said is not None
    assert "20 % of the middle image" in said
    assert "50 % of the longest" in said


@pytest.mark.parametrize(
    "audit",
    [
        None,
        {},
        {"aspect": None},
        {"aspect": {}},
        {"aspect": {"least": 1.0, "median": "1.5", "most": 2.0}},
        {"aspect": {"least": 0.5, "median": 1.05, "most": 2.0}},  # hardly any of the middle one is missed
    ],
)
def test_nothing_is_said_that_is_not_known(tmp_path: Path, audit: Any) -> None:
    assert told(tmp_path, audit) is None
