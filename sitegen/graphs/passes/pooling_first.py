"""Average first, then convolve point by point: a quarter of the work where the average halves both sides."""

from collections import Counter

from onnx import ModelProto, NodeProto, helper, shape_inference


def pool_first(model: ModelProto) -> bool:
    """Exchange pointwise convolutions with the average pooling that alone reads them; return whether any were.

    A 1 x 1 convolution takes the same weighted sum at every pixel, and an average is linear and keeps constants, so
    that their order does not matter: outputs move by rounding alone. Transitions of DenseNets are such.

    Asked: convolutions of stride 1 and without padding, pooling without padding and not rounded up, that makes fewer
    pixels, but not a single one: maps that are averaged over the whole image are what class activation maps are drawn
    over. Afterwards the convolution has the pooling's output, and the pooling what was the convolution's.
    """
    graph = model.graph
    readers = Counter(name for node in graph.node for name in node.input)
    outputs = {value.name for value in graph.output}
    makers = {node.output[0]: index for index, node in enumerate(graph.node)}
    single = _single_pixels(model)
    exchanged = False
    for index, pooling in enumerate(graph.node):
        made = pooling.input[0] if _is_pooling(pooling) else ""
        if made not in makers or readers[made] > 1 or made in outputs or pooling.output[0] in single:
            continue
        if _is_pointwise(graph.node[makers[made]]):
            _exchange(model, makers[made], index)
            exchanged = True
    return exchanged


def _exchange(model: ModelProto, first: int, second: int) -> None:
    convolution, pooling = NodeProto(), NodeProto()
    convolution.CopyFrom(model.graph.node[first])
    pooling.CopyFrom(model.graph.node[second])
    between, result = convolution.output[0], pooling.output[0]
    pooling.input[0], pooling.output[0] = convolution.input[0], between
    convolution.input[0], convolution.output[0] = between, result
    model.graph.node[first].CopyFrom(pooling)
    model.graph.node[second].CopyFrom(convolution)
    for value in [value for value in model.graph.value_info if value.name == between]:
        model.graph.value_info.remove(value)  # its size is another now


def _is_pooling(node: NodeProto) -> bool:
    if node.op_type != "AveragePool" or node.domain:
        return False
    strides = _numbers(node, "strides", 1)
    return _is_unpadded(node) and not _number(node, "ceil_mode") and any(stride > 1 for stride in strides)


def _is_pointwise(node: NodeProto) -> bool:
    if node.op_type != "Conv" or node.domain or not _is_unpadded(node):
        return False
    kernel = _numbers(node, "kernel_shape", 0)
    return bool(kernel) and set(kernel) == {1} and set(_numbers(node, "strides", 1)) <= {1}


def _is_unpadded(node: NodeProto) -> bool:
    mode = next((entry.s for entry in node.attribute if entry.name == "auto_pad"), b"NOTSET")
    return mode == b"VALID" or (mode == b"NOTSET" and not any(_numbers(node, "pads", 0)))


def _numbers(node: NodeProto, name: str, default: int) -> list[int]:
    found = next((entry for entry in node.attribute if entry.name == name), None)
    return [default] if found is None and default else [] if found is None else list(found.ints)


def _number(node: NodeProto, name: str) -> int:
    return next((int(helper.get_attribute_value(entry)) for entry in node.attribute if entry.name == name), 0)


def _single_pixels(model: ModelProto) -> set[str]:
    """Tensors that are one pixel, or may be: whose size is not known."""
    inferred = shape_inference.infer_shapes(model, data_prop=True).graph
    known = {
        value.name: [size.dim_value for size in value.type.tensor_type.shape.dim[2:]]
        for value in (*inferred.value_info, *inferred.output)
    }
    made = {name for node in model.graph.node for name in node.output}
    return {name for name in made if max(known.get(name) or [0]) <= 1}
