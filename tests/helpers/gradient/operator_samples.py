"""One small model for every operator of the table, for what must hold for all of them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto

from tests.helpers.gradient.proof import Arrays, Constants, one_node, values

Sample = tuple[onnx.ModelProto, Arrays]

_X = values(2, 4, 6, 6)
_POSITIVE = values(2, 4, 6, 6, low=0.2, high=3.0)
_OTHER = values(4, 1, 6, seed=1, low=0.3, high=2.0)
_PLAIN = (
    "Abs Ceil Celu Cos Dropout Elu Erf Exp Flatten Floor Gelu GlobalAveragePool GlobalMaxPool HardSigmoid HardSwish "
    "Identity LeakyRelu LogSoftmax LpNormalization Mish Neg Reciprocal ReduceLogSumExp Relu Round Selu Sigmoid Sign "
    "Sin Softmax Softplus Softsign Swish Tanh ThresholdedRelu Transpose"
)
_POSITIVE_ONLY = "Log Sqrt ReduceLogSum ReduceProd"
_PAIRS = "Add Div Max Mean Min Mul Pow Sub Sum"
_REDUCTIONS = "ReduceL1 ReduceL2 ReduceMax ReduceMean ReduceMin ReduceSum ReduceSumSquare"
FIRST_OPSET = {"Gelu": 20, "Mish": 18, "RMSNormalization": 23, "Swish": 24, "GroupNormalization": 21}


def _ints(*numbers: int) -> np.ndarray[Any, Any]:
    return np.array(numbers, np.int64)


def _special() -> dict[str, Callable[[int], onnx.ModelProto]]:
    """Operators with constants or attributes, by a function of the opset."""
    channel = values(4, seed=2, low=0.5, high=1.5)

    def node(
        name: str, constants: Constants | None = None, inputs: Arrays | None = None, **rest: Any
    ) -> Callable[[int], Any]:
        return lambda opset: one_node(name, inputs or {"x": _X}, constants, opset=opset, **rest)

    norm = {"scale": channel, "bias": channel}
    return {
        "AveragePool": node("AveragePool", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
        "BatchNormalization": node("BatchNormalization", norm | {"mean": channel - 1, "var": channel}),
        "Cast": node("Cast", to=TensorProto.FLOAT16),
        "Clip": node("Clip", {"low": np.float32(-1), "high": np.float32(1)}),
        "Concat": lambda opset: one_node("Concat", {"x": _X, "z": _X * 2}, opset=opset, axis=1),
        "Conv": node("Conv", {"w": values(3, 4, 3, 3)}, pads=[1, 1, 1, 1]),
        "ConvTranspose": node("ConvTranspose", {"w": values(4, 3, 3, 3)}, strides=[2, 2]),
        "CumSum": node("CumSum", {"axis": np.array(1)}),
        "DepthToSpace": node("DepthToSpace", blocksize=2),
        "Einsum": lambda opset: one_node("Einsum", {"x": _X, "z": _X}, opset=opset, equation="nchw,ndhw->ncd"),
        "Expand": node("Expand", {"shape": _ints(3, 1, 4, 6, 6)}),
        "Gather": node("Gather", {"indices": _ints(0, 2, 2)}, axis=1),
        "GatherElements": node("GatherElements", {"indices": np.zeros((2, 1, 6, 6), np.int64)}, axis=1),
        "GatherND": node("GatherND", {"indices": np.array([[0, 2], [1, 2], [0, 2]])}),
        "Gemm": lambda opset: one_node("Gemm", {"x": values(2, 5)}, {"w": values(5, 3), "c": values(3)}, opset=opset),
        "GroupNormalization": node("GroupNormalization", norm, num_groups=2),
        "InstanceNormalization": node("InstanceNormalization", norm),
        "LayerNormalization": node("LayerNormalization", {"scale": values(6, seed=3)}, axis=-1),
        "MatMul": node("MatMul", {"w": values(6, 5)}),
        "MaxPool": node("MaxPool", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
        "PRelu": node("PRelu", {"slope": channel.reshape(4, 1, 1)}),
        "Pad": node("Pad", {"pads": _ints(0, 0, 1, 2, 0, 0, 0, 1)}),
        "RMSNormalization": node("RMSNormalization", {"scale": values(6, seed=3)}, axis=-1),
        "Reshape": node("Reshape", {"shape": _ints(0, -1)}),
        "Resize": node(
            "Resize", {"scales": np.array([1, 1, 2, 2], np.float32)}, order=["x", "", "scales"], mode="linear"
        ),
        "ScatterElements": lambda opset: one_node(
            "ScatterElements", {"x": _X}, {"i": np.zeros((2, 1, 6, 6), np.int64), "u": _X[:, :1]}, axis=1, opset=opset
        ),
        "ScatterND": node("ScatterND", {"indices": np.array([[0, 2], [1, 2]]), "updates": _X[:, 0]}),
        "Slice": node("Slice", {"starts": _ints(1), "ends": _ints(5), "axes": _ints(2), "steps": _ints(2)}),
        "SpaceToDepth": node("SpaceToDepth", blocksize=2),
        "Split": node("Split", {"sizes": _ints(1, 3)}, axis=1, outputs=2),
        "Squeeze": lambda opset: one_node("Squeeze", {"x": values(2, 1, 3)}, {"axes": _ints(1)}, opset=opset),
        "Tile": node("Tile", {"repeats": _ints(1, 2, 1, 3)}),
        "TopK": node("TopK", {"k": _ints(2)}, axis=1, outputs=2),
        "Trilu": node("Trilu", {"k": np.array(1)}),
        "Unsqueeze": node("Unsqueeze", {"axes": _ints(1)}),
        "Where": lambda opset: one_node("Where", {"c": _X > 0, "x": _X, "z": _OTHER}, opset=opset),
    }


SPECIAL = _special()


def sample(operator: str, opset: int) -> Sample:
    """A model of an operator and what to feed it. Raises KeyError for an operator that has no sample."""
    if operator in SPECIAL:
        model = SPECIAL[operator](opset)
    elif operator in _PAIRS.split():
        model = one_node(operator, {"x": _POSITIVE, "z": _OTHER}, opset=opset)
    elif operator in _REDUCTIONS.split():
        model = _reduction(operator, opset)
    elif operator in _POSITIVE_ONLY.split():
        model = one_node(operator, {"x": _POSITIVE}, opset=opset)
    elif operator in _PLAIN.split():
        model = one_node(operator, {"x": _X}, opset=opset)
    else:
        raise KeyError(operator)
    return model, _feeds(model, positive=operator in (_PAIRS + _POSITIVE_ONLY).split())


def _reduction(operator: str, opset: int) -> onnx.ModelProto:
    if opset < 18 and operator != "ReduceSum":
        return one_node(operator, {"x": _X}, opset=opset, axes=[1, -1], keepdims=0)
    return one_node(operator, {"x": _X}, {"axes": _ints(1, -1)}, opset=opset, keepdims=0)


def _feeds(model: onnx.ModelProto, *, positive: bool) -> Arrays:
    """Numbers for all inputs, away from kinks."""
    feeds: dict[str, np.ndarray[Any, Any]] = {}
    for index, value in enumerate(model.graph.input):
        shape = [dim.dim_value for dim in value.type.tensor_type.shape.dim]
        array = values(*shape, seed=index + 20, low=0.3 if positive else -2.0)
        feeds[value.name] = array > 0 if value.type.tensor_type.elem_type == TensorProto.BOOL else array
    return feeds
