"""Weights rounded to whole numbers from -127 to 127 times a scale for each channel: a quarter of the download.

Scales have 17 significant bits, so that the product with a number of 7 bits is exact in float32: whoever multiplies
them gets the same bits. And the largest of a channel is 127 scales, which tells the scale of weights as they are.
Sites pack the whole numbers and the scales, and the page multiplies them (`sitegen.site.byte_layout`); the arithmetic
of the network stays in float32.
"""

from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import GraphProto, TensorProto, numpy_helper
from onnx.external_data_helper import uses_external_data

from sitegen.errors import ExportError
from sitegen.graphs.files import save_with_weights

Floats = NDArray[np.float32]
STEPS = 127
LEAST, LEAST_OF_CHANNEL = 256, 8  # numbers: fewer stay as they are, for their scales would take what is gained
_EXTRA_BITS = 7  # of float32's 24


def round_to_bytes(classifier: Path) -> int:
    """Round the external float32 weights of a graph to bytes, in its file; return how many numbers were rounded.

    The channels are the last axis of a matrix that stands behind a product, else the first. Raises ExportError where a
    weight is not finite.
    """
    model = onnx.load(str(classifier))
    stored = onnx.load(str(classifier), load_external_data=False).graph
    names = {tensor.name for tensor in stored.initializer if uses_external_data(tensor)}
    behind, count = _behind_products(model.graph), 0
    for tensor in model.graph.initializer:
        if tensor.name not in names or tensor.data_type != TensorProto.FLOAT:
            continue
        values = numpy_helper.to_array(tensor)
        axis = values.ndim - 1 if tensor.name in behind else first_axis(values.shape)
        if worth_it(values.shape, axis):
            tensor.CopyFrom(numpy_helper.from_array(rounded(values, axis, tensor.name), tensor.name))
            count += values.size
    if count:
        save_with_weights(model, classifier)
    return count


def first_axis(shape: tuple[int, ...]) -> int:
    """Return the first axis that is longer than 1, the channels of a kernel; 0 where there is none."""
    return next((axis for axis, size in enumerate(shape) if size > 1), 0)


def worth_it(shape: tuple[int, ...], axis: int) -> bool:
    """Whether weights of a shape are rounded: vectors, and few numbers for a scale, stay as they are."""
    size = int(np.prod(shape))
    return len(shape) > 1 and size >= LEAST and size // shape[axis] >= LEAST_OF_CHANNEL


def rounded(values: Floats, axis: int, name: str) -> Floats:
    """Return weights as they are after rounding, in float32; `axis` has the channels, `name` is for the error.

    Raises ExportError where a weight is not finite.
    """
    if not np.isfinite(values).all():
        raise ExportError(f"The weight {name!r} has values that are no numbers, or infinite: take another copy.")
    scales = _short(_largest(values, axis) / np.float32(STEPS))
    whole = np.rint(np.divide(values, scales, out=np.zeros_like(values), where=scales > 0))
    return np.asarray(np.clip(whole, -STEPS, STEPS).astype(np.int8).astype(np.float32) * scales, np.float32)


def as_bytes(values: Floats, axis: int) -> tuple[NDArray[np.int8], Floats] | None:
    """Return whole numbers and scales [channels] whose products are these weights to the bit; None where none are."""
    scales = _largest(values, axis) / np.float32(STEPS)
    if (scales.view(np.uint32) & (2**_EXTRA_BITS - 1)).any() or not np.isfinite(scales).all():
        return None
    with np.errstate(invalid="ignore"):
        whole = np.rint(np.divide(values, scales, out=np.zeros_like(values), where=scales > 0)).astype(np.int8)
    again = (whole.astype(np.float32) * scales).astype(np.float32)
    return (whole, scales.ravel()) if np.array_equal(again.view(np.uint32), values.view(np.uint32)) else None


def _largest(values: Floats, axis: int) -> Floats:
    """The largest size of each channel, shaped so that it is repeated along the other axes."""
    others = tuple(each for each in range(values.ndim) if each != axis)
    return np.asarray(np.abs(values).max(axis=others, keepdims=True), np.float32)


def _short(scales: Floats) -> Floats:
    """Round float32 to 17 significant bits."""
    half = np.uint32(2 ** (_EXTRA_BITS - 1))
    return np.asarray(((scales.view(np.uint32) + half) & ~np.uint32(2**_EXTRA_BITS - 1)).view(np.float32))


def _behind_products(graph: GraphProto) -> set[str]:
    """The names of matrices [in, out] that something is multiplied by."""
    turned = {
        node.output[0]
        for node in graph.node
        if node.op_type == "Gemm" and any(each.name == "transB" and each.i for each in node.attribute)
    }
    products = [node for node in graph.node if node.op_type in ("MatMul", "Gemm") and node.output[0] not in turned]
    return {node.input[1] for node in products}
