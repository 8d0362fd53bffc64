"""TensorFlow.js graph models as ONNX graphs: classifiers, autoencoders, anything with one input."""

from collections.abc import Sequence

from onnx import ModelProto, TensorProto, ValueInfoProto, helper

from sitegen.errors import ModelError
from sitegen.graphs.files import OPSET
from sitegen.importing.graph.passes import IR_VERSION
from sitegen.importing.tfjs.files import TfGraph
from sitegen.importing.tfjs.operators import NO_RULE_NEEDED, TABLE
from sitegen.importing.tfjs.writer import TfWriter


def literal(graph: TfGraph) -> ModelProto:
    """Return the graph, operator by operator, in ONNX; sizes that the input leaves open are open.

    Raises ModelError where an operator is not known, or says of itself what is not.
    """
    unknown = sorted({node.operator for node in graph.nodes} - TABLE.keys() - NO_RULE_NEEDED)
    if unknown:
        raise ModelError(
            f"{graph.files[0]} has operators that are not known here: {', '.join(unknown)}. Convert the model it was "
            "made of to ONNX, and import that."
        )
    writer = TfWriter(graph.nodes, graph.weights)
    for node in graph.nodes:
        if node.operator in TABLE:
            try:
                TABLE[node.operator](writer, node)
            except (ValueError, TypeError, IndexError, KeyError, AttributeError) as error:
                raise node.unsupported(f"its inputs or attributes are not those of the operator ({error})") from error
    constants = {node.name for node in graph.nodes if node.operator == "Const"}
    if constants.intersection(graph.outputs) or graph.image.name in graph.outputs:
        raise ModelError(f"{graph.files[0]}: an output is what was given. Get the file again.")
    made = helper.make_graph(
        writer.nodes,
        "network",
        [_value(graph.image.name, _stated(graph))],
        [_value(name, None) for name in graph.outputs],
        list(writer.initialisers.values()),
    )
    versions = [helper.make_opsetid("", OPSET)]
    return helper.make_model(made, producer_name="tensorflow.js", opset_imports=versions, ir_version=IR_VERSION)


def _stated(graph: TfGraph) -> Sequence[int | None]:
    """Return the shape that the input states; where it states none, it is taken for an image."""
    try:
        return graph.image.shape() or [None] * 4
    except (ValueError, TypeError, AttributeError) as error:
        raise graph.image.unsupported(f"its shape is none ({error})") from error


def _value(name: str, shape: Sequence[int | None] | None) -> ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, None if shape is None else list(shape))
