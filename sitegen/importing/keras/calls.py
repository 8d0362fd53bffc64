"""Who reads what in a functional model: the `inbound_nodes` of Keras 1 to 3.

Keras 2   [[["conv", 0, 0, {}], ["relu", 0, 0, {}]]]            a list for each call: layer, call, result, arguments
Keras 3   [{"args": [{"class_name": "__keras_tensor__", "config": {"keras_history": ["conv", 0, 0]}}], "kwargs": {}}]
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sitegen.errors import ModelError
from sitegen.importing.keras.network import Layer, Values, is_whole

_CONSTANT = "_CONSTANT_VALUE"
_OPERANDS = ("x", "x1", "x2", "y", "inputs")  # arguments of functions that tensors and numbers are given as


@dataclass(frozen=True)
class Ref:
    """One result of one call of a layer."""

    layer: str
    at: int
    result: int

    @property
    def call(self) -> tuple[str, int]:
        """Return which call it is."""
        return self.layer, self.at


@dataclass(frozen=True)
class Call:
    """What one call of a layer reads, and the number that stands beside a tensor, where there is one."""

    refs: tuple[Ref, ...]
    constant: Values | None = None
    constant_first: bool = False
    training: bool = False


def references(model: Layer, stated: object) -> list[Ref]:
    """Return the inputs or outputs that a model states: a list of references, or one. Raises ModelError."""
    if _is_ref(stated):
        return [_ref(stated)]
    if isinstance(stated, dict):
        stated = list(stated.values())
    if not isinstance(stated, list) or not all(_is_ref(entry) for entry in stated) or not stated:
        raise ModelError(f"The model {model.name!r}: its inputs or outputs are {str(stated)[:120]}. Save it again.")
    return [_ref(entry) for entry in stated]


def calls_of(layer: Layer, entry: Mapping[str, Any]) -> Iterator[Call]:
    """Yield the calls of a layer, in their order. Raises ModelError where they are in no form that Keras has."""
    nodes = entry.get("inbound_nodes") or []
    if not isinstance(nodes, list):
        raise layer.unsupported("its inbound_nodes are no list")
    for node in nodes:
        if isinstance(node, dict):
            args, kwargs = node.get("args") or [], node.get("kwargs") or {}
        elif _is_ref(node):
            args, kwargs = [node], _arguments([node])
        elif isinstance(node, list):
            args, kwargs = node, _arguments(node)
        else:
            raise layer.unsupported(f"its inbound_nodes hold {str(node)[:80]}")
        if not isinstance(args, list) or not isinstance(kwargs, dict):
            raise layer.unsupported("its inbound_nodes are not those of a call")
        yield _call(layer, [*args, *(kwargs[key] for key in _OPERANDS if key in kwargs)], kwargs)


def _arguments(node: Sequence[Any]) -> Mapping[str, Any]:
    """The arguments by name of a call of Keras 2, which stand behind the first tensor."""
    first = node[0] if node and isinstance(node[0], list) else None
    return first[3] if first is not None and len(first) > 3 and isinstance(first[3], dict) else {}


def _call(layer: Layer, operands: Sequence[Any], kwargs: Mapping[str, Any]) -> Call:
    refs: list[Ref] = []
    constants: list[tuple[int, Values]] = []
    for operand in _flat(operands):
        if _is_ref(operand):
            refs.append(_ref(operand))
        elif (number := _number(operand)) is not None:
            constants.append((len(refs), number))
        else:
            raise layer.unsupported(f"it is called with {str(operand)[:80]}")
    if not refs or len(constants) > 1 or len(refs) > 4096:
        raise layer.unsupported("it is not called with tensors, or with more numbers than one")
    place, constant = constants[0] if constants else (1, None)
    return Call(tuple(refs), constant, place == 0, kwargs.get("training") is True)


def _flat(operands: Sequence[Any]) -> Iterator[Any]:
    """Yield the operands of a call, those in lists one by one."""
    for operand in operands:
        if isinstance(operand, list) and not _is_ref(operand) and any(_is_ref(each) for each in operand):
            yield from operand
        else:
            yield operand


def _is_ref(value: object) -> bool:
    if isinstance(value, dict):
        config = value.get("config")
        return (
            value.get("class_name") == "__keras_tensor__"
            and isinstance(config, dict)
            and _is_ref(config.get("keras_history"))
        )
    return (
        isinstance(value, list)
        and 3 <= len(value) <= 4
        and isinstance(value[0], str)
        and value[0] != _CONSTANT
        and is_whole(value[1])
        and is_whole(value[2])
    )


def _ref(value: Any) -> Ref:
    layer, at, result = (value["config"]["keras_history"] if isinstance(value, dict) else value)[:3]
    return Ref(layer, at, result)


def _number(value: Any) -> Values | None:
    """Return a number, or an array of them, that a function is called with; None for anything else."""
    if isinstance(value, list) and len(value) > 2 and value[0] == _CONSTANT:
        value = value[2]
    if isinstance(value, dict):
        inner = value.get("config")
        value = inner.get("value") if isinstance(inner, dict) else None
    if value is None or isinstance(value, (str, bool, dict)):
        return None
    try:
        found = np.asarray(value, np.float64)
    except (ValueError, TypeError, OverflowError):
        return None
    fits = found.size < 4096 and bool((np.abs(found) < 1e30).all())
    return found.astype(np.float32) if fits else None
