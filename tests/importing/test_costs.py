"""What an import stops for or says beside its proof: costly preparation, missing guided maps, early feature maps."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from sitegen.errors import ExportError, GradientError
from sitegen.importing import graphs
from sitegen.importing.bundle import import_bundle
from sitegen.importing.settings import ImportSettings
from tests.helpers.importing.fake_source import SIDE, PillowPreparation, fake_model


class Inverted(PillowPreparation):
    """Black is white for it."""

    def tensor(self, content: bytes) -> Any:
        return 20 * (1 - super().tensor(content))


def imported(folder: Path, *, force: bool = False, **fields: Any) -> Any:
    return import_bundle(
        fake_model(**fields), folder / "bundle", ImportSettings(), gate=None, images=(), report=None,
        force=force,
    )  # fmt: skip


def test_a_preparation_that_costs_much_needs_to_be_forced(tmp_path: Path) -> None:
    with pytest.raises(
        ExportError, match=r"changes the probability of .* percentage points; more than 5 needs --force"
    ):
        imported(tmp_path, preparation=Inverted())
    assert not (tmp_path / "bundle").exists()
    assert (tmp_path / "fake-model-import.html").is_file()
    assert imported(tmp_path, preparation=Inverted(), force=True).bundle.description.name == "fake-model"


def test_guided_maps_alone_may_be_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(folder: Path) -> None:
        raise GradientError("PRelu has no guided gradient.")

    monkeypatch.setattr(graphs, "export_guided", none)
    report = imported(tmp_path)
    assert list(report.bundle.description.graphs) == ["classifier", "gradient", "cam"]
    assert any("no guided backpropagation" in line and "PRelu" in line for line in report.warnings)


class Patches(nn.Module):
    """A convolution of patches, and layers of tokens after it."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first = nn.Conv2d(1, 8, 8, 8)
        self.layers = nn.Sequential(*(nn.Linear(8, 8) for _ in range(4)))
        self.last = nn.Linear(8 * (SIDE // 8) ** 2, 3)

    def forward(self, image: Tensor) -> Tensor:
        tokens = self.first(image).flatten(2).transpose(1, 2)
        made: Tensor = self.last(torch.tanh(self.layers(tokens)).flatten(1))
        return made


def test_a_map_that_comes_early_is_said_to(tmp_path: Path) -> None:
    report = imported(tmp_path, network=Patches().eval(), resized=None)
    assert any("That is an early one" in line and "5 of 6 layers follow it" in line for line in report.warnings)
