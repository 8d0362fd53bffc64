"""Networks whose weights 16 bits hold: the same function to half precision, and every weight such a number."""

import pytest
import torch
from torch import nn

from sitegen.errors import ExportError
from sitegen.networks.registry import NETWORKS, make_network, read_network
from sitegen.networks.rounded_weights import with_rounded_weights

SMALL = ["densenet-tiny", "resnet", "efficientnet-lite0", "mobilenet-v3-small", "vit"]


def made(name: str) -> nn.Module:
    torch.manual_seed(1)
    network = make_network(
        read_network({"name": name, "labels": 3, "channels": 1} | ({"side": 64} if name == "vit" else {}))
    )
    with torch.no_grad():  # averages that a training leaves, which a new network has not
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean.normal_(0, 0.2)
                module.running_var.uniform_(0.5, 2)
                module.weight.uniform_(0.5, 1.5)
                module.bias.normal_(0, 0.2)
    return network.eval()


@pytest.mark.parametrize("name", SMALL)
def test_it_computes_what_it_did_to_half_precision(name: str) -> None:
    assert name in NETWORKS
    network = made(name)
    images = torch.rand(4, 1, 64, 64, generator=torch.Generator().manual_seed(2)) * 2 - 1
    half = with_rounded_weights(network, images, "half")
    with torch.inference_mode():
        before, after = network(images), half(images)
    # Every weight moves by a share of 2^-11 at most; each of some fifty layers may add as much.
    assert (after - before).abs().max() <= 50 * 2**-11 * before.abs().max().clamp(min=1)
    assert not torch.equal(after, before)
    for value in half.parameters():
        assert torch.equal(value, value.half().float())
    norms = [sum(isinstance(each, nn.BatchNorm2d) for each in net.modules()) for net in (network, half)]
    if name == "efficientnet-lite0":
        assert norms[0] > 40
        assert norms[1] == 0


def test_the_network_itself_stays_as_it_was() -> None:
    network = made("resnet")
    before = {key: value.clone() for key, value in network.state_dict().items()}
    with_rounded_weights(network, torch.zeros(1, 1, 32, 32), "half")
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())


def test_a_weight_that_is_too_large_is_named() -> None:
    network = made("densenet-tiny")
    with torch.no_grad():
        network.classifier.weight[0, 0] = 1e5  # type: ignore[operator]
    with pytest.raises(ExportError, match=r"'classifier\.weight' has values of up to 1e\+05, and 16 bits hold 65504"):
        with_rounded_weights(network, torch.zeros(1, 1, 32, 32), "half")


def test_a_fold_that_is_none_is_refused() -> None:
    class Odd(nn.Module):
        """A convolution and a normalisation that stand beside one another, and are applied the other way round."""

        def __init__(self) -> None:
            super().__init__()
            self.conv, self.norm = nn.Conv2d(1, 1, 1), nn.BatchNorm2d(1)
            self.norm.running_mean.fill_(3.0)
            self.norm.running_var.fill_(9.0)

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            result: torch.Tensor = self.conv(self.norm(images)).mean((2, 3))
            return result

    with pytest.raises(ExportError, match="Folding normalisations into convolutions moves outputs"):
        with_rounded_weights(Odd(), torch.rand(2, 1, 4, 4), "half")
