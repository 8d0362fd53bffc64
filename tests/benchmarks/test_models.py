"""The parts of the benchmarks of imported models that compute: settings, pictures, kinks."""

import sys
from pathlib import Path

import numpy as np
import pytest
from torch import nn

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))  # scripts, not a package

from real_models import pictures  # noqa: E402
from real_originals import MODELS  # noqa: E402
from timm_gradients import _kinks  # noqa: E402

from sitegen.importing.settings import read_import_settings  # noqa: E402


@pytest.mark.parametrize("name", MODELS)
def test_settings_of_each_model_are_those_of_an_import(name: str, tmp_path: Path) -> None:
    (tmp_path / "import.toml").write_text(MODELS[name].settings, encoding="utf-8")
    settings = read_import_settings(tmp_path / "import.toml")
    assert len(settings.labels) == {"tumor": 4, "pneumonia": 2, "lite0": 1000}.get(name, 5)
    assert settings.image["colour"] == "rgb"


def test_ten_pictures_differ_and_are_always_the_same() -> None:
    drawn = pictures(50)
    assert drawn.shape == (10, 50, 50, 3) and drawn.dtype == np.uint8
    assert len({picture.tobytes() for picture in drawn}) == 10
    assert np.array_equal(drawn, pictures(50))
    assert all(np.ptp(picture.mean((0, 1))) > 1 for picture in drawn)  # in colour


def test_kinks_are_places_on_another_side() -> None:
    truth = np.array([[[[1.0, -1e-6], [2e-6, -5.0]]]])
    assert _kinks([truth], [(truth, nn.ReLU())]) == (0, 0.0)
    moved = truth + np.array([[[[0, 2e-6], [-1e-6, 0]]]])  # the second is on now, the third still is
    count, far = _kinks([moved], [(truth, nn.ReLU())])
    assert (count, far) == (1, pytest.approx(1e-6 / 1.5, rel=1e-5))


def test_a_window_with_another_greatest_element_is_a_kink() -> None:
    truth = np.array([[[[1.0, 1.0 - 1e-6], [0.0, 0.0]], [[0.0, 3.0], [0.0, 0.0]]]])
    moved = truth.copy()
    moved[0, 0, 0, 0] -= 2e-6
    count, far = _kinks([moved], [(truth, nn.MaxPool2d(2))])
    assert (count, far) == (1, pytest.approx(1e-6 / 0.625, rel=1e-4))
    assert _kinks([None], [(truth, nn.MaxPool2d(2))]) == (0, 0.0)
