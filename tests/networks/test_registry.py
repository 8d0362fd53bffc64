import json
from typing import Any

import pytest
import torch
from torch import nn

from sitegen.errors import SettingsError
from sitegen.networks.densenet import DenseNet, DenseNetSettings
from sitegen.networks.heads import LinearHeadSettings, PooledHeadSettings
from sitegen.networks.registry import NETWORKS, make_network, network_document, read_network
from sitegen.networks.resnet import ResNet, ResNetSettings
from sitegen.networks.vit import TransformerSettings, VisionTransformer


def test_a_name_stands_for_settings_and_keys_change_them() -> None:
    assert read_network({"name": "densenet121"}) == DenseNetSettings(32, (6, 12, 24, 16), 64, 4, 0.5, 3, 1)
    changed = read_network({"name": "resnet18", "channels": 1, "labels": 14, "head": {"kind": "pooled", "hidden": 64}})
    assert changed == ResNetSettings(
        "basic", (2, 2, 2, 2), 64, channels=1, labels=14, head=PooledHeadSettings(hidden=64)
    )
    assert read_network({"name": "vit", "head": {"kind": "linear"}}).head == LinearHeadSettings()


@pytest.mark.parametrize(
    ("name", "kind"), [("densenet-tiny", DenseNet), ("resnet", ResNet), ("vit", VisionTransformer)]
)
def test_settings_decide_what_is_made(name: str, kind: type[nn.Module]) -> None:
    assert isinstance(make_network(read_network({"name": name})), kind)


@pytest.mark.parametrize("name", NETWORKS)
def test_settings_survive_a_file(name: str) -> None:
    document = json.loads(json.dumps(network_document(NETWORKS[name])))
    assert document["name"] in ("densenet", "resnet", "inverted", "vit")
    assert read_network(document) == NETWORKS[name]


def test_weights_fit_a_network_made_from_the_document() -> None:
    settings = TransformerSettings(side=32, width=12, depth=1, labels=2, head=PooledHeadSettings(hidden=4))
    network = make_network(settings)
    again = make_network(read_network(network_document(settings)))
    again.load_state_dict(network.state_dict())
    image = torch.rand(1, 1, 32, 32)
    assert torch.equal(network.eval()(image), again.eval()(image))


@pytest.mark.parametrize(
    ("document", "messages"),
    [
        ({"name": "resnet19"}, ["no network 'resnet19'", "resnet18"]),
        ({"labels": 3}, ["no network None"]),
        ({"name": "vit", "widht": 12, "depth": 0}, ["widht", "depth", "greater than or equal to 1"]),
        ({"name": "densenet", "blocks": [6, "many"]}, ["blocks.1"]),
        ({"name": "densenet", "compression": 1.5}, ["compression"]),
        ({"name": "resnet", "head": {"kind": "pool"}}, ["head", "'linear', 'pooled'"]),
        ({"name": "resnet", "head": {"kind": "linear", "hidden": 3}}, ["head.linear.hidden"]),
        ({"name": "vit", "side": 225}, ["225", "multiple of its patch (16)"]),
    ],
)
def test_what_does_not_fit_is_named(document: dict[str, Any], messages: list[str]) -> None:
    with pytest.raises(SettingsError) as caught:
        read_network(document)
    for message in messages:
        assert message in str(caught.value)
