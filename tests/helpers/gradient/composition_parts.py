"""What random graphs are composed of: each part adds one operator, or a few, to a tensor drawn before."""

import math
from collections.abc import Callable

import numpy as np
import torch
from torch.nn import functional

from tests.helpers.gradient.composition_images import IMAGE_PARTS
from tests.helpers.gradient.compositions import Choose, Composition, Part
from tests.helpers.gradient.proof import values

_MOST_ELEMENTS = 1500  # in one image


ACTIVATIONS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "Abs": torch.abs,
    "Cos": torch.cos,
    "Elu": functional.elu,
    "Erf": torch.erf,
    "Exp": torch.exp,
    "Gelu": functional.gelu,
    "HardSwish": functional.hardswish,
    "LeakyRelu": functional.leaky_relu,
    "Mish": functional.mish,
    "Neg": torch.neg,
    "Relu": torch.relu,
    "Selu": functional.selu,
    "Sigmoid": torch.sigmoid,
    "Sin": torch.sin,
    "Softplus": functional.softplus,
    "Softsign": functional.softsign,
    "Tanh": torch.tanh,
}
OF_POSITIVE: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "Log": torch.log,
    "Reciprocal": torch.reciprocal,
    "Sqrt": torch.sqrt,
}
PAIRS: dict[str, Callable[[torch.Tensor, torch.Tensor], torch.Tensor]] = {
    "Add": torch.add,
    "Max": torch.maximum,
    "Min": torch.minimum,
    "Mul": torch.mul,
    "Sub": torch.sub,
}
REDUCTIONS: dict[str, Callable[[torch.Tensor, tuple[int, ...]], torch.Tensor]] = {
    "ReduceL2": lambda t, axes: torch.linalg.vector_norm(t, 2, axes, True),
    "ReduceLogSumExp": lambda t, axes: t.logsumexp(axes, True),
    "ReduceMax": lambda t, axes: _first_maximum(t, axes),
    "ReduceMean": lambda t, axes: t.mean(axes, True),
    "ReduceSum": lambda t, axes: t.sum(axes, True),
}


def _first_maximum(t: torch.Tensor, axes: tuple[int, ...]) -> torch.Tensor:
    """Other than amax, which shares the gradient among several maxima."""
    for axis in sorted((axis % 4 for axis in axes), reverse=True):
        t = t.max(axis, keepdim=True).values
    return t


def _activate(c: Composition, x: str, choose: Choose) -> str:
    operator = choose(sorted(ACTIVATIONS))
    return c.add(operator, ACTIVATIONS[operator], x)


def _of_positive(c: Composition, x: str, choose: Choose) -> str:
    operator = choose(sorted(OF_POSITIVE))
    return c.add(operator, OF_POSITIVE[operator], c.add("Softplus", functional.softplus, x))


def _partner(c: Composition, x: str, choose: Choose) -> str:
    """Another tensor that x can be combined with by broadcasting."""
    shape = c.shape(x)
    return str(
        choose([t for t in c.tensors if all(a == b or 1 in (a, b) for a, b in zip(c.shape(t), shape, strict=True))])
    )


def _pair(c: Composition, x: str, choose: Choose) -> str:
    operator, operands = choose(sorted(PAIRS)), [x, _partner(c, x, choose)]
    return c.add(operator, PAIRS[operator], *(operands if choose([True, False]) else operands[::-1]))


def _divide(c: Composition, x: str, choose: Choose) -> str:
    return c.add("Div", torch.div, x, c.add("Sigmoid", torch.sigmoid, _partner(c, x, choose)))


def _power(c: Composition, x: str, choose: Choose) -> str:
    exponent = choose([2.0, 3.0, 1.5])
    base = x if exponent != 1.5 else c.add("Softplus", functional.softplus, x)
    return c.add("Pow", lambda t, n: t**n, base, np.array(exponent, np.float32))


def _affine(c: Composition, x: str, choose: Choose) -> str:
    shape = (c.shape(x)[1], 1, 1) if choose([True, False]) else (c.shape(x)[3],)
    return c.add("Add", torch.add, c.add("Mul", torch.mul, x, c.random(*shape)), c.random(*shape))


def _select(c: Composition, x: str, choose: Choose) -> str:
    other = _partner(c, x, choose)
    condition = c.rng.uniform(size=c.shape(x)[1:]) > 0.5
    return c.add("Where", torch.where, condition, x, other)


def _clip(c: Composition, x: str, choose: Choose) -> str:
    low, high = (np.array(bound, np.float32) for bound in choose([(-0.5, 0.9), (-1.5, 0.3)]))
    return c.add("Clip", torch.clamp, x, low, high)


def _reduce(c: Composition, x: str, choose: Choose) -> str:
    operator, axes = choose(sorted(REDUCTIONS)), choose([(1,), (2, 3), (-1,), (3, 1)])
    return c.add(operator, lambda t, _: REDUCTIONS[operator](t, axes), x, np.array(axes), keepdims=1)


def _average_all(c: Composition, x: str, choose: Choose) -> str:
    return c.add("GlobalAveragePool", lambda t: t.mean((2, 3), True), x)


def _soft_maximum(c: Composition, x: str, choose: Choose) -> str:
    operator, axis = choose(["Softmax", "LogSoftmax"]), choose([1, -1, 2])
    function = torch.softmax if operator == "Softmax" else torch.log_softmax
    return c.add(operator, lambda t: function(t, axis), x, axis=axis)


PARTS: list[Part] = [
    _activate,
    _activate,
    _of_positive,
    _pair,
    _pair,
    _divide,
    _power,
    _affine,
    _select,
    _clip,
    _reduce,
    _average_all,
    _soft_maximum,
    *IMAGE_PARTS,
]


def compose(batch: int, seed: int, count: int, choose: Choose) -> Composition:
    """Draw a graph of about `count` parts. `choose` picks one of several; `seed` gives the numbers."""
    shape = (batch, choose([2, 4]), *choose([(4, 6), (6, 4), (5, 7)]))
    composition = Composition(values(*shape, seed=seed), np.random.default_rng(seed))
    while len(composition.tensors) <= count:
        x = choose(composition.tensors[-3:])
        large = math.prod(composition.shape(x)[1:]) > _MOST_ELEMENTS
        part = _average_all if large else choose(PARTS)
        composition.keep(part(composition, x, choose) or _activate(composition, x, choose))
    return composition
