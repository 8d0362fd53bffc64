"""What holds for every operator of the table."""

import numpy as np
import onnx
import pytest

from sitegen import gradient
from sitegen.gradient.rules import RULES
from tests.helpers.gradient.operator_samples import FIRST_OPSET, sample
from tests.helpers.gradient.proof import run, values

# What the issue of image models is made of; the table may hold more.
PROMISED = """
    Conv ConvTranspose Gemm MatMul BatchNormalization InstanceNormalization LayerNormalization
    GroupNormalization Relu LeakyRelu PRelu Elu Softplus Sigmoid HardSigmoid HardSwish Tanh Erf Gelu Clip
    Softmax LogSoftmax Exp Log Sqrt Pow Reciprocal Abs Neg Max Min MaxPool AveragePool GlobalAveragePool
    GlobalMaxPool ReduceMean ReduceSum ReduceMax ReduceL2 Add Sub Mul Div Where Concat Split Slice Pad Reshape
    Flatten Squeeze Unsqueeze Transpose Expand Tile Gather Resize DepthToSpace SpaceToDepth Identity Dropout
    Cast
"""


def test_what_is_promised_has_rules() -> None:
    assert [operator for operator in PROMISED.split() if operator not in RULES] == []


def test_every_rule_tells_its_formula_in_one_line() -> None:
    for operator, rule in RULES.items():
        lines = (rule.__doc__ or "").splitlines()
        assert lines, operator
        assert 0 < len(lines[0]) <= 120, operator
        assert len(lines) == 1 or lines[1] == "", operator


@pytest.mark.parametrize("operator", sorted(RULES))
@pytest.mark.parametrize("opset", [gradient.OPSETS[0], gradient.OPSETS[-1]])
def test_the_graph_is_valid_and_shapes_follow_from_it(operator: str, opset: int) -> None:
    model, feeds = sample(operator, max(opset, FIRST_OPSET.get(operator, 0)))
    wrt = "x"
    compiled = gradient.compile(model, wrt=wrt)
    onnx.checker.check_model(compiled, full_check=True)
    inferred = onnx.shape_inference.infer_shapes(compiled, strict_mode=True, data_prop=True).graph
    known = {value.name: value for value in (*inferred.value_info, *inferred.output)}
    unknown = [name for node in inferred.node for name in node.output if name and name not in known]
    assert unknown == []
    assert [dim.dim_value for dim in known["grad_x"].type.tensor_type.shape.dim] == list(feeds[wrt].shape)


@pytest.mark.parametrize("operator", sorted(RULES))
def test_a_switch_changes_no_gradient(operator: str) -> None:
    model, feeds = sample(operator, max(18, FIRST_OPSET.get(operator, 0)))
    y = run(model, feeds)["y"]
    seeded = {**feeds, "seed": values(*y.shape, seed=5).astype(y.dtype)}
    plain = run(gradient.compile(model, wrt="x"), seeded, optimised=False)
    on = run(gradient.compile(model, wrt="x", switch="on"), {**seeded, "on": np.array(True)}, optimised=False)
    np.testing.assert_array_equal(on["grad_x"], plain["grad_x"])
