"""Putting the backward half into the graph: shapes, inputs, nodes, outputs."""

from collections.abc import Iterable
from dataclasses import dataclass

import onnx
from onnx import TensorProto, helper

from sitegen.gradient.forward import Forward
from sitegen.gradient.inference import UNINFERRED
from sitegen.gradient.switch import switched
from sitegen.gradient.tensor import Tensor
from sitegen.gradient.writer import Writer, needed_nodes


@dataclass(frozen=True)
class Backward:
    """What was written, which of its tensors is the gradient of what, and whose values are wanted beside it."""

    writer: Writer
    gradients: dict[str, Tensor]
    valued: set[str]

    def needed(self) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
        """Return the nodes and constants that the gradients depend on."""
        return self.writer.needed(gradient.name for gradient in self.gradients.values())


def add_shapes(graph: onnx.GraphProto, forward: Forward) -> None:
    """Say what onnx's own inference would miss, or its full check would refuse what comes after."""
    said = {value.name for value in (*graph.value_info, *graph.output)}
    outputs = (node.output[0] for node in graph.node if node.op_type in UNINFERRED)
    graph.value_info.extend(_value(forward, name, name) for name in outputs if name not in said)


def add_inputs(graph: onnx.GraphProto, forward: Forward, of: str, seed: str, switch: str | None) -> None:
    """Add the seed, of the type and shape of `of`, and the switch."""
    graph.input.append(_value(forward, of, seed))
    if switch:
        graph.input.append(helper.make_tensor_value_info(switch, TensorProto.BOOL, []))


def add_nodes(graph: onnx.GraphProto, forward: Forward, backward: Backward, switch: str | None) -> None:
    """Add the backward half and its outputs."""
    nodes, constants = backward.needed()
    targets = backward.gradients
    results = {target: _value(forward, target, gradient_name(target), sized=not switch) for target in targets}
    ends = [(targets[target].name, result) for target, result in results.items()]
    graph.initializer.extend(constants)
    nodes = [*_written_out_nodes(graph, forward.graph, nodes), *nodes]
    if switch:
        graph.node.append(switched(switch, nodes, ends))
    else:
        graph.node.extend(nodes)
        graph.node.extend(helper.make_node("Identity", [end], [result.name], name=result.name) for end, result in ends)
    given = {entry.name for entry in graph.output}
    for target, result in results.items():
        if target in backward.valued and target not in given:
            graph.output.append(_value(forward, target, target))
        graph.output.append(result)


def _written_out_nodes(
    graph: onnx.GraphProto, written: onnx.GraphProto, backward: Iterable[onnx.NodeProto]
) -> list[onnx.NodeProto]:
    """What the backward half needs from inside operators that were written out for it.

    The forward half keeps those operators whole: engines run them faster so, and its results stay the same to the bit.
    """
    made = {name for node in graph.node for name in node.output}
    wanted = {name for node in backward for name in node.input}
    return needed_nodes([node for node in written.node if not made.intersection(node.output)], wanted)


def gradient_name(tensor: str) -> str:
    """Return the name of the output that holds a tensor's gradient."""
    return f"grad_{tensor}"


def _value(forward: Forward, like: str, name: str, *, sized: bool = True) -> onnx.ValueInfoProto:
    """Describe a tensor with the type and shape of another (its rank alone where not `sized`)."""
    shape = forward.shape(like)
    sizes = [size if sized and not str(size).startswith("?") else None for size in shape or ()]
    return helper.make_tensor_value_info(name, forward.dtype(like), sizes if shape is not None else None)
