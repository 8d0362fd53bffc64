"""Gradients by torch, with the decisions that ONNX Runtime took imposed on it.

A rectifier's input within rounding of zero may be positive on one side and negative on the other; the gradients then
differ by far more than rounding, though neither is wrong. Here each kinked function of a torch network takes the piece
that ONNX Runtime took, which leaves rounding alone to compare.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
import torch
from torch import Tensor, nn
from torch.nn import functional

Array = np.ndarray[Any, Any]
Seen = Mapping[str, Sequence[Array]]
"""What ONNX Runtime computed at the kinks: for each operator, one array for each of its nodes, in their order."""


@dataclass(frozen=True)
class Kink:
    """A kinked function: its operator in ONNX, the tensor that tells the piece, and the function given that tensor."""

    operator: str
    reads_output: bool  # else the input; outputs leave the fusion of a convolution with its activation in place
    piece: Callable[[Any, Tensor, Tensor], Tensor]  # (module, x, seen) -> y


def _relu(_: nn.ReLU, x: Tensor, seen: Tensor) -> Tensor:
    return torch.where(seen > 0, x, 0 * x)


def _relu6(_: nn.ReLU6, x: Tensor, seen: Tensor) -> Tensor:
    return torch.where((seen > 0) & (seen < 6), x, seen)


def _leaky_relu(module: nn.LeakyReLU, x: Tensor, seen: Tensor) -> Tensor:
    return torch.where(seen > 0, x, module.negative_slope * x)


def _hardsigmoid(_: nn.Hardsigmoid, x: Tensor, seen: Tensor) -> Tensor:
    return torch.where((seen > 0) & (seen < 1), x / 6 + 0.5, seen)


def _hardswish(_: nn.Hardswish, x: Tensor, seen: Tensor) -> Tensor:
    return torch.where(seen >= 3, x, torch.where(seen > -3, x * (x + 3) / 6, 0 * x))


def _max_pool(module: nn.MaxPool2d, x: Tensor, seen: Tensor) -> Tensor:
    places = functional.max_pool2d(
        seen, module.kernel_size, module.stride, module.padding, module.dilation, module.ceil_mode, return_indices=True
    )[1]
    return x.flatten(2).gather(2, places.flatten(2)).view(places.shape)


def _adaptive_max_pool(_: nn.AdaptiveMaxPool2d, x: Tensor, seen: Tensor) -> Tensor:
    places = functional.adaptive_max_pool2d(seen, 1, return_indices=True)[1]
    return x.flatten(2).gather(2, places.flatten(2)).view(places.shape)


KINKS: dict[type[nn.Module], Kink] = {
    nn.ReLU: Kink("Relu", True, _relu),
    nn.ReLU6: Kink("Clip", True, _relu6),
    nn.LeakyReLU: Kink("LeakyRelu", True, _leaky_relu),
    nn.Hardsigmoid: Kink("HardSigmoid", True, _hardsigmoid),
    nn.Hardswish: Kink("HardSwish", False, _hardswish),
    nn.MaxPool2d: Kink("MaxPool", False, _max_pool),
    nn.AdaptiveMaxPool2d: Kink("ReduceMax", False, _adaptive_max_pool),  # to one cell
}
RECTIFIERS = (nn.ReLU, nn.ReLU6)
OTHER_KINKS = {"Abs", "GlobalMaxPool", "Max", "Min", "PRelu", "ReduceMin", "ThresholdedRelu"}


def kink_tensors(graph: onnx.GraphProto) -> dict[str, list[str]]:
    """The tensors of a forward graph that tell its decisions, by operator.

    Raises ValueError for a kinked operator that KINKS does not know.
    """
    if unknown := OTHER_KINKS.intersection(node.op_type for node in graph.node):
        raise ValueError(f"no decision can be imposed on {sorted(unknown)}: add them to KINKS")
    return {
        kink.operator: [
            (node.output if kink.reads_output else node.input)[0]
            for node in graph.node
            if node.op_type == kink.operator
        ]
        for kink in KINKS.values()
    }


@contextmanager
def imposed(network: nn.Module, seen: Seen, *, guided: bool = False) -> Iterator[None]:
    """Within, every kinked module of the network takes the pieces that were seen, in the order of the calls.

    With `guided`, rectifiers let positive gradients back only.

    Raises AssertionError where what was seen is another tensor than the one the network computes itself, or more of
    them: then calls and nodes have been mismatched.
    """
    left = {operator: iter(arrays) for operator, arrays in seen.items()}

    def take(module: nn.Module, inputs: tuple[Tensor], output: Tensor) -> Tensor:
        kink = KINKS[type(module)]
        given = torch.from_numpy(next(left[kink.operator]).astype(np.float64)).to(output.dtype)
        own = (output if kink.reads_output else inputs[0]).detach()
        assert given.shape == own.shape and (given - own).abs().max() <= 1e-4 * own.abs().max(), kink.operator
        result = kink.piece(module, inputs[0], given)
        if guided and isinstance(module, RECTIFIERS):
            result.register_hook(lambda arrived: arrived.clamp(min=0))
        return result

    hooks = [module.register_forward_hook(take) for module in network.modules() if type(module) in KINKS]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
    unused = {operator: sum(1 for _ in rest) for operator, rest in left.items()}
    assert not any(unused.values()), f"the network has fewer kinks than the graph: {unused}"


def observed(compiled: onnx.ModelProto, forward: onnx.ModelProto) -> onnx.ModelProto:
    """The compiled model with the tensors that tell the forward graph's decisions as outputs too."""
    model = onnx.ModelProto()
    model.CopyFrom(compiled)
    given = {value.name for value in (*model.graph.input, *model.graph.output)}
    wanted = {name for names in kink_tensors(forward.graph).values() for name in names}
    for name in sorted(wanted - given):
        model.graph.output.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
    return model


def torch_gradients(
    network: nn.Module, images: Array, seed: Array, *, of: int = 0, seen: Seen | None = None, guided: bool = False
) -> tuple[Array, Array]:
    """The gradients of <output `of`, seed> with respect to the images and to the network's last output.

    They come in the network's own precision; the network is one of the table's. Guided ones need what was seen.
    """
    kind = next(network.parameters()).dtype
    x = torch.from_numpy(images).to(kind).requires_grad_()
    if seen is None:
        outputs = network(x)
    else:
        with imposed(network, seen, guided=guided):
            outputs = network(x)
    product = (outputs[of] * torch.from_numpy(seed).to(kind)).sum()
    at_images, at_features = torch.autograd.grad(product, [x, outputs[-1]])
    return at_images.numpy(), at_features.numpy()
