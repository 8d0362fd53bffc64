"""A network's ONNX graph as steps that TensorFlow.js takes, written as its converter would write them.

Maps are laid out with channels last; a convolution, its bias and the rectifier that follows are one fused kernel; a
normalisation that follows no convolution is a scale and a shift. Attention and what belongs to it is taken as it is.
`gradient_page/steps_worker.js` runs the steps.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from densenet_files import FloatArray, Tree, WeightFile
from onnx import NodeProto, helper, numpy_helper, shape_inference

Size = tuple[int, ...]


class Steps:
    """The steps so far, and the weights that they read."""

    def __init__(self, model: onnx.ModelProto, file: WeightFile) -> None:
        """`model` has its weights in it, and inputs of fixed shapes."""
        self.file = file
        self.steps: list[Tree] = []
        self.weights: Tree = {}
        graph = shape_inference.infer_shapes(model).graph
        self.constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
        values = (*graph.input, *graph.value_info, *graph.output)
        self.sizes: dict[str, Size] = {
            value.name: tuple(size.dim_value for size in value.type.tensor_type.shape.dim) for value in values
        }
        self.maps = {graph.input[0].name}  # laid out with channels last
        self._readers = Counter(name for node in graph.node for name in node.input)
        self._fused: set[str] = set()
        self.nodes = list(graph.node)

    def write(self) -> None:
        """Write all nodes. Raises KeyError or ValueError where one has no counterpart here."""
        for node in self.nodes:
            if node.output[0] not in self._fused:
                _RULES[node.op_type](self, node)
        _free_after_last_use(self.steps)

    def step(self, op: str, inputs: Sequence[str], output: str, *, maps: bool = False, **details: object) -> None:
        """Add one."""
        self.steps.append({"op": op, "inputs": list(inputs), "output": output, **details})
        if maps:
            self.maps.add(output)

    def weight(self, name: str, values: FloatArray) -> str:
        """Store an array and return the name that steps call it by."""
        self.weights[name] = self.file.add(torch.from_numpy(np.array(values, np.float32)))
        return name

    def read(self, name: str) -> str:
        """Return the name of a tensor that is not maps: a weight, stored, or what a step gave."""
        return self.weight(name, self.constants[name]) if name in self.constants else name

    def activation(self, node: NodeProto) -> tuple[str, str]:
        """Return the rectifier that alone reads a node's output, if there is one, and what comes out in the end."""
        after = [reader for reader in self.nodes if node.output[0] in reader.input]
        if len(after) == 1 and (kind := self.rectifier(after[0])):
            self._fused.add(after[0].output[0])
            return kind, after[0].output[0]
        return "linear", node.output[0]

    def rectifier(self, node: NodeProto) -> str:
        """Return "relu" or "relu6" for such a node, "" for others."""
        if node.op_type == "Clip":
            bounds = [float(self.constants[name]) for name in node.input[1:]]
            return "relu6" if bounds == [0, 6] else ""
        return "relu" if node.op_type == "Relu" else ""


def tensorflow_steps(graph: Path, file: WeightFile) -> Tree:
    """Write a network's weights to `file`, and return its steps, their weights, the input's and the output's name."""
    model = onnx.load(str(graph))
    steps = Steps(model, file)
    steps.write()
    names = {"input": model.graph.input[0].name, "output": model.graph.output[0].name}
    return {"steps": steps.steps, "weights": steps.weights, **names}


def _free_after_last_use(steps: list[Tree]) -> None:
    last = {name: number for number, step in enumerate(steps) for name in step["inputs"]}
    made = {step["output"] for step in steps}
    for number, step in enumerate(steps):
        step["free"] = [name for name in dict.fromkeys(step["inputs"]) if name in made and last[name] == number]


def _attributes(node: NodeProto) -> Tree:
    return {entry.name: helper.get_attribute_value(entry) for entry in node.attribute}


