"""Graphs with a loop that never ends, or ends after some turns, before their output."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

ENDLESS = 2**62


def with_loop(model: onnx.ModelProto, turns: int = ENDLESS, within: int = 0) -> onnx.ModelProto:
    """Put a loop before the model's output, which hands its value on; in as many conditions as `within` says."""
    out = model.graph.output[0]
    shape = [size.dim_value for size in out.type.tensor_type.shape.dim]
    for node in model.graph.node:
        node.output[:] = ["looping" if name == out.name else name for name in node.output]
    nodes = [_loop("looping", "looped", shape)]
    for depth in range(within):
        branch = helper.make_graph(nodes, "branch", [], [_of(nodes[-1].output[0], shape)])
        same = helper.make_node("Identity", ["looping"], [f"same_{depth}"])
        other = helper.make_graph([same], "other", [], [_of(f"same_{depth}", shape)])
        nodes = [helper.make_node("If", ["go"], [f"chosen_{depth}"], then_branch=branch, else_branch=other)]
    constants = {"turns": np.array(turns), "go": np.array(True), "sizes": np.array(shape)}
    model.graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in constants.items())
    nodes.append(helper.make_node("Reshape", [nodes[-1].output[0], "sizes"], [out.name]))
    model.graph.node.extend(nodes)
    return model


def _of(name: str, shape: list[int], kind: int = TensorProto.FLOAT) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, shape)


def _loop(given: str, made: str, shape: list[int]) -> onnx.NodeProto:
    body = helper.make_graph(
        [helper.make_node("Identity", ["on"], ["goes_on"]), helper.make_node("Identity", ["value"], ["next"])],
        "body",
        [_of("turn", [], TensorProto.INT64), _of("on", [], TensorProto.BOOL), _of("value", shape)],
        [_of("goes_on", [], TensorProto.BOOL), _of("next", shape)],
    )
    return helper.make_node("Loop", ["turns", "go", given], [made], body=body)
