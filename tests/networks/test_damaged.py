"""Files of trained networks in which bytes were changed end in an error that names them, or are read."""

import random
from pathlib import Path

import pytest
import torch

from sitegen.errors import CheckpointError
from sitegen.networks.registry import make_network, network_document, read_network
from sitegen.networks.trained import TrainedClassifier, load_trained, read_checkpoint, save_trained, write_checkpoint
from sitegen.settings.recipe import ImageSettings, network_input

SETTINGS = {"name": "densenet121", "growth": 4, "blocks": [1, 1], "stem": 4, "labels": 2, "channels": 1}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    settings = read_network(SETTINGS)
    path = tmp_path_factory.mktemp("trained") / "whole.pt"
    image = network_input(ImageSettings(side=32))
    made_by = {"recipe": {"a": [1, 2.5, None]}}
    save_trained(
        TrainedClassifier(make_network(settings).eval(), network_document(settings), "AB", image, made_by), path
    )
    return path


@pytest.mark.filterwarnings("ignore")
def test_changed_bytes_end_in_one_kind_of_error(whole: Path, tmp_path: Path) -> None:
    content, path, chance = whole.read_bytes(), tmp_path / "changed.pt", random.Random(25)
    begin = content.index(b"schema") - 8  # the pickle, in which a byte means most
    refused = 0
    for _ in range(150):
        changed = bytearray(content)
        for _ in range(chance.randint(1, 3)):
            changed[begin + chance.randrange(1500)] = chance.randrange(256)
        path.write_bytes(changed)
        try:
            load_trained(path)
        except CheckpointError as error:
            assert str(path) in str(error)
            refused += 1
    assert refused > 50


@pytest.mark.parametrize(
    "changes",
    [
        {"network": None},
        {"network": {"name": "densenet121", "growth": "x"}},
        {"labels": 3},
        {"image": {"side": 3}},
        {"image": ()},
        {"made_by": 0},
        {"weights": None},
        {"weights": {"a": 1}},
        {"weights": {1: torch.zeros(1)}},
    ],
)
def test_parts_of_other_types(whole: Path, tmp_path: Path, changes: dict[str, object]) -> None:
    path = tmp_path / "changed.pt"
    write_checkpoint({**read_checkpoint(whole), **changes}, path)
    with pytest.raises(CheckpointError, match=r"changed\.pt"):
        load_trained(path)


@pytest.mark.parametrize("missing", ["network", "labels", "image", "made_by", "weights"])
def test_missing_parts(whole: Path, tmp_path: Path, missing: str) -> None:
    path = tmp_path / "changed.pt"
    document = read_checkpoint(whole)
    del document[missing]
    write_checkpoint(document, path)
    with pytest.raises(CheckpointError, match=rf"KeyError: '{missing}'"):
        load_trained(path)
