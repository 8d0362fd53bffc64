"""The backward half behind a boolean input, so that one session can predict with it and without."""

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import helper, numpy_helper


def switched(
    switch: str, nodes: Sequence[onnx.NodeProto], results: Sequence[tuple[str, onnx.ValueInfoProto]]
) -> onnx.NodeProto:
    """Return an If that runs `nodes` where the input `switch` is true, and else gives tensors without elements.

    `results` pairs the names of tensors, made by `nodes` or outside, with what the If gives them out as.
    """
    on, off, values_on, values_off = [], [], [], []
    for tensor, result in results:
        kind = result.type.tensor_type
        names = [f"{result.name}_{state}" for state in ("on", "off")]
        nothing = np.zeros([0] * len(kind.shape.dim), helper.tensor_dtype_to_np_dtype(kind.elem_type))
        on.append(helper.make_node("Identity", [tensor], [names[0]], name=names[0]))
        off.append(helper.make_node("Constant", [], [names[1]], name=names[1], value=numpy_helper.from_array(nothing)))
        values_on.append(helper.make_tensor_value_info(names[0], kind.elem_type, None))
        values_off.append(helper.make_tensor_value_info(names[1], kind.elem_type, None))
    return helper.make_node(
        "If",
        [switch],
        [result.name for _, result in results],
        name=f"{switch}_If",
        then_branch=helper.make_graph([*nodes, *on], "backward", [], values_on),
        else_branch=helper.make_graph(off, "nothing", [], values_off),
    )
