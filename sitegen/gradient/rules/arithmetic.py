"""Arithmetic of two and more tensors, with broadcasting: gradients are added up along what was repeated."""

from sitegen.gradient.node import Node
from sitegen.gradient.shapes import sum_to, zeros_like
from sitegen.gradient.table import pullback
from sitegen.gradient.tensor import Tensor, op


def _summed(node: Node, *gradients: Tensor | None) -> list[Tensor | None]:
    """Bring the gradients of all inputs from the output's shape to their own."""
    return [
        None if gradient is None or like is None else sum_to(gradient, like, node.y)
        for gradient, like in zip(gradients, node.inputs, strict=False)
    ]


@pullback("Add", "Sum")
def add(node: Node, g: Tensor) -> list[Tensor | None]:
    """each input: g"""
    return _summed(node, *[g] * len(node.inputs))


@pullback("Mean")
def mean(node: Node, g: Tensor) -> list[Tensor | None]:
    """each of n inputs: g / n"""
    return _summed(node, *[g * (1 / len(node.inputs))] * len(node.inputs))


@pullback("Sub")
def subtract(node: Node, g: Tensor) -> list[Tensor | None]:
    """a: g; b: −g"""
    return _summed(node, g, -g)


@pullback("Mul")
def multiply(node: Node, g: Tensor) -> list[Tensor | None]:
    """a: g·b; b: g·a"""
    a, b = node.input(0), node.input(1)
    return _summed(node, g * b, g * a)


@pullback("Div")
def divide(node: Node, g: Tensor) -> list[Tensor | None]:
    """a: g / b; b: −g·y / b"""
    quotient = g / node.input(1)
    return _summed(node, quotient, -(quotient * node.y))


@pullback("Pow")
def raised(node: Node, g: Tensor) -> list[Tensor | None]:
    """a: g·b·a^(b − 1), 0 where b = 0; b: g·y·log(a), 0 where a = 0"""
    a, b = node.input(0), node.input(1)
    exponent = node.known(1)
    if exponent is not None and exponent.size == 1 and not node.wants(1):
        return _summed(node, _fixed_power(a, float(exponent.reshape(())), g), None)
    power = op("Cast", b, to=a.dtype)
    to_a = op("Where", op("Equal", power, 0), 0, g * power * op("Pow", a, power - 1))
    to_b = op("Where", op("Equal", a, 0), 0, g * node.y * op("Log", a))
    return _summed(node, to_a, op("Cast", to_b, to=b.dtype))


def _fixed_power(a: Tensor, exponent: float, g: Tensor) -> Tensor:
    """g·n·a^(n − 1) without Pow for small whole n, which engines compute far slower and less exactly."""
    if exponent == 0:
        return zeros_like(g)
    if exponent == 2:
        return g * a * 2
    if exponent == 3:
        return g * (a * a) * 3
    return g * op("Pow", a, exponent - 1) * exponent


@pullback("Max", "Min")
def extremum(node: Node, g: Tensor) -> list[Tensor | None]:
    """g to the input that is taken; half of g each to two that tie, taken pairwise from the left"""
    inputs = [tensor for tensor in node.inputs if tensor is not None]
    taken = [inputs[0]]
    for other in inputs[1:]:
        taken.append(op(node.operator, taken[-1], other))
    gradients: list[Tensor] = []
    for other, before in zip(inputs[:0:-1], taken[-2::-1], strict=True):
        wins = op("Greater" if node.operator == "Max" else "Less", before, other)
        ties, half = op("Equal", before, other), g * 0.5
        gradients.insert(0, op("Where", ties, half, op("Where", wins, 0, g)))
        g = op("Where", ties, half, op("Where", wins, g, 0))
    return _summed(node, g, *gradients)


@pullback("Where")
def where(node: Node, g: Tensor) -> list[Tensor | None]:
    """a: g where the condition holds; b: g where it does not"""
    condition = node.input(0)
    return _summed(node, None, op("Where", condition, g, 0), op("Where", condition, 0, g))
