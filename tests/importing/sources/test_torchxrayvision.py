"""Weights with TorchXRayVision's names: blanks among the labels, operating points, its range, its preparation."""

import io
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray
from PIL import Image

from sitegen.errors import ModelError, SettingsError
from sitegen.importing.settings import ImportSettings
from sitegen.importing.sources.torchxrayvision import LABELS, RANGE, import_torchxrayvision
from sitegen.networks.densenet import DenseNetSettings
from sitegen.networks.registry import make_network, read_network
from sitegen.phantom import phantom
from sitegen_runtime.bundle.model import Calibration, Label
from sitegen_runtime.calibration import calibrate
from tests.helpers.importing.checkpoints import (
    SIDE,
    SMALL,
    Small,
    apart,
    dense_logits,
    dense_weights,
    graph_logits,
    installed,
    noise,
    randomised,
    sigmoid,
)

TRUE = DenseNetSettings(growth=32, blocks=(6, 12, 24, 16), stem=64, channels=1, labels=18)
LITTLE = replace(SMALL, labels=18)
SETTINGS = ImportSettings(image={"side": SIDE})
BLANK = (2, 5, 9, 17)
POINTS = [float("nan") if place in BLANK else 0.02 + 0.05 * place for place in range(18)]
KEPT = [place for place in range(18) if place not in BLANK]


def names_with_blanks() -> list[str]:
    return ["" if place in BLANK else name for place, name in enumerate(LABELS)]


def shown(probabilities: NDArray[np.float64], points: Sequence[float] | NDArray[np.float64]) -> NDArray[np.float64]:
    """What the library shows, written out: the operating point becomes 0.5."""
    below = probabilities / (2 * np.asarray(points))
    above = 1 - (1 - probabilities) / (2 * (1 - np.asarray(points)))
    return np.where(probabilities < points, below, above)


def test_a_densenet121_with_its_names_gives_its_logits_and_what_it_shows(tmp_path: Path) -> None:
    weights = dense_weights(TRUE, RANGE[1])
    torch.save({**weights, "op_threshs": torch.tensor(POINTS)}, tmp_path / "weights.pt")
    model = import_torchxrayvision(tmp_path / "weights.pt", ImportSettings())
    assert (model.image.shape, model.image.range) == ((1, 1, 224, 224), (-1024.0, 1024.0))
    assert (model.image.mean, model.image.std, model.image.fraction) == ((0.0,), (1.0,), 1.0)
    images = noise(model)
    expected = dense_logits(weights, images)[:, KEPT]
    assert model.original is not None
    made = model.original.logits(images)
    assert apart(made, expected) <= 1e-5
    labels = [Label(label.name, label.operating_point, Calibration("piecewise-linear")) for label in model.labels]
    calibrated: Any = [[calibrate(z, p, label) for z, p, label in zip(*row, labels, strict=True)] for row in both(made)]
    points = np.asarray(torch.tensor(POINTS))[KEPT]  # as the library keeps them, in float32
    assert_allclose(calibrated, shown(sigmoid(expected), points.astype(np.float64)), atol=1e-5)


def both(logits: NDArray[np.float64]) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    return list(zip(logits, sigmoid(logits), strict=True))


def test_blank_labels_go_with_their_outputs(tmp_path: Path) -> None:
    weights = dense_weights(LITTLE, RANGE[1])
    document = {"state_dict": weights, "pathologies": names_with_blanks()}
    torch.save(document, tmp_path / "weights.pt")
    model = import_torchxrayvision(tmp_path / "weights.pt", SETTINGS)
    assert [label.name for label in model.labels] == [LABELS[place] for place in KEPT]
    images = noise(model)
    made = graph_logits(model, tmp_path / "bundle", images)
    assert made.shape == (2, 14)
    assert apart(made, dense_logits(weights, images)[:, KEPT]) <= 1e-5
    assert "4 of 18 outputs were left out, because the model was not trained for them: (blank), (blank)" in " ".join(
        model.remarks
    )
    assert any(remark.startswith("The file has no operating points") for remark in model.remarks)


