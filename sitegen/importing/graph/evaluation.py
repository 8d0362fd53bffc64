"""Graphs that were exported as in training, as in evaluation: each image for itself, and nothing left to chance."""

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, numpy_helper

from sitegen.errors import ModelError
from sitegen.importing.graph.passes import attribute, constants_of, set_attributes
from sitegen.importing.graph.reading import nodes_of

_CHANCE = {"Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike"}
_NORMALISED = (
    "The file was exported as in training: {count} batch normalisations would have taken mean and deviation from the "
    "image at hand. They take what was learned, as in evaluation, in the bundle and in the original that it was "
    "compared with."
)
_DROPPED = "The file was exported as in training: {count} dropouts are left out, as in evaluation."


def as_in_evaluation(model: ModelProto) -> list[str]:
    """Change a model to what it gives in evaluation, and return what was changed, as sentences.

    Raises ModelError where nothing was learned that evaluation could take, or where results are left to chance.
    Precondition: constants are initialisers.
    """
    constants = constants_of(model)
    normalised = dropped = 0
    for node in nodes_of(model.graph):
        if node.op_type in _CHANCE:
            raise ModelError(
                f"The model gives another result each time: its operator {node.op_type} is left to chance. Export it "
                "as in evaluation (model.eval())."
            )
        if node.op_type == "BatchNormalization" and _trains(node):
            _normalise(node, constants)
            normalised += 1
        elif node.op_type == "Dropout" and len(node.input) > 2:
            tensor = constants.get(node.input[2])
            if tensor is not None and bool(numpy_helper.to_array(tensor).any()):
                del node.input[1:]
                dropped += 1
    told = [_NORMALISED.format(count=normalised)] if normalised else []
    return told + ([_DROPPED.format(count=dropped)] if dropped else [])


def _trains(node: NodeProto) -> bool:
    """Whether statistics are those of the batch: said by an attribute, and before opset 14 by further outputs."""
    return bool(attribute(node, "training_mode", 0)) or len([name for name in node.output if name]) > 1


def _normalise(node: NodeProto, constants: dict[str, TensorProto]) -> None:
    mean, variance = (constants.get(name) for name in node.input[3:5])
    learned = mean is not None and variance is not None
    if mean is not None and variance is not None:
        zeros, ones = numpy_helper.to_array(mean), numpy_helper.to_array(variance)
        learned = bool(np.any(zeros != 0) or np.any(ones != 1))
    if not learned:
        raise ModelError(
            f"The batch normalisation {node.name or node.output[0]!r} takes mean and deviation from the image at hand, "
            "and holds none that were learned, so that it is not known what the model gives in evaluation. Export it "
            "with model.eval(), from a network that keeps running statistics."
        )
    del node.output[1:]
    set_attributes(node, training_mode=None)
