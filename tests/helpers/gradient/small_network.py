"""A network of five nodes, and what torch makes of it."""

from functools import partial
from typing import Any

import onnx
import torch
from onnx import helper

from tests.helpers.gradient.proof import model_of, values
from tests.helpers.rounding import Array, allowed, assert_close

WEIGHTS = {"kernel": values(3, 2, 3, 3, seed=1), "linear": values(3, 4, seed=2)}
IMAGE = values(1, 2, 6, 6, seed=3)
SEED = values(1, 4, seed=4)


def network(*, opset: int = 18, dynamic: bool = False) -> onnx.ModelProto:
    """image -> Conv -> Relu (map) -> mean over the image (pooled) -> MatMul (logits); also gives `pooled`."""
    nodes = [
        helper.make_node("Conv", ["image", "kernel"], ["convolved"], name="first", pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["convolved"], ["map"], name="second"),
        helper.make_node("GlobalAveragePool", ["map"], ["averaged"], name="third"),
        helper.make_node("Flatten", ["averaged"], ["pooled"], name="fourth"),
        helper.make_node("MatMul", ["pooled", "linear"], ["logits"], name="fifth"),
    ]
    return model_of(nodes, {"image": IMAGE}, WEIGHTS, ["logits", "pooled"], opset=opset, dynamic=dynamic)


def by_torch(seed: Any = SEED, of: str = "logits") -> dict[str, Array]:
    """Values and gradients of all tensors of `network`, in double precision."""
    names = {"image": IMAGE, **WEIGHTS}
    tensors = {name: torch.tensor(array, dtype=torch.float64, requires_grad=True) for name, array in names.items()}
    tensors["map"] = torch.relu(torch.conv2d(tensors["image"], tensors["kernel"], padding=1))
    tensors["pooled"] = tensors["map"].mean(dim=(2, 3))
    tensors["logits"] = tensors["pooled"] @ tensors["linear"]
    total = (tensors[of] * torch.tensor(seed, dtype=torch.float64)).sum()
    wanted = [name for name in tensors if name not in (of, "logits")]
    parts = torch.autograd.grad(total, [tensors[name] for name in wanted], allow_unused=True)
    found = {f"grad_{name}": part.numpy() for name, part in zip(wanted, parts, strict=True) if part is not None}
    return {name: tensor.detach().numpy() for name, tensor in tensors.items()} | found


def assert_as_by_torch(found: Array, name: str, seed: Array = SEED, of: str = "logits") -> None:
    """What ONNX Runtime found for a tensor, or for its gradient, is torch's, to what rounding explains."""
    reference = partial(by_torch, seed, of)
    exact = reference()
    bounds = dict(zip(exact, allowed(lambda: list(reference().values()), list(exact.values())), strict=True))
    assert_close(found, exact[name], bounds[name], name)
