"""The reverse walk: from the seed back to the tensors whose gradients are asked for."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import onnx

from sitegen.errors import GradientError
from sitegen.gradient.forward import Forward
from sitegen.gradient.functions import STANDARD
from sitegen.gradient.nesting import nest_concats
from sitegen.gradient.node import Node
from sitegen.gradient.rules import RULES
from sitegen.gradient.shapes import zeros_like
from sitegen.gradient.table import ALL_OUTPUTS
from sitegen.gradient.tensor import Tensor
from sitegen.gradient.writer import Writer


@dataclass
class Walk:
    """One pass over the nodes of a path, last to first.

    A tensor's gradient is the sum of what the nodes that read it give back; when the walk comes to the node that makes
    the tensor, all of them have been visited.
    """

    forward: Forward
    writer: Writer
    guided: bool = False
    _arrived: dict[str, list[Tensor]] = field(default_factory=dict)

    def run(self, path: Sequence[onnx.NodeProto], of: str, seed: str, targets: Iterable[str]) -> list[Tensor]:
        """Return d<of, seed>/d(target) for every target, in their order."""
        self._arrived[of] = [Tensor(self.writer, seed, self.forward.dtype(of))]
        for proto in reversed(nest_concats(path)):
            self._pull_back(proto)
        return [self._total(target) or zeros_like(self._tensor(target)) for target in targets]

    def _pull_back(self, proto: onnx.NodeProto) -> None:
        node = Node(proto, self.forward, self.writer, guided=self.guided)
        node.gradients = [self._total(name) for name in proto.output]
        if not any(node.gradients):
            return  # what reads it is flat: Floor, Sign, comparisons
        if any(node.gradients[1:]) and node.operator not in ALL_OUTPUTS:
            raise node.unsupported("more than its first output is used, and only that has a gradient here")
        result = RULES[proto.op_type](node, node.gradients[0] or zeros_like(node.y))
        gradients = [result] if isinstance(result, Tensor) else result
        for name, gradient in itertools.zip_longest(proto.input, gradients):
            if name in self.forward.active:
                if gradient is None:
                    raise node.unsupported(f"its input {name!r} has no gradient here; let it not depend on the target")
                self._arrived.setdefault(name, []).append(gradient)

    def _total(self, name: str) -> Tensor | None:
        """Add up what arrived, pairwise: the operator Sum leaves the graphics card in some browsers."""
        parts = self._arrived.get(name, [])
        if not parts:
            return None
        total = parts[0]
        for part in parts[1:]:
            total = total + part
        self._arrived[name] = [total.shaped(self.forward.shape(name))]
        return self._arrived[name][0]

    def _tensor(self, name: str) -> Tensor:
        return Tensor(self.writer, name, self.forward.dtype(name), self.forward.shape(name))


def find_path(forward: Forward, targets: Iterable[str], of: str) -> list[onnx.NodeProto]:
    """Return the nodes between the targets and `of`, in the graph's order, and mark the tensors they pass on as active.

    Raises GradientError where `of` does not depend on a target, or a shape on the way has no known rank.
    """
    forward.active = _reached(forward, targets)
    needed = _ancestors(forward, of)
    for target in targets:
        if target not in needed:
            raise GradientError(
                f"{of!r} does not depend on {target!r} through floating-point numbers: there is no gradient. "
                "Name an input or a tensor that it is computed from."
            )
    path = [
        node
        for node in forward.graph.node
        if needed.intersection(node.output)
        and forward.active.intersection(node.output)
        and _reads(node) & forward.active
    ]
    for node in path:
        _check_ranks(forward, node)
    return path


def without_rule(path: Iterable[onnx.NodeProto]) -> list[onnx.NodeProto]:
    """Return the nodes of a path that the table has no rule for."""
    return [node for node in path if node.domain not in STANDARD or node.op_type not in RULES]


def _reached(forward: Forward, targets: Iterable[str]) -> set[str]:
    reached = set(targets)
    for node in forward.graph.node:
        if _reads(node) & reached:
            reached.update(name for name in node.output if name and forward.differentiable(name))
    return reached


def _ancestors(forward: Forward, of: str) -> set[str]:
    """All tensors that `of` is computed from, through active ones only, and itself."""
    needed = {of}
    for node in reversed(forward.graph.node):
        if needed.intersection(node.output):
            needed |= _reads(node) & forward.active
    return needed


def _reads(node: onnx.NodeProto) -> set[str]:
    """What a node reads, the bodies of control flow included."""
    return {name for name in (*node.input, *_captured(node)) if name}


def _captured(node: onnx.NodeProto) -> Iterator[str]:
    for attribute in node.attribute:
        for body in (attribute.g, *attribute.graphs):
            for inner in body.node:
                yield from _reads(inner)
            yield from (output.name for output in body.output)


def _check_ranks(forward: Forward, node: onnx.NodeProto) -> None:
    for name in (*node.input, *node.output):
        if name and forward.differentiable(name) and forward.shape(name) is None:
            raise GradientError(
                f"Shape inference does not tell the rank of {name!r} at node {node.name or node.output[0]!r} "
                f"({node.op_type}). Export the model with fixed sizes, or write the shapes into it."
            )
