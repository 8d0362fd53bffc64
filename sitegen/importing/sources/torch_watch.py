"""The operators of a network of PyTorch as they run: what made a tensor's numbers, and between which they lie."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from sitegen.importing.graph import bounds
from sitegen.importing.graph.bounds import FAR, SIGMOID, SOFTMAX, UNCLEAR, Bounds, Known

_SIGMOID = "aten::sigmoid"
SOFTMAXES = {"aten::_softmax", "aten::_log_softmax"}
_JOINING = {"aten::cat", "aten::stack"}
_SMALL = 1 << 16  # elements of a constant that are looked at


@dataclass
class _Call:
    """An operator that ran, where the numbers lie that it made, and how many; what it was given, where that matters."""

    operator: Any
    place: int
    count: int
    given: Sequence[Any]

    @property
    def name(self) -> str:
        """As in "aten::sigmoid"."""
        return str(self.operator._schema.name)


class Watch(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Notes the operators of a run, and keeps what sigmoids, softmaxes and what joins their outputs were given."""

    def __init__(self, image: Tensor) -> None:
        """`image` is what the network is given: all else that no operator made is a constant."""
        super().__init__()  # type: ignore[no-untyped-call]
        self.calls: list[_Call] = []
        self._known: dict[int, Known] = {image.untyped_storage().data_ptr(): None}

    def __torch_dispatch__(
        self, func: Any, types: Sequence[type], args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Run an operator, and note it."""
        made = func(*args, **(kwargs or {}))
        first = made[0] if isinstance(made, (tuple, list)) and made else made
        if isinstance(first, Tensor) and not func.is_view:
            kept = func._schema.name in {_SIGMOID} | SOFTMAXES | _JOINING
            place = first.untyped_storage().data_ptr()
            self._known[place] = self._bounds(func._schema.name, args, kwargs or {})
            self.calls.append(_Call(func, place, first.numel(), args if kept else ()))
        return made

    def end(self, tensor: Tensor) -> _Call | None:
        """Return the operator that made a tensor's numbers, behind those that only give them another shape.

        Memory is used again and again: the last operator that wrote to a place is the one whose numbers are there.
        """
        place, count = tensor.untyped_storage().data_ptr(), tensor.numel()
        found = next((call for call in reversed(self.calls) if call.place == place), None)
        return found if found is not None and found.count == count else None

    def before_sigmoid(self, tensor: Tensor) -> Tensor | None:
        """Return what the sigmoid that made a tensor was given, in the tensor's shape; of several, joined likewise."""
        call = self.end(tensor)
        if call is not None and call.name == _SIGMOID:
            given: Tensor = call.given[0]
            return given.reshape(tensor.shape)
        if call is None or call.name not in _JOINING:
            return None
        parts = [self.before_sigmoid(part) for part in call.given[0]]
        if any(part is None for part in parts):
            return None
        joined: Tensor = call.operator(parts, *call.given[1:])
        return joined.reshape(tensor.shape)

    def bounds(self, value: Any) -> Known:
        """Return between which numbers those of a tensor lie, or a number or a constant does."""
        if isinstance(value, (int, float)):
            return bounds.constant(float(value))
        if not isinstance(value, Tensor):
            return None
        place = value.untyped_storage().data_ptr()
        if place in self._known:
            return self._known[place]
        if value.numel() > _SMALL or not value.is_floating_point():
            return None
        return bounds.constant(value.detach().numpy())

    def _bounds(self, schema: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Known:
        name = schema.removeprefix("aten::").rstrip("_")
        if name in _SAME:
            return self.bounds(args[0])
        if name in _PARTS:
            return bounds.part(self.bounds(args[0]))
        if name in _UNCLEAR:
            return UNCLEAR
        rule = _RULES.get(name)
        return rule(self, args, kwargs) if rule else None

    def _sum(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Known:
        factor = bounds.constant(kwargs.get("alpha", args[2] if len(args) > 2 else 1))
        return bounds.total([self.bounds(args[0]), bounds.product(self.bounds(args[1]), factor)])

    def _difference(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Known:
        factor = bounds.constant(kwargs.get("alpha", args[2] if len(args) > 2 else 1))
        return bounds.total([self.bounds(args[0]), bounds.negative(bounds.product(self.bounds(args[1]), factor))])

    def _weighted(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Known:
        added, given, matrix = (None, *args[:2]) if len(args) < 3 else args[:3]
        found = self.bounds(given)
        place = matrix.untyped_storage().data_ptr()
        if found is None or not found.share or place in self._known or matrix.numel() > _SMALL:
            return None
        return bounds.weighted(found, matrix.detach().numpy().T, self.bounds(added))

    def _clamped(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Known:
        low, high = (kwargs.get(name, args[at] if len(args) > at else None) for at, name in ((1, "min"), (2, "max")))
        limits = [float(each) if isinstance(each, (int, float)) else None for each in (low, high)]
        return bounds.clipped(self.bounds(args[0]), *limits)


_SAME = {"_to_copy", "clone", "copy", "contiguous", "detach", "alias", "lift_fresh_copy", "_reshape_copy", "dropout"}
_PARTS = {"adaptive_avg_pool2d", "_adaptive_avg_pool2d", "amax", "amin", "avg_pool2d", "gather", "index", "max", "mean"}
_PARTS |= {"index_select", "max_pool2d_with_indices", "min", "sort", "topk", "repeat", "flip"}
_UNCLEAR = {"exp", "log", "logsumexp", "prod", "reciprocal", "softplus", "cumsum", "log1p", "expm1"}
Rule = Callable[[Watch, Sequence[Any], Mapping[str, Any]], Known]


def _sums(watch: Watch, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Known:
    given = watch.bounds(args[0])
    return given if given is None else Bounds(-FAR if given.low < 0 else 0.0, FAR, given.share)


def _power(watch: Watch, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Known:
    exponent = args[1] if len(args) > 1 else 0.5
    return bounds.power(watch.bounds(args[0]), float(exponent) if isinstance(exponent, (int, float)) else 0.0)


_RULES: dict[str, Rule] = {
    "sigmoid": lambda watch, args, kwargs: SIGMOID,
    "hardsigmoid": lambda watch, args, kwargs: Bounds(0.0, 1.0),
    "tanh": lambda watch, args, kwargs: Bounds(-1.0, 1.0),
    "_softmax": lambda watch, args, kwargs: SOFTMAX if args[1] in (-1, args[0].ndim - 1) else bounds.part(SOFTMAX),
    "_log_softmax": lambda watch, args, kwargs: UNCLEAR,
    "add": Watch._sum,
    "sub": Watch._difference,
    "rsub": lambda watch, args, kwargs: Watch._difference(watch, [args[1], args[0], *args[2:]], kwargs),
    "mul": lambda watch, args, kwargs: bounds.product(watch.bounds(args[0]), watch.bounds(args[1])),
    "div": lambda watch, args, kwargs: bounds.quotient(watch.bounds(args[0]), watch.bounds(args[1])),
    "neg": lambda watch, args, kwargs: bounds.negative(watch.bounds(args[0])),
    "relu": lambda watch, args, kwargs: bounds.clipped(watch.bounds(args[0]), 0.0, None),
    "sum": _sums,
    "pow": _power,
    "sqrt": _power,
    "clamp": Watch._clamped,
    "clamp_min": Watch._clamped,
    "where": lambda watch, args, kwargs: bounds.hull([watch.bounds(each) for each in args[1:]]),
    "maximum": lambda watch, args, kwargs: bounds.hull([watch.bounds(each) for each in args[:2]]),
    "minimum": lambda watch, args, kwargs: bounds.hull([watch.bounds(each) for each in args[:2]]),
    **dict.fromkeys(("mm", "addmm", "linear"), Watch._weighted),
    **dict.fromkeys(
        ("cat", "stack"), lambda watch, args, kwargs: bounds.hull([watch.bounds(each) for each in args[0]])
    ),
}
