"""Which nodes rectify: the ones that guided backpropagation is about."""

import numpy as np
import onnx

from sitegen.gradient.forward import Forward


def is_rectifier(node: onnx.NodeProto, forward: Forward) -> bool:
    """Whether a node is a Relu, or a Clip whose lower bound the model fixes at 0, as in ReLU6."""
    if node.op_type == "Clip" and len(node.input) > 1 and node.input[1]:
        low = forward.value(node.input[1])
        return low is not None and bool(np.all(low == 0))
    return node.op_type == "Relu"
