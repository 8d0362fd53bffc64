"""Weights rounded to numbers that 16 bits hold: half the download, and the arithmetic stays in float32.

Sites pack such weights with 16 bits, and the page widens them again. Only what lies in the external file is rounded;
small tensors stay in the graph as they are.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import GraphProto, TensorProto, numpy_helper
from onnx.external_data_helper import uses_external_data

from sitegen.errors import ExportError
from sitegen.graphs.files import save_with_weights

LARGEST = float(np.finfo(np.float16).max)


def round_weights(classifier: Path) -> int:
    """Round the external float32 weights of a graph to float16 numbers, in its file; return how many were rounded.

    Raises ExportError where a weight is too large for float16.
    """
    graph = onnx.load(str(classifier), load_external_data=False).graph
    names = {tensor.name for tensor in _external(graph) if tensor.data_type == TensorProto.FLOAT}
    model = onnx.load(str(classifier))
    count = 0
    for tensor in model.graph.initializer:
        if tensor.name in names:
            values = numpy_helper.to_array(tensor)
            tensor.CopyFrom(numpy_helper.from_array(_rounded(values, tensor.name), tensor.name))
            count += values.size
    if count:
        save_with_weights(model, classifier)
    return count


def _rounded(values: NDArray[np.float32], name: str) -> NDArray[np.float32]:
    if not float(np.abs(values).max(initial=0)) <= LARGEST:
        raise ExportError(
            f"The weight {name!r} has values of up to {np.abs(values).max():.3g}, and 16 bits hold {LARGEST:g} at "
            "most. Take another form: --weights int8, or none."
        )
    return values.astype(np.float16).astype(np.float32)


def _external(graph: GraphProto) -> Iterator[TensorProto]:
    return (tensor for tensor in graph.initializer if uses_external_data(tensor))
