"""Nodes of a TensorFlow graph in JSON: their attributes, and the order in which they can be computed."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sitegen.errors import ModelError


@dataclass(frozen=True)
class TfNode:
    """A node: its operator, the names of the nodes whose first output it reads, and its attributes as JSON has them."""

    name: str
    operator: str
    inputs: tuple[str, ...]
    attributes: Mapping[str, Mapping[str, Any]]

    def numbers(self, name: str, default: Sequence[int] | None = None) -> list[int]:
        """Return a list of whole numbers. Raises ModelError where there is none and no default."""
        entry = self.attributes.get(name, {})
        found = entry.get("list", {}).get("i") if isinstance(entry.get("list"), dict) else None
        if found is None and default is not None:
            return list(default)
        if not isinstance(found, list):
            raise self.unsupported(f"its attribute {name!r} is missing")
        return [int(number) for number in found]

    def number(self, name: str, default: float) -> float:
        """Return a floating-point number."""
        return float(self.attributes.get(name, {}).get("f", default))

    def flag(self, name: str) -> bool:
        """Return a truth value, false where it is missing."""
        return bool(self.attributes.get(name, {}).get("b", False))

    def mask(self, name: str, axis: int) -> bool:
        """Whether the bit of an axis is set in a number of bits."""
        return bool(int(self.attributes.get(name, {}).get("i", 0)) >> axis & 1)

    def text(self, name: str, default: str = "") -> str:
        """Return a text in capital letters."""
        found = self.attributes.get(name, {}).get("s")
        return default if found is None else self._decoded(found)

    def texts(self, name: str) -> list[str]:
        """Return a list of texts in capital letters."""
        entry = self.attributes.get(name, {}).get("list")
        found = entry.get("s") if isinstance(entry, dict) else None
        return [self._decoded(each) for each in found or []]

    def shape(self) -> list[int | None] | None:
        """Return the stated shape, None where not even the rank is known; open sizes are None."""
        entry = self.attributes.get("shape", {}).get("shape", {})
        if not isinstance(entry, dict) or entry.get("unknownRank") or "dim" not in entry:
            return None
        sizes = [int(dim.get("size", 0)) for dim in entry["dim"]]
        return [size if size > 0 else None for size in sizes]

    def unsupported(self, reason: str) -> ModelError:
        """Return the error that this node cannot be taken over."""
        return ModelError(f"The node {self.name!r} ({self.operator}): {reason}. Convert the model again, or as ONNX.")

    def _decoded(self, value: Any) -> str:
        try:
            raw = bytes(value) if isinstance(value, list) else base64.b64decode(str(value), validate=True)
            return raw.decode("ascii").upper()
        except (ValueError, TypeError, binascii.Error) as error:
            raise self.unsupported(f"{value!r} is no text in base64") from error


def slices(node: TfNode, begin: Sequence[int], end: Sequence[int], step: Sequence[int]) -> list[slice | None]:
    """Return what a StridedSlice takes along each axis that it names; None stands for an ellipsis, all axes between.

    Raises ModelError for what makes an axis, or goes nowhere.
    """
    found: list[slice | None] = []
    for axis, (first, last, by) in enumerate(zip(begin, end, step, strict=True)):
        if node.mask("new_axis_mask", axis) or by == 0:
            raise node.unsupported("it makes new axes, or has a step of 0")
        if node.mask("ellipsis_mask", axis):
            found.append(None)
        elif node.mask("shrink_axis_mask", axis):
            found.append(slice(first, first + 1 or None, 1))
        else:
            whole = node.mask("begin_mask", axis), node.mask("end_mask", axis)
            found.append(slice(None if whole[0] else first, None if whole[1] else last, by))
    return found


def node_of(entry: Any, file: Path) -> TfNode:
    """Return a node of the topology. Raises ModelError where it is none."""
    try:
        # "^name" says that a node comes first, and gives nothing; "name:0" is the same as "name".
        read = [str(name) for name in entry.get("input", []) if not str(name).startswith("^")]
        attributes = {str(name): dict(value) for name, value in entry.get("attr", {}).items()}
        node = TfNode(str(entry["name"]), str(entry["op"]), tuple(name.removesuffix(":0") for name in read), attributes)
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        raise ModelError(f"{file} has a node that is none: {str(entry)[:200]}. Get the file again.") from error
    if any(":" in name for name in node.inputs):
        raise node.unsupported(f"it reads further outputs of other nodes, {node.inputs}")
    return node


def in_order(nodes: Sequence[TfNode], outputs: Sequence[str], file: Path) -> list[TfNode]:
    """Return the nodes that the outputs need, each after those that it reads.

    Raises ModelError where one is missing, is there twice, or needs itself.
    """
    known = {node.name: node for node in nodes}
    if len(known) < len(nodes):
        raise ModelError(f"{file} has several nodes of the same name. Get the file again.")
    done: dict[str, TfNode] = {}
    entered: set[str] = set()
    waiting = list(reversed(outputs))
    while waiting:
        name = waiting[-1]
        if name not in known:
            raise ModelError(f"{file} has no node {name!r}, which another one or the signature names.")
        missing = [each for each in known[name].inputs if each not in done]
        if name in done or not missing:
            done.setdefault(name, known[name])
            waiting.pop()
        elif name in entered:
            raise ModelError(f"{file}: the node {name!r} needs its own result. Get the file again.")
        else:
            entered.add(name)
            waiting.extend(reversed(missing))
    if not done:
        raise ModelError(f"{file} has no outputs. Get the file again.")
    return list(done.values())
