"""Lists that grow are read as joins of what was joined before: same gradients, far fewer nodes."""

import numpy as np
import onnx
import torch
from onnx import helper

from sitegen import gradient
from sitegen.gradient.nesting import nest_concats
from tests.helpers.gradient.proof import model_of, prove, run, values

X = values(2, 3, 4)


def concat(inputs: list[str], output: str, axis: int = 1) -> onnx.NodeProto:
    return helper.make_node("Concat", inputs, [output], axis=axis)


def growing(layers: int) -> onnx.ModelProto:
    """Every layer is a function of all that came before."""
    nodes, names = [helper.make_node("Sin", ["x"], ["f0"])], ["x", "f0"]
    for layer in range(1, layers):
        nodes.append(concat(names, f"c{layer}"))
        nodes.append(helper.make_node("ReduceMean", [f"c{layer}"], [f"m{layer}"], axes=[1]))
        nodes.append(helper.make_node("Sin", [f"m{layer}"], [f"f{layer}"]))
        names = [*names, f"f{layer}"]
    nodes.append(concat(names, "y"))
    return model_of(nodes, {"x": X}, {}, ["y"], opset=17)


def by_torch(x: torch.Tensor, layers: int) -> torch.Tensor:
    parts = [x, torch.sin(x)]
    for _ in range(1, layers):
        parts.append(torch.sin(torch.cat(parts, 1).mean(1, keepdim=True)))
    return torch.cat(parts, 1)


def test_gradients_are_the_same() -> None:
    prove(growing(5), {"x": X}, lambda x: by_torch(x, 5))


def test_nodes_grow_with_the_layers_not_with_their_square() -> None:
    counts = []
    for layers in (4, 8, 12):
        compiled = gradient.compile(growing(layers), wrt="x")
        counts.append(sum(node.op_type in ("Slice", "Add") for node in compiled.graph.node))
    assert counts[2] - counts[1] == counts[1] - counts[0] <= 4 * 4


def test_only_lists_with_the_same_beginning_and_axis_nest() -> None:
    path = [
        concat(["a", "b"], "ab"),
        concat(["a", "b", "c"], "abc"),
        concat(["a", "b", "c", "d"], "abcd"),
        concat(["b", "a", "c"], "bac"),
        concat(["a", "b", "c"], "other", axis=2),
        concat(["a", "b", "c"], "again"),
    ]
    nested = [list(node.input) for node in nest_concats(path)]
    assert nested == [["a", "b"], ["ab", "c"], ["abc", "d"], ["b", "a", "c"], ["a", "b", "c"], ["ab", "c"]]
    assert [list(node.output) for node in nest_concats(path)] == [list(node.output) for node in path]


def test_a_list_that_is_joined_twice_gets_both_gradients() -> None:
    nodes = [concat(["x", "x"], "first"), concat(["x", "x", "x"], "second"), concat(["first", "second"], "y")]
    compiled = gradient.compile(model_of(nodes, {"x": X}, {}, ["y"]), wrt="x")
    seed = np.ones((2, 15, 4), np.float32)
    np.testing.assert_array_equal(run(compiled, {"x": X, "seed": seed})["grad_x"], np.full(X.shape, 5, np.float32))