def _padding(pads: Sequence[int], size: Size, kernel: Size, stride: int) -> str | int:
    """Return padding as TensorFlow.js states it: "same" after its rule, or one number for all sides."""
    missing = [max((-(-side // stride) - 1) * stride + span - side, 0) for side, span in zip(size, kernel, strict=True)]
    same = [*(number // 2 for number in missing), *(number - number // 2 for number in missing)]
    if list(pads) == same:
        return "same"
    if len(set(pads)) > 1:
        raise ValueError(f"pads {list(pads)} have no counterpart")
    return int(pads[0])


def _convolution(steps: Steps, node: NodeProto) -> None:
    details, kernel = _attributes(node), steps.constants[node.input[1]]
    depthwise = details["group"] > 1
    if depthwise and (details["group"] != kernel.shape[0] or kernel.shape[1] != 1):
        raise ValueError("convolutions in groups have no counterpart")
    filters = kernel.transpose((2, 3, 0, 1) if depthwise else (2, 3, 1, 0))
    bias = [steps.read(node.input[2])] if len(node.input) > 2 else []
    stride = details["strides"][0]
    pad = _padding(details["pads"], steps.sizes[node.input[0]][2:], kernel.shape[2:], stride)
    kind, output = steps.activation(node)
    inputs = [node.input[0], steps.weight(node.input[1], filters), *bias]
    op = "depthwise" if depthwise else "convolve"
    steps.step(op, inputs, output, maps=True, stride=stride, pad=pad, activation=kind)


def _normalise(steps: Steps, node: NodeProto) -> None:
    scale, shift, mean, variance = (steps.constants[name] for name in node.input[1:])
    slope = scale / np.sqrt(variance + _attributes(node)["epsilon"])
    names = [steps.weight(f"{node.output[0]} {part}", values) for part, values in
             (("slope", slope), ("offset", shift - mean * slope))]  # fmt: skip
    steps.step("normalise", [node.input[0], *names], node.output[0], maps=True)


def _rectify(steps: Steps, node: NodeProto) -> None:
    kind = steps.rectifier(node)
    if not kind:
        raise ValueError(f"{node.op_type} with these bounds has no counterpart")
    steps.step(kind, node.input[:1], node.output[0], maps=node.input[0] in steps.maps)


def _pool(steps: Steps, node: NodeProto) -> None:
    details = _attributes(node)
    stride, kernel = details["strides"][0], tuple(details["kernel_shape"])
    pad = details["pads"][0]
    if len(set(details["pads"])) > 1:
        pad = _padding(details["pads"], steps.sizes[node.input[0]][2:], kernel, stride)
    steps.step(node.op_type, node.input, node.output[0], maps=True, side=kernel[0], stride=stride, pad=pad)


def _mean(steps: Steps, node: NodeProto) -> None:
    axes = [int(axis) for axis in steps.constants[node.input[1]]]
    if node.input[0] in steps.maps:
        axes = [(0, 3, 1, 2)[axis] for axis in axes]
    steps.step("mean", node.input[:1], node.output[0], axes=axes)


def _concat(steps: Steps, node: NodeProto) -> None:
    steps.step("concat", node.input, node.output[0], maps=True)


def _linear(steps: Steps, node: NodeProto) -> None:
    kernel = steps.constants[node.input[1]]
    kernel = kernel.T if _attributes(node).get("transB") else kernel
    inputs = [node.input[0], steps.weight(node.input[1], kernel), *(steps.read(name) for name in node.input[2:])]
    steps.step("linear", inputs, node.output[0])


def _reshape(steps: Steps, node: NodeProto) -> None:
    name = node.input[0]
    if name in steps.maps:  # what follows counts on channels first
        steps.step("Transpose", [name], f"{name} first", axes=[0, 3, 1, 2])
        name = f"{name} first"
    steps.step("Reshape", [name], node.output[0], shape=list(steps.sizes[node.output[0]]))


def _transpose(steps: Steps, node: NodeProto) -> None:
    steps.step("Transpose", node.input, node.output[0], axes=list(_attributes(node)["perm"]))


def _slice(steps: Steps, node: NodeProto) -> None:
    starts, ends, axes = (steps.constants[name] for name in node.input[1:4])
    size = steps.sizes[node.input[0]]
    begin, shape = [0] * len(size), list(size)
    for start, end, axis in zip(starts, ends, axes, strict=True):
        begin[axis], shape[axis] = int(start), int(min(end, size[axis]) - start)
    steps.step("Slice", node.input[:1], node.output[0], begin=begin, size=shape)


def _layer_norm(steps: Steps, node: NodeProto) -> None:
    inputs = [node.input[0], *(steps.read(name) for name in node.input[1:])]
    steps.step("layerNorm", inputs, node.output[0], epsilon=_attributes(node)["epsilon"])


def _plain(steps: Steps, node: NodeProto) -> None:
    maps = bool(steps.maps.intersection(node.input))
    steps.step(node.op_type, [steps.read(name) for name in node.input], node.output[0], maps=maps)


_RULES: dict[str, Callable[[Steps, NodeProto], Any]] = {
    "Conv": _convolution,
    "BatchNormalization": _normalise,
    "Relu": _rectify,
    "Clip": _rectify,
    "MaxPool": _pool,
    "AveragePool": _pool,
    "ReduceMean": _mean,
    "Concat": _concat,
    "Gemm": _linear,
    "Reshape": _reshape,
    "Squeeze": _reshape,
    "Transpose": _transpose,
    "Slice": _slice,
    "LayerNormalization": _layer_norm,
    **dict.fromkeys(("Add", "Mul", "Div", "MatMul", "Softmax", "Erf"), _plain),
}
