"""A trained network whose weights are numbers that 16 or 8 bits hold: what is packed with them is exactly this network.

Batch normalisation is first folded into the convolution before it, as the export does anyway: rounded before, the
folded weights would be rounded twice. Every figure, threshold and proof of a bundle is of the network that comes out.
"""

from copy import deepcopy
from itertools import pairwise
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from sitegen.errors import ExportError
from sitegen.graphs import byte_weights
from sitegen.graphs.weight_forms import Rounded

LARGEST = torch.finfo(torch.float16).max
TOLERANCE = 1e-3  # of outputs: folding rounds differently, and a wrong fold is off by far more
Network = TypeVar("Network", bound=nn.Module)


@torch.no_grad()
def with_rounded_weights(network: Network, images: Tensor, form: Rounded) -> Network:
    """Return a copy of a network, in evaluation, with normalisations folded and weights rounded.

    They are as float16 has them, or as `sitegen.graphs.byte_weights` says, and then vectors and small tensors stay.
    `images` float32 [N, C, side, side] prove the fold. Raises ExportError where a weight is too large for 16 bits, or
    where folding changes an output by more than TOLERANCE of the largest.
    """
    made = deepcopy(network).eval()
    for module in made.modules():
        _fold(module)
    apart = max(map(_apart, _outputs(made, images), _outputs(network.eval(), images)))
    if not apart <= TOLERANCE:
        raise ExportError(
            f"Folding normalisations into convolutions moves outputs by {apart:.2g} of the largest, and {TOLERANCE:g} "
            "is allowed. Export it with --weights float."
        )
    for name, value in made.named_parameters():
        if form == "half":
            _halve(value, name)
        else:
            _to_bytes(value, name)
    return made


def _outputs(network: nn.Module, images: Tensor) -> tuple[Tensor, ...]:
    given: Tensor | tuple[Tensor, ...] = network(images)
    return (given,) if isinstance(given, Tensor) else given


def _apart(made: Tensor, truth: Tensor) -> float:
    return float((made - truth).abs().max() / truth.abs().max().clamp(min=1))


def _fold(parent: nn.Module) -> None:
    """Fold each normalisation that follows a convolution directly, among the layers of one module."""
    children = list(parent.named_children())
    for (_, layer), (name, norm) in pairwise(children):
        if isinstance(layer, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
            mean, variance = norm.running_mean, norm.running_var
            if layer.out_channels != norm.num_features or mean is None or variance is None:
                continue
            layer.weight, layer.bias = fuse_conv_bn_weights(
                layer.weight, layer.bias, mean, variance, norm.eps, norm.weight, norm.bias
            )
            setattr(parent, name, nn.Identity())


def _halve(value: nn.Parameter, name: str) -> None:
    largest = float(value.abs().max()) if value.numel() else 0.0
    if not largest <= LARGEST:
        raise ExportError(
            f"The weight {name!r} has values of up to {largest:.3g}, and 16 bits hold {LARGEST:g} at most. Export "
            "it with --weights float, or int8."
        )
    value.copy_(value.to(torch.float16))


def _to_bytes(value: nn.Parameter, name: str) -> None:
    axis = byte_weights.first_axis(tuple(value.shape))
    if byte_weights.worth_it(tuple(value.shape), axis):
        value.copy_(torch.from_numpy(byte_weights.rounded(value.numpy(), axis, name)))
