"""Graphs that compute with whole numbers: which of them give the same everywhere, and which operators they have."""

from onnx import ModelProto, TensorProto

from sitegen.errors import ModelError
from sitegen.importing.graph.passes import constants_of
from sitegen.importing.graph.shapes import shapes_of

_QUANTISED = {"ConvInteger", "DynamicQuantizeLinear", "MatMulInteger", "QLinearConv", "QLinearMatMul", "QuantizeLinear"}
_ACTIVATIONS = {"ConvInteger": (0,), "MatMulInteger": (0,), "QLinearConv": (0,), "QLinearMatMul": (0, 3)}


def whole_number_operators(model: ModelProto) -> list[str]:
    """Return the names of a graph's operators that quantise what is computed of an image. Constants may be."""
    constants = constants_of(model)
    return sorted(
        {node.op_type for node in model.graph.node if node.op_type in _QUANTISED and node.input[0] not in constants}
    )


def check_signs(model: ModelProto) -> None:
    """Raise ModelError where what is computed of an image is quantised with a sign, to int8.

    Engines add such products up in different ways: ONNX Runtime in a page and on a processor were up to 0.05 apart in
    probability. With unsigned activations they agree. Precondition: fixed shapes.
    """
    if not whole_number_operators(model):
        return
    constants, types = constants_of(model), shapes_of(model).types
    for node in model.graph.node:
        places = [node.input[at] for at in _ACTIVATIONS.get(node.op_type, ())]
        made = [node.output[0]] if node.op_type == "QuantizeLinear" and node.input[0] not in constants else []
        if any(name not in constants and types.get(name) == TensorProto.INT8 for name in (*places, *made)):
            raise ModelError(
                f"The model computes with signed 8-bit numbers ({node.op_type} {node.name or node.output[0]!r}), which "
                "a page and this machine add up differently, so that their results differ. Quantise it anew with "
                "unsigned activations (activation_type=QuantType.QUInt8), or import the model in float32."
            )
