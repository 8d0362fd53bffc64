"""A late map of a network of patches: its tokens laid out like the image, so that Grad-CAM can be drawn over them.

A vision transformer keeps a token for each patch, [1, tokens, channels], from the first convolution to its end; there
is no map [1, channels, rows, columns] behind that. What is taken are the tokens that its last block reads, as is usual
for Grad-CAM: the attention that follows is the last way by which patches reach the class token. They are parted from
the class token, laid out, and laid back again: numbers are moved and none is computed, so that the network stays what
it is to the bit. Networks with channels last, as Swin, average over [1, rows, columns, channels] in the end; there the
map is turned before the average, and class activation maps are defined.
"""

from pathlib import Path

import numpy as np
import onnx
from onnx import ModelProto, NodeProto, helper

from sitegen.graphs.names import CLASSIFIER
from sitegen.importing.graph.final_layer import LATE, last_map, layers_after
from sitegen.importing.graph.passes import add_constant, attribute, constants_of
from sitegen.importing.graph.shapes import Shapes, shapes_of

EARLY = 0.5  # of a network's layers: a map that more of them follow tells little of what they do
_EXTRA = 8  # tokens beside those of patches, at most: of classes, registers


def write_late_map(folder: Path) -> None:
    """Rewrite `classifier.onnx` of a folder so that it has a late map, where it has but an early one and can."""
    path = folder / CLASSIFIER
    early = last_map(folder)
    model = onnx.load(str(path), load_external_data=False)
    if early is None or early == LATE:
        return
    after, count = layers_after(folder, early)
    if after <= EARLY * count:
        return
    shapes = shapes_of(model)
    if _turned_before_average(model, shapes) or _laid_out(model, shapes, early):
        onnx.save(model, str(path))


def _turned_before_average(model: ModelProto, shapes: Shapes) -> bool:
    """Take the last average over [1, rows, columns, channels] over a map with channels first."""
    for node in reversed(model.graph.node):
        read = shapes.fixed(node.input[0]) if node.op_type == "ReduceMean" else None
        if read is None or len(read) != 4 or min(read[1:3]) < 2 or attribute(node, "keepdims", 1):
            continue
        constant = constants_of(model).get(node.input[1]) if len(node.input) > 1 else None
        if constant is None or sorted(onnx.numpy_helper.to_array(constant).tolist()) not in ([1, 2], [-3, -2]):
            continue
        turned = helper.make_node("Transpose", [node.input[0]], [LATE], name=LATE, perm=[0, 3, 1, 2])
        axes = add_constant(model, np.array([2, 3], np.int64), "late_axes", _names(model))
        model.graph.node.insert(list(model.graph.node).index(node), turned)
        node.input[0], node.input[1] = LATE, axes
        return True
    return False


def _laid_out(model: ModelProto, shapes: Shapes, early: str) -> bool:
    """Lay the tokens that the last block reads out like the map of patches, and back."""
    patches = shapes.fixed(early)
    found = None if patches is None else _last_read(model, shapes, patches[2] * patches[3])
    if patches is None or found is None:
        return False
    _, tokens, channels = shapes.fixed(found) or (1, 0, 0)
    rows, columns = patches[2:]
    extra, taken = tokens - rows * columns, _names(model)

    def constant(*values: int) -> str:
        return add_constant(model, np.array(values, np.int64), "late", taken)

    zero, start, end, axis = constant(0), constant(extra), constant(tokens), constant(1)
    made = [
        helper.make_node("Slice", [found, start, end, axis], ["late_patches"]),
        helper.make_node("Transpose", ["late_patches"], ["late_turned"], perm=[0, 2, 1]),
        helper.make_node("Reshape", ["late_turned", constant(1, channels, rows, columns)], [LATE]),
        helper.make_node("Reshape", [LATE, constant(1, channels, rows * columns)], ["late_flat"]),
        helper.make_node("Transpose", ["late_flat"], ["late_back"], perm=[0, 2, 1]),
    ]
    if extra:
        made += [
            helper.make_node("Slice", [found, zero, start, axis], ["late_extra"]),
            helper.make_node("Concat", ["late_extra", "late_back"], ["late_tokens"], axis=1),
        ]
    last = made[-1].output[0]
    for node in model.graph.node:
        for place, name in enumerate(node.input):
            if name == found:
                node.input[place] = last
    at = next(index for index, node in enumerate(model.graph.node) if found in node.output)
    for step in reversed(made):
        step.name = step.output[0]
        model.graph.node.insert(at + 1, step)
    return True


def _last_read(model: ModelProto, shapes: Shapes, patches: int) -> str | None:
    """Return the last sum of tokens that is read more than once and that an attention follows."""
    attention = False
    for node in reversed(model.graph.node):
        sizes = shapes.fixed(node.output[0]) or ()
        attention = attention or (node.op_type == "Softmax" and len(sizes) >= 3)
        is_sum = node.op_type == "Add" and len(sizes) == 3 and 0 <= sizes[1] - patches <= _EXTRA
        if attention and is_sum and sum(_reads(each, node.output[0]) for each in model.graph.node) > 1:
            return str(node.output[0])
    return None


def _reads(node: NodeProto, name: str) -> bool:
    return name in node.input


def _names(model: ModelProto) -> set[str]:
    graph = model.graph
    return {tensor.name for tensor in graph.initializer} | {name for node in graph.node for name in node.output}