def test_labels_without_an_operating_point_go_too(tmp_path: Path) -> None:
    torch.save({**dense_weights(LITTLE, RANGE[1]), "op_threshs": torch.tensor(POINTS)}, tmp_path / "weights.pt")
    model = import_torchxrayvision(tmp_path / "weights.pt", SETTINGS)
    assert [label.name for label in model.labels] == [LABELS[place] for place in KEPT]
    assert_allclose([label.operating_point for label in model.labels], np.asarray(POINTS)[KEPT], atol=1e-7)
    assert {label.calibration.method for label in model.labels if label.calibration} == {"piecewise-linear"}
    assert "Infiltration, Emphysema, Pleural_Thickening, Enlarged Cardiomediastinum" in model.remarks[0]


def test_a_resnet50_is_known_by_its_names(tmp_path: Path) -> None:
    network = randomised(make_network(read_network({"name": "resnet50", "channels": 1, "labels": 18})))
    torch.save(network.state_dict(), tmp_path / "resnet.pt")
    model = import_torchxrayvision(tmp_path / "resnet.pt", ImportSettings())
    assert model.image.shape == (1, 1, 512, 512)
    images = noise(model, 1)
    assert model.original is not None
    with torch.inference_mode():
        assert_allclose(model.original.logits(images), network(torch.from_numpy(images)).numpy(), rtol=1e-6)


def test_its_preparation_is_the_librarys(tmp_path: Path) -> None:
    torch.save(dense_weights(LITTLE, RANGE[1]), tmp_path / "weights.pt")
    preparation = import_torchxrayvision(tmp_path / "weights.pt", ImportSettings(image={"side": 100})).preparation
    assert preparation is not None
    plane = phantom(1, 240)[:201]  # 201 x 240: columns 20 to 220 are the middle
    made = preparation.tensor(png(plane))
    assert made.shape == (1, 100, 100)
    assert made.dtype == np.float32
    flat = preparation.tensor(png(np.full((150, 130), 51, np.uint8)))
    assert_allclose(flat, (2 * 51 / 255 - 1) * 1024, atol=1e-3)
    # Linear interpolation after a filter keeps means: those of the square's quarters to within a share of the range.
    square = plane[:, 20:221].astype(np.float64)
    for rows, columns in ((slice(0, 50), slice(0, 50)), (slice(50, 100), slice(50, 100))):
        part = square[slice(rows.start * 2, rows.stop * 2 + 1), slice(columns.start * 2, columns.stop * 2 + 1)]
        assert abs(made[0, rows, columns].mean() - (2 * part.mean() / 255 - 1) * 1024) < 20
    # Of a colour image the first channel counts, and only that.
    colours = np.stack([plane, np.zeros_like(plane), np.full_like(plane, 255)], 2)
    assert_array_equal(preparation.tensor(png(colours)), made)


def test_sixteen_bits_are_refused_as_the_library_does(tmp_path: Path) -> None:
    torch.save(dense_weights(LITTLE, RANGE[1]), tmp_path / "weights.pt")
    preparation = import_torchxrayvision(tmp_path / "weights.pt", SETTINGS).preparation
    assert preparation is not None
    with pytest.raises(ValueError, match="up to 255, and there is 9999"):
        preparation.tensor(png(np.full((90, 90), 9999, np.uint16)))


def png(pixels: NDArray[np.uint8] | NDArray[np.uint16]) -> bytes:
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "PNG")
    return content.getvalue()


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A module of the package's name, so that networks can be pickled as those that it publishes are."""
    module = ModuleType("torchxrayvision.models")
    network = type("DenseNet", (type(make_network(LITTLE)),), {"__module__": module.__name__})
    module.DenseNet = network  # type: ignore[attr-defined]
    parent = ModuleType("torchxrayvision")
    parent.models = module  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torchxrayvision", parent)
    monkeypatch.setitem(sys.modules, "torchxrayvision.models", module)
    return module


