"""Models in memory and ONNX files become bundles that give the same, and wrong calls are named for what they are."""

import copy
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from torch import nn

import sitegen
from sitegen import BundleError, ModelError, Predictor, SettingsError, import_network, import_onnx
from sitegen.data.tensors.cache import image_tensors
from sitegen.phantom import phantom
from tests.helpers.bundles import classifier
from tests.helpers.importing.fake_source import LABELS, SIDE, random_network
from tests.helpers.runtime.images import encode_png
from tests.helpers.sparing.exports import anew

IMAGE = {"side": SIDE, "colour": "grey", "range": (0, 1), "mean": (0.5,), "std": (0.25,), "fraction": 1}
CELLS = phantom(3, 96)
FILE = encode_png(CELLS[..., np.newaxis], 0, 8)


@pytest.fixture(scope="module")
def network() -> nn.Module:
    return random_network()


def logits_of(network: nn.Module, bundle: sitegen.Bundle) -> list[float]:
    tensor = image_tensors(FILE, {"image": bundle.model.graphs["classifier"].images[0]})["image"]
    with torch.no_grad():
        return [float(logit) for logit in network(torch.from_numpy(tensor.copy()))[0]]


def test_a_network_in_memory_gives_the_same_and_stays_as_it_is(
    network: nn.Module, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    anew(monkeypatch)
    given = copy.deepcopy(network).train()
    before = {name: value.clone() for name, value in given.state_dict().items()}
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # nothing was left to be assumed
        made = import_network(given, str(tmp_path / "chest"), labels=LABELS, image=IMAGE)
    assert given.training
    assert all(torch.equal(value, before[name]) for name, value in given.state_dict().items())
    result = Predictor(made).predict(CELLS)
    assert [finding.label for finding in result.findings] == list(LABELS)
    np.testing.assert_allclose(
        [finding.logit for finding in result.findings], logits_of(network, made), rtol=0, atol=1e-4
    )
    assert made.description.name == "chest"
    origin = made.description.provenance["import"]
    assert origin["source"] == "torch.nn.Module"
    assert origin["network"]["class"].endswith("fake_source.Small")
    assert made.description.provenance["proof"]["library"].startswith("PyTorch ")
    assert (tmp_path / "chest-import.html").is_file()
    assert Predictor(made).explain(CELLS, LABELS[0]).map.shape == (8, 8)


def test_the_weights_are_known_by_their_hash(network: nn.Module) -> None:
    from sitegen.importing.sources.torch_module import _weights

    other = copy.deepcopy(network)
    assert _weights(network) == _weights(other)
    with torch.no_grad():
        next(other.parameters()).view(-1)[0] += 1e-3
    assert _weights(network) != _weights(other)


def test_operating_points_titles_and_names(network: nn.Module, tmp_path: Path) -> None:
    made = import_network(
        network,
        tmp_path / "out",
        labels={"A": 0.25, "B": 0.5, "C": 0.5},
        image=IMAGE,
        settings={"name": "mine", "title": "Mine", "licence_weights": "MIT"},
        report=tmp_path / "reports" / "proof.html",
    )
    assert [label.operating_point for label in made.description.labels] == [0.25, 0.5, 0.5]
    assert (made.description.name, made.description.title) == ("mine", "Mine")
    assert made.description.licence.weights == "MIT"
    assert (tmp_path / "reports" / "proof.json").is_file()
    assert not (tmp_path / "mine-import.html").exists()
    with pytest.raises(BundleError, match="holds the bundle of another model"):
        import_network(network, tmp_path / "out", labels=LABELS, image=IMAGE)
    assert import_network(network, tmp_path / "out", labels=LABELS, image=IMAGE, replace=True).description.name == "out"


def test_what_was_assumed_is_warned_of(network: nn.Module, tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match=r"Taken was what is usual: .*mean 0") as seen:
        import_network(
            copy.deepcopy(network).double(), tmp_path / "out", labels=LABELS, image={"side": SIDE, "colour": "grey"}
        )
    assert all(warning.filename == __file__ for warning in seen if "usual" in str(warning.message))
    assert any("Weights of float64 were taken as float32" in str(warning.message) for warning in seen)


@pytest.mark.parametrize(
    ("arguments", "kind", "words"),
    [
        ({"module": 3}, TypeError, "A network is a torch.nn.Module, not int"),
        ({"module": {"weight": 1}}, TypeError, "not dict"),
        ({"out": 3}, TypeError, "A bundle's folder is a path"),
        ({"labels": "Effusion"}, TypeError, "Labels are a list of names"),
        ({"image": 224}, TypeError, "What the network sees is a mapping"),
        ({"labels": ["A"]}, SettingsError, "3 output"),
        ({"labels": []}, SettingsError, "does not say what its outputs mean"),
        ({"image": {"size": 224}}, SettingsError, "size"),
        ({"settings": {"tilte": "x"}}, SettingsError, "tilte"),
        ({"output": "scores"}, SettingsError, "output"),
        ({"image": {**IMAGE, "colour": "rgb", "mean": (0, 0, 0), "std": (1, 1, 1)}}, ModelError, "does not run"),
        ({"module": nn.Sequential(random_network(), nn.Hardtanh())}, SettingsError, "ends with"),
    ],
)
def test_wrong_calls(network: nn.Module, tmp_path: Path, arguments: Any, kind: type[Exception], words: str) -> None:
    given = {"module": network, "out": tmp_path / "out", "labels": LABELS, "image": IMAGE} | arguments
    with pytest.raises(kind, match=words):
        import_network(**given)
    assert list(tmp_path.iterdir()) == []


def test_weights_that_are_no_numbers(tmp_path: Path) -> None:
    broken = random_network()
    with torch.no_grad():
        next(broken.parameters()).view(-1)[:2] = torch.nan
    with pytest.raises(ModelError, match=r"Small: 2 of the 600 numbers of the weights 'first.weight' are NaN"):
        import_network(broken, tmp_path / "out", labels=LABELS, image=IMAGE)


def test_an_onnx_file(tmp_path: Path) -> None:
    file = tmp_path / "model.onnx"
    onnx.save(classifier(side=SIDE), str(file))
    made = import_onnx(str(file), tmp_path / "out", labels=LABELS, image={"range": (0, 1)}, output="logits")
    assert made.description.provenance["import"]["source"] == "ONNX"
    assert len(Predictor(made).predict(CELLS).findings) == 3
    with pytest.raises(SettingsError, match=r"image\.range"):
        import_onnx(file, tmp_path / "out", labels=LABELS, image={}, output="logits")
    with pytest.raises(TypeError, match="An ONNX model is a path"):
        import_onnx(b"model", tmp_path / "out", labels=LABELS, image=IMAGE)  # type: ignore[arg-type]
