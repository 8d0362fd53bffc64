"""Adam's step as nodes of a graph, put behind a gradient (Kingma and Ba 2015), after which noise inputs are normalised.

first'  = 0.9 first + 0.1 g                 rates[0] is the rate, already corrected for the first moment's start
second' = 0.999 second + 0.001 g²           rates[1] corrects the second's
x' = x − rates[0] first' / (√(rates[1] second') + 1e-8)
"""

from collections.abc import Mapping

import onnx
from onnx import TensorProto, helper

from sitegen.generation.projection.drawn import Drawn
from sitegen.gradient.tensor import Tensor, ints, op
from sitegen.gradient.writer import Writer
from sitegen_runtime.projection.loop import FIRST, RATES, SECOND, STATE
from sitegen_runtime.projection.schedule import EPSILON
from sitegen_runtime.projection.schedule import FIRST as KEPT_FIRST
from sitegen_runtime.projection.schedule import SECOND as KEPT_SECOND

PREFIX = "next-"


def add_step(model: onnx.ModelProto, slope: str, drawn: Drawn, opset: int) -> None:
    """Give a graph that has PARAMETERS, RATES and the gradient `slope` the inputs FIRST and SECOND, and the outputs
    PREFIX + each of STATE."""
    graph = model.graph
    taken = {name for node in graph.node for name in (*node.input, *node.output)}
    writer = Writer(taken, opset)
    shape = [1, drawn.values]
    taken_in = {name: Tensor(writer, name, TensorProto.FLOAT) for name in (*STATE, RATES)}
    stepped = _stepped(taken_in, Tensor(writer, slope, TensorProto.FLOAT), drawn)
    nodes, constants = writer.needed(tensor.name for tensor in stepped)
    graph.node.extend(nodes)
    graph.initializer.extend(constants)
    for name in (FIRST, SECOND):
        graph.input.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
    for name, tensor in zip(STATE, stepped, strict=True):
        graph.node.append(helper.make_node("Identity", [tensor.name], [PREFIX + name], name=PREFIX + name))
        graph.output.append(helper.make_tensor_value_info(PREFIX + name, TensorProto.FLOAT, shape))


def _stepped(given: Mapping[str, Tensor], slope: Tensor, drawn: Drawn) -> tuple[Tensor, Tensor, Tensor]:
    parameters, first, second, rates = (given[name] for name in (*STATE, RATES))
    first = KEPT_FIRST * first + (1 - KEPT_FIRST) * slope
    second = KEPT_SECOND * second + (1 - KEPT_SECOND) * (slope * slope)
    rate, corrected = (_columns(rates, at, at + 1) for at in (0, 1))
    moved = parameters - rate * first / (op("Sqrt", second * corrected) + EPSILON)
    at = drawn.layers * drawn.length
    parts = [_columns(moved, 0, at)]
    for side in drawn.sides:
        parts.append(_normalised(_columns(moved, at, at + side**2)))
        at += side**2
    return op("Concat", *parts, axis=1), first, second


def _columns(values: Tensor, start: int, stop: int) -> Tensor:
    return op("Slice", values, ints(start), ints(stop), ints(1))


def _normalised(noise: Tensor) -> Tensor:
    """The noise input with mean 0 and variance 1."""
    centred = noise - op("ReduceMean", noise, ints(1), keepdims=1)
    return centred / op("Sqrt", op("ReduceMean", centred * centred, ints(1), keepdims=1))