@pytest.mark.parametrize("archive", [True, False], ids=["archive", "before 2020"])
def test_a_pickled_network_is_read_as_data(
    tmp_path: Path, package: ModuleType, monkeypatch: pytest.MonkeyPatch, archive: bool
) -> None:
    network = package.DenseNet(LITTLE)
    weights = dense_weights(LITTLE, RANGE[1])
    network.load_state_dict(weights)
    network.pathologies = names_with_blanks()
    save_without_foreign_classes(network, tmp_path / "whole.pt", archive)
    # The package is not there when the file is read, and its classes are never asked for.
    monkeypatch.delitem(sys.modules, "torchxrayvision.models")
    monkeypatch.delitem(sys.modules, "torchxrayvision")
    model = import_torchxrayvision(tmp_path / "whole.pt", SETTINGS)
    assert [label.name for label in model.labels] == [LABELS[place] for place in KEPT]
    images = noise(model)
    assert model.original is not None
    assert apart(model.original.logits(images), dense_logits(weights, images)[:, KEPT]) <= 1e-5
    assert "The weights were taken from a pickled network, as data." in model.remarks


def save_without_foreign_classes(network: torch.nn.Module, file: Path, archive: bool) -> None:
    """Pickle a network of sitegen's as if its parts were the package's: their modules get its name meanwhile."""
    own = {type(part) for part in network.modules() if type(part).__module__.startswith("sitegen.")}
    models = sys.modules["torchxrayvision.models"]
    before = {kind: kind.__module__ for kind in own}
    try:
        for kind in own:
            kind.__module__ = models.__name__
            setattr(models, kind.__name__, kind)
        torch.save(network, file, _use_new_zipfile_serialization=archive)
    finally:
        for kind, module in before.items():
            kind.__module__ = module


@pytest.mark.parametrize("archive", [True, False], ids=["archive", "before 2020"])
def test_code_in_a_pickled_network_is_refused_and_not_run(tmp_path: Path, package: ModuleType, archive: bool) -> None:
    network = package.DenseNet(LITTLE)
    network.pathologies = Command(f"touch {tmp_path / 'was-run'}")
    save_without_foreign_classes(network, tmp_path / "whole.pt", archive)
    with pytest.raises(ModelError, match=rf"asks for {os.name}\.system, which is not data; it was not run"):
        import_torchxrayvision(tmp_path / "whole.pt", SETTINGS)
    assert not (tmp_path / "was-run").exists()


class Command:
    """What a hostile pickle holds: as it is unpickled, a command runs."""

    def __init__(self, line: str) -> None:
        self.line = line

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (self.line,)


def test_another_network_says_how_to_import_it(tmp_path: Path) -> None:
    torch.save(Small().state_dict(), tmp_path / "other.pt")
    with pytest.raises(ModelError, match=r"has not the weights of a DenseNet.*sitegen import torch"):
        import_torchxrayvision(tmp_path / "other.pt", SETTINGS)


def test_labels_of_another_number_are_refused(tmp_path: Path) -> None:
    torch.save({"state_dict": dense_weights(LITTLE, RANGE[1]), "pathologies": ["Mass"]}, tmp_path / "weights.pt")
    with pytest.raises(ModelError, match="18 outputs, 1 labels"):
        import_torchxrayvision(tmp_path / "weights.pt", SETTINGS)


def test_a_name_without_the_package_or_its_file_fetches_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(SettingsError, match=r"needs the package|not on this machine.*fetches nothing"):
        import_torchxrayvision("densenet121-res224-rsna", SETTINGS)
    assert list(tmp_path.iterdir()) == []


def test_the_package_itself_gives_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library = installed("torchxrayvision.models")
    monkeypatch.setenv("HOME", str(tmp_path))
    network = library.DenseNet(growth_rate=4, block_config=(2, 2, 2, 2), num_init_features=8)
    network.load_state_dict(dense_weights(LITTLE, RANGE[1]))
    network.eval()
    published = library.model_urls["densenet121-res224-rsna"]
    file = tmp_path / ".torchxrayvision" / "models_data" / Path(published["weights_url"]).name
    file.parent.mkdir(parents=True)
    torch.save(network, file, _use_new_zipfile_serialization=False)
    model = import_torchxrayvision("densenet121-res224-rsna", ImportSettings())
    assert [label.name for label in model.labels] == ["Pneumonia", "Lung Opacity"]
    assert model.name == "densenet121-res224-rsna"
    images = noise(model)
    assert model.original is not None
    made = model.original.logits(images)
    network.op_threshs = torch.tensor(published["op_threshs"])
    with torch.inference_mode():
        expected = network(torch.from_numpy(images))[:, [8, 16]].numpy()
    points = [label.operating_point for label in model.labels]
    assert_allclose(shown(sigmoid(made), points), expected, atol=1e-5)
