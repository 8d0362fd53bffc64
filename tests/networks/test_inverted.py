"""Networks of inverted residuals: published sizes, and what their parts compute."""

import pytest
import torch
from torch.nn import functional

from sitegen.networks.inverted import InvertedNetwork, InvertedSettings, SameConvolution, StageSettings
from sitegen.networks.registry import NETWORKS, make_network, read_network

# Of 1,000 labels, as published; MobileNetV3 without the two last layers, 2,511,080 and 1,615,848 of 5,483,032 and
# 2,542,856, and with one linear layer in their place.
PARAMETERS = {
    "efficientnet-lite0": 4_652_008,
    "mobilenet-v2": 3_504_872,
    "mobilenet-v3-large": 5_483_032 - 2_511_080 + 961_000,
    "mobilenet-v3-small": 2_542_856 - 1_615_848 + 577_000,
}
SMALL = InvertedSettings(
    (StageSettings(3, 1, 4, (8,)), StageSettings(5, 2, 6, (16, 24), squeeze=True, activation="hard-swish")),
    stem=8,
    last=12,
)


@pytest.mark.parametrize("name", PARAMETERS)
def test_published_sizes(name: str) -> None:
    network = make_network(read_network({"name": name, "labels": 1000}))
    assert sum(weight.numel() for weight in network.parameters()) == PARAMETERS[name]
    maps = network.eval().feature_maps(torch.zeros(1, 3, 64, 64))
    settings = NETWORKS[name]
    assert isinstance(settings, InvertedSettings)
    assert maps.shape == (1, settings.last, 2, 2)


def test_a_block_without_widening_has_no_first_convolution() -> None:
    names = {name for name, _ in InvertedNetwork(SMALL).named_parameters()}
    assert "blocks.0.0.conv_pw.weight" in names
    assert "blocks.0.0.conv_pwl.weight" not in names
    assert {"blocks.1.0.conv_pw.weight", "blocks.1.0.se.conv_reduce.weight", "blocks.1.0.conv_pwl.weight"} <= names


def test_a_shortcut_adds_what_came_in() -> None:
    block = InvertedNetwork(SMALL).eval().get_submodule("blocks.1.1")
    torch.nn.init.zeros_(block.get_submodule("conv_pwl").weight)  # type: ignore[arg-type]
    maps = torch.rand(2, 6, 5, 5)
    assert torch.equal(block(maps), maps)


def test_skipped_blocks_keep_their_mean() -> None:
    torch.manual_seed(0)
    block = InvertedNetwork(SMALL).get_submodule("blocks.1.1")
    block.drop = 0.25  # type: ignore[assignment]
    maps = torch.rand(4000, 6, 2, 2)
    block.eval()
    whole = block(maps) - maps
    block.train()
    for norm in (part for part in block.modules() if isinstance(part, torch.nn.BatchNorm2d)):
        norm.eval()
    kept = block(maps) - maps
    skipped = (kept == 0).flatten(1).all(1)
    # A share of 4,000 independent draws: five standard errors.
    assert abs(float(skipped.double().mean()) - 0.25) < 5 * (0.25 * 0.75 / 4000) ** 0.5
    torch.testing.assert_close(kept[~skipped], whole[~skipped] / 0.75)


@pytest.mark.parametrize("kernel", [3, 5])
def test_padding_is_tensorflows(kernel: int) -> None:
    convolution = SameConvolution(1, 1, kernel, 2, bias=False)
    image = torch.rand(1, 1, 8, 8)
    # TensorFlow pads (ceil(n / s) - 1) s + k - n in all, the odd cell at the end.
    total = (4 - 1) * 2 + kernel - 8
    padded = functional.pad(image, (total // 2, total - total // 2, total // 2, total - total // 2))
    expected = functional.conv2d(padded, convolution.weight, stride=2)
    assert expected.shape == (1, 1, 4, 4)
    torch.testing.assert_close(convolution(image), expected)


def test_squeeze_weighs_channels() -> None:
    squeeze = InvertedNetwork(SMALL).get_submodule("blocks.1.0.se")
    assert squeeze.get_submodule("conv_reduce").out_channels == 8  # a quarter of 16, and at least 8
    torch.nn.init.zeros_(squeeze.get_submodule("conv_expand").weight)  # type: ignore[arg-type]
    torch.nn.init.constant_(squeeze.get_submodule("conv_expand").bias, 1.5)  # type: ignore[arg-type]
    maps = torch.rand(1, 16, 3, 3)
    torch.testing.assert_close(squeeze(maps), maps * (1.5 / 6 + 0.5))
