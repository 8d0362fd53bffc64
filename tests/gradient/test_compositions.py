"""Random graphs of operators from the table have the gradients that torch gives them."""

import random
from functools import partial
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import helper
from torch.nn import functional

from sitegen import gradient
from sitegen.gradient.rules import RULES
from tests.helpers.gradient.composition_parts import compose
from tests.helpers.gradient.compositions import Composition
from tests.helpers.gradient.proof import model_of, prove, run, values
from tests.helpers.rounding import allowed, assert_close

DRAWN = """
    Abs Add AveragePool BatchNormalization Clip Concat Conv ConvTranspose Cos DepthToSpace Div Elu Erf Exp Expand Gather
    Gelu GlobalAveragePool GroupNormalization HardSwish InstanceNormalization LayerNormalization LeakyRelu Log
    LogSoftmax
    MatMul Max MaxPool Min Mish Mul Neg Pad Pow Reciprocal ReduceL2 ReduceLogSumExp ReduceMax ReduceMean ReduceSum Relu
    Reshape Resize Selu Sigmoid Sin Slice Softmax Softplus Softsign SpaceToDepth Split Sqrt Squeeze Sub Tanh Tile
    Transpose Unsqueeze Where
"""


@st.composite
def compositions(draw: Any) -> Composition:
    return compose(
        batch=draw(st.sampled_from([1, 3])),
        seed=draw(st.integers(0, 2**32 - 1)),
        count=draw(st.integers(3, 10)),
        choose=lambda options: draw(st.sampled_from(list(options))),
    )


def _by_torch(composition: Composition, y: str, seed: np.ndarray, names: list[str]) -> list[np.ndarray]:
    """The output, and its gradients with respect to tensors."""
    known = composition.evaluate(composition.values["x"].clone().requires_grad_())
    found = torch.autograd.grad(known[y], [known[name] for name in names], torch.tensor(seed).double())
    return [known[y].detach().numpy(), *(part.numpy() for part in found)]


@given(compositions(), st.booleans(), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
def test_gradients_of_compositions(composition: Composition, dynamic: bool, rng: random.Random) -> None:
    model, y = composition.model(dynamic=dynamic)
    names = ["x", rng.choice(composition.tensors[1:])]
    compiled = gradient.compile(model, wrt="x", also=names[1:])
    onnx.checker.check_model(compiled, full_check=True)
    seed = np.random.default_rng(0).standard_normal(composition.shape(y)).astype(np.float32)
    found = run(compiled, {**composition.feeds(), "seed": seed})
    exact = _by_torch(composition, y, seed, names)
    bounds = allowed(partial(_by_torch, composition, y, seed, names), exact)
    for name, truth, bound in zip([y, *map(gradient.gradient_name, names)], exact, bounds, strict=True):
        assert_close(found[name], truth, bound, name)


def test_every_operator_of_the_pool_is_drawn_and_in_the_table() -> None:
    drawn: set[str] = set()
    for seed in range(150):
        composition = compose(1, seed, 8, random.Random(seed).choice)
        drawn |= {node.op_type for node in composition.nodes}
    assert sorted(drawn | {"Concat", "Reshape"}) == sorted(DRAWN.split())
    assert drawn <= set(RULES)


@pytest.mark.parametrize("cut", [1, 2, 3])
def test_resizing_and_cropping(cut: int) -> None:
    """The way back pads and pools; ONNX Runtime makes one of both, which must not refuse the pads."""
    x, scales = values(1, 2, 5, 4), np.array([1, 1, 2, 2], np.float32)
    constants = {"scales": scales, "from": np.array([cut, cut]), "to": np.array([99, 99]), "axes": np.array([2, 3])}
    rest = {"mode": "nearest", "nearest_mode": "floor", "coordinate_transformation_mode": "asymmetric"}
    nodes = [
        helper.make_node("Resize", ["x", "", "scales"], ["large"], **rest),
        helper.make_node("Slice", ["large", "from", "to", "axes"], ["y"]),
    ]
    model = model_of(nodes, {"x": x}, constants, ["y"])
    prove(model, {"x": x}, lambda x: functional.interpolate(x, scale_factor=2)[:, :, cut:, cut:])
