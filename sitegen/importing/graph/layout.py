"""Graphs that turn images from channels first to channels last and back: the turns cancel each other.

Every Transpose is put off: what it would give is remembered as "this tensor, turned so", and operators that do not mind
the order of axes work on the tensor as it lies. Two turns that undo each other meet in the end and nothing is left of
them. What minds the order, as Reshape does, gets a Transpose in front of it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from onnx import ModelProto, NodeProto, helper, numpy_helper

from sitegen.importing.graph.passes import (
    add_constant,
    attribute,
    constants_of,
    drop_unused,
    free_name,
    names_in,
    rename,
    set_attributes,
)
from sitegen.importing.graph.shapes import shapes_of

Turn = tuple[int, ...]

_EACH_ALONE = {"Abs", "Cast", "Clip", "Elu", "Erf", "Exp", "Gelu", "HardSigmoid", "HardSwish", "LeakyRelu"}
_EACH_ALONE |= {"Log", "Neg", "Reciprocal", "Relu", "Selu", "Sigmoid", "Softplus", "Sqrt", "Swish", "Tanh"}
_PAIRWISE = {"Add", "Div", "Max", "Mean", "Min", "Mul", "Pow", "Sub", "Sum"}
_ALONG_AN_AXIS = {"Concat", "LogSoftmax", "Softmax"}
_REDUCING = {"ReduceMax", "ReduceMean", "ReduceMin", "ReduceSum"}
_REARRANGING = {"Flatten", "Reshape", "Squeeze", "Unsqueeze"}


def sink_transposes(model: ModelProto) -> None:
    """Cancel the transposes of a graph against each other; those that are left stand where they are needed.

    A graph with control flow stays as it is. Preconditions: opset 18 or newer, fixed shapes as far as
    `fold` finds them. Postcondition: no Transpose reads, be it through operators on single elements, what another one
    gives in such a way that both undo each other.
    """
    if not any(entry.g.node or entry.graphs for node in model.graph.node for entry in node.attribute):
        _Sinking(model).run()  # graphs within nodes could read what is put off
        drop_unused(model)


@dataclass(frozen=True)
class _Turned:
    """A tensor that is another one, with its axes permuted: axis i is axis `turn[i]` of `base`."""

    base: str
    turn: Turn


class _Sinking:
    """One walk through the nodes, first to last."""

    def __init__(self, model: ModelProto) -> None:
        self.model = model
        self.shapes = shapes_of(model)
        self.taken = names_in(model)
        self.constants = constants_of(model)
        self.turned: dict[str, _Turned] = {}  # by the name of what is put off
        self.written: dict[str, str] = {}  # what was put off and is needed after all, by that name
        self.nodes: list[NodeProto] = []
        self.lying: dict[str, tuple[int, ...]] = {}  # shapes of the tensors that are made here

    def run(self) -> None:
        """Write the nodes anew."""
        for node in list(self.model.graph.node):
            node.input[:] = [self._plain(name) for name in node.input]
            turn = self._common_turn(node)
            if node.op_type in ("Transpose", "Identity") and not node.domain:
                self._put_off(node)
            elif turn is None or not self._moved(node, turn):
                self._as_it_is(node)
        given = {output.name: self._needed(output.name) for output in self.model.graph.output}
        del self.model.graph.node[:]
        self.model.graph.node.extend(self.nodes)
        for name, made in given.items():
            if name != made:
                self._name(name, made)

    def _name(self, name: str, made: str) -> None:
        """Let a tensor that was made here be an output again."""
        outputs = {output.name for output in self.model.graph.output}
        if any(made in node.output for node in self.nodes) and made not in outputs:
            rename(self.model, {made: name})
        else:
            self.model.graph.node.append(helper.make_node("Identity", [made], [name], name=name))

    def _plain(self, name: str) -> str:
        """Return the name of what a tensor is, where all its turns have undone each other; else its own."""
        found = self.turned.get(name)
        return found.base if found is not None and found.turn == tuple(range(len(found.turn))) else name

    def _sizes(self, name: str) -> tuple[int, ...] | None:
        return self.lying.get(name, self.shapes.fixed(name))

    def _put_off(self, node: NodeProto) -> None:
        source, made = node.input[0], node.output[0]
        if node.op_type == "Identity":
            self.turned[made] = self.turned.get(source, _Turned(source, ()))
            return
        rank = len(self._sizes(source) or ())
        turn = tuple(attribute(node, "perm", None) or range(rank)[::-1])
        before = self.turned.get(source, _Turned(source, tuple(range(len(turn)))))
        self.turned[made] = _Turned(before.base, tuple(before.turn[axis] for axis in turn))

    def _common_turn(self, node: NodeProto) -> Turn | None:
        """Return how all inputs of a node that are turned are turned, None where they differ or there are none."""
        turns = {self.turned[name].turn for name in node.input if name in self.turned}
        return turns.pop() if len(turns) == 1 else None

    def _as_it_is(self, node: NodeProto) -> None:
        node.input[:] = [self._needed(name) for name in node.input]
        self.nodes.append(node)

    def _needed(self, name: str) -> str:
        """Return the name of a tensor as the graph had it; write its Transpose if it was put off."""
        found = self.turned.get(name)
        if found is None or self._plain(name) != name:
            return self._plain(name)
        if name not in self.written:
            self.written[name] = free_name(self.taken, name)
            made = self.written[name]
            self.nodes.append(helper.make_node("Transpose", [found.base], [made], name=made, perm=found.turn))
        return self.written[name]

    def _moved(self, node: NodeProto, turn: Turn) -> bool:
        """Write a node for the tensors as they lie; False where that cannot be done."""
        for operators, move in _MOVES:
            if node.op_type in operators and not node.domain:
                return move(self, node, turn)
        return False

    def _write(self, node: NodeProto, inputs: Sequence[str], turn: Turn, **attributes: object) -> None:
        """Write the node with other inputs and attributes; what the graph had is its result, turned so."""
        (name,) = node.output
        made = free_name(self.taken, name)
        moved = NodeProto()
        moved.CopyFrom(node)
        moved.input[:] = list(inputs)
        moved.output[:] = [made]
        set_attributes(moved, **attributes)
        self.nodes.append(moved)
        sizes = self.shapes.fixed(name)
        if sizes is not None:
            self.lying[made] = tuple(sizes[turn.index(axis)] for axis in range(len(turn)))
        self.turned[name] = _Turned(made, turn)

    def _lies(self, name: str, turn: Turn) -> str | None:
        """Return the name of a tensor that, turned so, is `name`; None where there is none without a Transpose."""
        if name in self.turned:
            return self.turned[name].base
        sizes = self._sizes(name)
        if sizes is not None and np.prod(sizes) == 1 and len(sizes) <= len(turn):
            return name
        if name not in self.constants:
            return None
        values = numpy_helper.to_array(self.constants[name])
        values = values.reshape((1,) * (len(turn) - values.ndim) + values.shape)
        return add_constant(self.model, values.transpose(np.argsort(turn)), name, self.taken)

    def alone(self, node: NodeProto, turn: Turn) -> bool:
        """Operators on the elements of their first input; further inputs are single numbers."""
        if node.input[0] not in self.turned:
            return False
        self._write(node, [self.turned[node.input[0]].base, *node.input[1:]], turn)
        return True

    def pairwise(self, node: NodeProto, turn: Turn) -> bool:
        """Operators on the elements of all inputs, which broadcast."""
        inputs = [self._lies(name, turn) for name in node.input]
        known = [name for name in inputs if name is not None]
        if len(known) < len(inputs):
            return False
        self._write(node, known, turn)
        return True

    def along(self, node: NodeProto, turn: Turn) -> bool:
        """Operators along one axis."""
        axis = attribute(node, "axis", -1)
        if any(name not in self.turned for name in node.input):
            return False
        self._write(node, [self.turned[name].base for name in node.input], turn, axis=turn[axis])
        return True

    def padded(self, node: NodeProto, turn: Turn) -> bool:
        """Pad, of all axes."""
        given = self.constants.get(node.input[1])
        if given is None or len(node.input) > 3 or node.input[0] not in self.turned:
            return False
        pads = numpy_helper.to_array(given).reshape(2, len(turn))[:, np.argsort(turn)]
        moved = add_constant(self.model, pads.reshape(-1), node.input[1], self.taken)
        self._write(node, [self.turned[node.input[0]].base, moved, *node.input[2:]], turn)
        return True

    def reduced(self, node: NodeProto, turn: Turn) -> bool:
        """Sums, means and the like over some axes."""
        given = self.constants.get(node.input[1]) if len(node.input) > 1 else None
        if given is None or node.input[0] not in self.turned:
            return False
        axes = {turn[axis] for axis in numpy_helper.to_array(given).tolist()}
        if not axes:  # which means all of them, or none
            return False
        moved = add_constant(self.model, np.array(sorted(axes), np.int64), node.input[1], self.taken)
        left = [axis for axis in turn if axis not in axes]
        after = turn if attribute(node, "keepdims", 1) else tuple(sorted(left).index(axis) for axis in left)
        self._write(node, [self.turned[node.input[0]].base, moved], after)
        return True

    def rearranged(self, node: NodeProto, turn: Turn) -> bool:
        """Reshape and its like, where the turn only moves axes of size 1: the elements lie in the same order."""
        found = self.turned.get(node.input[0])
        sizes = None if found is None else self._sizes(found.base)
        wanted = self.shapes.fixed(node.output[0])
        if found is None or sizes is None or wanted is None:
            return False
        longer = [axis for axis in turn if sizes[axis] != 1]
        if longer != sorted(longer):
            return False
        shape = add_constant(self.model, np.array(wanted, np.int64), f"{node.output[0]}_shape", self.taken)
        reshape = helper.make_node("Reshape", [found.base, shape], list(node.output), name=node.name)
        self.nodes.append(reshape)
        return True


_MOVES: list[tuple[set[str], Callable[[_Sinking, NodeProto, Turn], bool]]] = [
    (_EACH_ALONE, _Sinking.alone),
    (_PAIRWISE, _Sinking.pairwise),
    (_ALONG_AN_AXIS, _Sinking.along),
    ({"Pad"}, _Sinking.padded),
    (_REDUCING, _Sinking.reduced),
    (_REARRANGING, _Sinking.rearranged),
]
