"""A network of Keras as an ONNX graph: one image in, channels last as Keras has it."""

from onnx import ModelProto, TensorProto, helper

from sitegen.errors import ModelError
from sitegen.graphs.files import OPSET
from sitegen.importing.graph.passes import IR_VERSION
from sitegen.importing.keras import activation_rules, normalising_rules, resampling_rules  # noqa: F401 - enter rules
from sitegen.importing.keras.network import Network
from sitegen.importing.keras.rules import TABLE, KerasWriter


def literal(network: Network) -> ModelProto:
    """Return the network, step by step, in ONNX. Raises ModelError where a layer says of itself what is not known."""
    writer = KerasWriter(network.steps, network.image, network.version)
    for step in network.steps:
        writer.ranks[step.name] = writer.rank(step)
        try:
            TABLE[step.kind](writer, step)
        except (ValueError, TypeError, IndexError, KeyError, AttributeError, OverflowError) as error:
            raise step.layer.unsupported(f"its settings are not those of the layer ({error})") from error
    if not writer.nodes:
        raise ModelError("The model has no layers that compute anything. Name the file of a whole model.")
    made = helper.make_graph(
        writer.nodes,
        "network",
        [helper.make_tensor_value_info(network.image, TensorProto.FLOAT, list(network.shape))],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in network.outputs],
        list(writer.initialisers.values()),
    )
    versions = [helper.make_opsetid("", OPSET)]
    return helper.make_model(made, producer_name="keras", opset_imports=versions, ir_version=IR_VERSION)
