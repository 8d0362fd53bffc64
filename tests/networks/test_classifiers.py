"""Every network that has a name: one contract, and the names and sizes that the literature gives."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import numpy_helper
from torch import nn
from torch.nn import functional

from sitegen.export.onnx_export import export_onnx
from sitegen.networks.classifier import Classifier, as_one_logit
from sitegen.networks.densenet import DenseNetSettings
from sitegen.networks.heads import LinearHeadSettings, PooledHeadSettings
from sitegen.networks.registry import NETWORKS, NetworkSettings, make_network, read_network
from sitegen.networks.resnet import ResNetSettings
from sitegen.networks.vit import TransformerSettings, sine_positions

SIDE = 64
SMALL: dict[str, NetworkSettings] = {
    "densenet": DenseNetSettings(growth=4, blocks=(2, 2, 2, 2), stem=8),
    "resnet-basic": ResNetSettings(stem=8, stages=(1, 2, 1, 1)),
    "resnet-bottleneck": ResNetSettings(block="bottleneck", stem=8),
    "resnet-group": ResNetSettings(stem=8, norm="group", groups=4),
    "vit": TransformerSettings(side=SIDE, width=24, depth=2),
}
HEADS: dict[str, Any] = {"linear": LinearHeadSettings(), "pooled": PooledHeadSettings(hidden=16)}
GRID = {"vit": SIDE // 16}


def made(name: str, head: str = "linear", channels: int = 1, labels: int = 3) -> Classifier:
    """A small network whose normalisation has seen images, in evaluation."""
    torch.manual_seed(0)
    network = make_network(replace(SMALL[name], head=HEADS[head], channels=channels, labels=labels))
    for _ in range(3):
        network(images(channels, 8))
    return network.eval()


def images(channels: int, count: int = 2) -> torch.Tensor:
    return torch.rand((count, channels, SIDE, SIDE), generator=torch.Generator().manual_seed(count)) * 2 - 1


def dense_names(blocks: tuple[int, ...]) -> Iterator[str]:
    """The weights' names of torchvision's DenseNets, in their order."""

    def normalisation(name: str) -> list[str]:
        return [f"{name}.{part}" for part in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")]

    yield "features.conv0.weight"
    yield from normalisation("features.norm0")
    for block, layers in enumerate(blocks, start=1):
        for layer in range(1, layers + 1):
            place = f"features.denseblock{block}.denselayer{layer}"
            for number in (1, 2):
                yield from normalisation(f"{place}.norm{number}")
                yield f"{place}.conv{number}.weight"
        if block < len(blocks):
            yield from normalisation(f"features.transition{block}.norm")
            yield f"features.transition{block}.conv.weight"
    yield from normalisation("features.norm5")
    yield from ("classifier.weight", "classifier.bias")


def dense_weights(growth: int, blocks: tuple[int, ...], width: int, channels: int, labels: int) -> int:
    """The number of weights, added up layer by layer."""
    total = channels * width * 49 + 2 * width
    for block, layers in enumerate(blocks, start=1):
        for _ in range(layers):
            total += 2 * width + width * 4 * growth + 2 * 4 * growth + 4 * growth * growth * 9
            width += growth
        if block < len(blocks):
            total += 2 * width + width * (width // 2)
            width //= 2
    return total + 2 * width + width * labels + labels


# The numbers of weights are those that torchvision publishes for its own (264 is the paper's alone).
@pytest.mark.parametrize(
    ("name", "blocks", "weights"),
    [
        ("densenet121", (6, 12, 24, 16), 7_978_856),
        ("densenet169", (6, 12, 32, 32), 14_149_480),
        ("densenet201", (6, 12, 48, 32), 20_013_928),
        ("densenet264", (6, 12, 64, 48), 33_337_704),
    ],
)
def test_densenets_have_torchvisions_names_and_sizes(
    name: str, blocks: tuple[int, int, int, int], weights: int
) -> None:
    with torch.device("meta"):
        network = make_network(read_network({"name": name, "labels": 1000}))
    assert list(network.state_dict()) == list(dense_names(blocks))
    assert sum(weight.numel() for weight in network.parameters()) == weights
    assert dense_weights(32, blocks, 64, 3, 1000) == weights


def test_shapes_of_densenet121_are_torchvisions() -> None:
    with torch.device("meta"):
        state = make_network(read_network({"name": "densenet121", "labels": 1000})).state_dict()
    shapes = {
        "features.conv0.weight": (64, 3, 7, 7),
        "features.denseblock1.denselayer1.norm1.weight": (64,),
        "features.denseblock1.denselayer1.conv1.weight": (128, 64, 1, 1),
        "features.denseblock1.denselayer1.conv2.weight": (32, 128, 3, 3),
        "features.denseblock3.denselayer24.conv1.weight": (128, 992, 1, 1),
        "features.transition3.conv.weight": (512, 1024, 1, 1),
        "features.norm5.running_var": (1024,),
        "classifier.weight": (1000, 1024),
        "classifier.bias": (1000,),
    }
    assert {name: tuple(state[name].shape) for name in shapes} == shapes


@pytest.mark.parametrize(
    ("name", "weights"), [("resnet18", 11_689_512), ("resnet34", 21_797_672), ("resnet50", 25_557_032)]
)
def test_resnets_have_torchvisions_sizes(name: str, weights: int) -> None:
    with torch.device("meta"):
        network = make_network(read_network({"name": name, "labels": 1000}))
    assert sum(weight.numel() for weight in network.parameters()) == weights


def test_resnets_have_torchvisions_names() -> None:
    with torch.device("meta"):
        state = make_network(read_network({"name": "resnet50", "labels": 1000})).state_dict()
    shapes = {
        "conv1.weight": (64, 3, 7, 7),
        "bn1.running_mean": (64,),
        "layer1.0.downsample.0.weight": (256, 64, 1, 1),
        "layer1.0.downsample.1.weight": (256,),
        "layer3.5.conv2.weight": (256, 256, 3, 3),
        "layer4.2.bn3.bias": (2048,),
        "fc.weight": (1000, 2048),
    }
    assert {name: tuple(state[name].shape) for name in shapes} == shapes
    assert len(state) == 320
    assert len(make_network(read_network({"name": "resnet18"})).state_dict()) == 122


def test_compact_networks_are_small_and_see_one_channel() -> None:
    sizes = {}
    for name in ("densenet", "densenet-compact", "densenet-tiny", "resnet", "vit"):
        assert NETWORKS[name].channels == 1
        sizes[name] = sum(weight.numel() for weight in make_network(NETWORKS[name]).parameters())
    assert sizes["densenet-compact"] == 404_318  # of the bundle that ships
    assert max(sizes.values()) < 1_000_000  # 4 MB


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("name", SMALL)
def test_a_classifier_is_its_head_over_its_feature_maps(name: str, head: str, channels: int) -> None:
    network = made(name, head, channels)
    maps = network.feature_maps(images(channels))
    logits = network(images(channels))
    side = GRID.get(name, SIDE // 32)
    assert maps.shape == (2, maps.shape[1], side, side)
    assert logits.shape == (2, 3)
    assert torch.equal(logits, network.head(maps))
    assert (logits[0] - logits[1]).abs().max() > 1e-4  # it looks at the image


@pytest.mark.parametrize("name", SMALL)
def test_a_linear_head_is_the_class_activation_map_averaged(name: str) -> None:
    network = made(name)
    maps, final = network.feature_maps(images(1)), network.head.final
    activation = torch.einsum("lk,nkhw->nlhw", final.weight, maps)
    assert torch.allclose(activation.mean((2, 3)) + final.bias, network(images(1)), atol=1e-5)


def test_the_pooled_head_is_the_papers() -> None:
    torch.manual_seed(3)
    network = make_network(replace(SMALL["resnet-basic"], head=PooledHeadSettings(hidden=5), labels=2))
    head, maps = network.head, torch.rand(4, 64, 3, 2) - 0.5
    # Max pooling first, as fast.ai's AdaptiveConcatPool2d has it.
    pools = [functional.adaptive_max_pool2d(maps, 1), functional.adaptive_avg_pool2d(maps, 1)]
    layers: list[Any] = [head.norm1, nn.Identity(), head.linear1, nn.ReLU(), head.norm2, nn.Identity(), head.linear2]
    head.eval()
    expected = nn.Sequential(nn.Flatten(), *layers)(torch.cat(pools, 1))
    assert torch.allclose(head(maps), expected, atol=1e-6)
    assert (head.norm1.num_features, head.linear1.in_features, head.linear1.out_features) == (128, 128, 5)
    assert (head.norm2.num_features, head.linear2.out_features) == (5, 2)
    assert (head.dropout1.p, head.dropout2.p) == (0.25, 0.5)
    head.train()
    assert not torch.equal(head(maps), head(maps))  # dropout


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("name", SMALL)
def test_body_and_head_share_out_all_parameters(name: str, head: str) -> None:
    network = made(name, head)
    body, top = network.body_parameters(), list(network.head.parameters())
    assert len(body) + len(top) == len(list(network.parameters()))
    assert {id(each) for each in body}.isdisjoint(id(each) for each in top)
    assert len(top) == {"linear": 2, "pooled": 8}[head]


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("name", SMALL)
def test_onnx_runtime_gives_logits_and_feature_maps_as_torch_does(tmp_path: Path, name: str, head: str) -> None:
    network = made(name, head)
    export_onnx(network, (1, 1, SIDE, SIDE), "logits", tmp_path / "net.onnx")
    model = onnx.load(str(tmp_path / "net.onnx"))
    assert model.opset_import[0].version == 18
    # The feature maps are what the graph averages over both of an image's axes.
    constants = {each.name: numpy_helper.to_array(each).tolist() for each in model.graph.initializer}
    averages = [node for node in model.graph.node if node.op_type == "ReduceMean"]
    features = [node.input[0] for node in averages if constants[node.input[1]] in ([2, 3], [-2, -1])][-1]
    model.graph.output.append(onnx.ValueInfoProto(name=features))
    session = onnxruntime.InferenceSession(model.SerializeToString())
    image = images(1)[:1]
    logits, maps = session.run(["logits", features], {"image": image.numpy()})
    with torch.inference_mode():
        assert np.abs(logits - network(image).numpy()).max() < 1e-5
        assert np.abs(maps - network.feature_maps(image).numpy()).max() < 1e-4


@pytest.mark.parametrize("name", SMALL)
def test_every_weight_takes_part_in_the_loss(name: str) -> None:
    network = made(name, "pooled").train()
    network(images(1, 4)).square().sum().backward()
    assert [key for key, weight in network.named_parameters() if weight.grad is None] == []


def test_group_normalisation_knows_nothing_of_the_batch() -> None:
    alone, together = made("resnet-group").train(), made("resnet-group").train()
    assert torch.allclose(alone(images(1)[:1]), together(images(1))[:1], atol=1e-5)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in alone.modules())


def test_positions_are_waves_over_columns_and_rows() -> None:
    positions = sine_positions(3, 8)
    assert positions.shape == (9, 8)
    assert positions[0].tolist() == [0, 0, 1, 1, 0, 0, 1, 1]
    # The second patch lies one column to the right, the fourth one row below; the slow wave has a period of 2 pi 10^4.
    slow = [np.sin(1e-4), np.cos(1e-4)]
    wave = [np.sin(1), slow[0], np.cos(1), slow[1]]
    assert positions[1].tolist() == pytest.approx([*wave, 0, 0, 1, 1], abs=1e-7)
    assert positions[3].tolist() == pytest.approx([0, 0, 1, 1, *wave], abs=1e-7)


def test_a_transformer_sees_where_a_patch_lies() -> None:
    network = made("vit")
    corner, opposite = torch.zeros(1, 1, SIDE, SIDE), torch.zeros(1, 1, SIDE, SIDE)
    corner[..., :16, :16], opposite[..., 48:, 48:] = 1, 1
    assert (network(corner) - network(opposite)).abs().max() > 1e-5


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("name", SMALL)
def test_one_logit_says_what_the_softmax_of_two_says(name: str, head: str) -> None:
    network = made(name, head, labels=2).double()
    single = as_one_logit(network)
    pictures = images(1).double()
    pairs = network(pictures)
    assert single(pictures).shape == (2, 1)
    assert torch.allclose(single(pictures).sigmoid()[:, 0], pairs.softmax(1)[:, 1], rtol=0, atol=1e-12)
    assert single.head.final.out_features == 1
    assert pairs.shape == network(pictures).shape  # the first network is as it was


def test_a_difference_needs_two_logits() -> None:
    with pytest.raises(ValueError, match="there are 3"):
        as_one_logit(made("densenet"))
