"""Taking parts, joining, padding."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from onnx import helper
from torch.nn import functional

from sitegen import gradient
from tests.helpers.gradient.proof import OPSETS, Constants, model_of, one_node, prove, run, values

END, START = 2**31 - 1, -(2**31)


def _ints(*numbers: int) -> np.ndarray[Any, Any]:
    return np.array(numbers, np.int64)


def _prove(
    x: np.ndarray[Any, Any], operator: str, constants: Constants, reference: Callable[..., Any], **rest: Any
) -> None:
    prove(one_node(operator, {"x": x}, constants, **rest), {"x": x}, reference)


def _operators(operator: str, x: np.ndarray[Any, Any], constants: Constants, **rest: Any) -> list[str]:
    compiled = gradient.compile(one_node(operator, {"x": x}, constants, **rest), wrt="x")
    return [node.op_type for node in compiled.graph.node[1:-1]]


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize("axis", [1, -1, 0])
def test_concatenation(opset: int, axis: int) -> None:
    shapes = [[3, 2, 4], [3, 2, 4], [3, 2, 4]]
    for shape, size in zip(shapes, (1, 5, 2), strict=True):
        shape[axis] = size
    feeds = {name: values(*shape, seed=seed) for seed, (name, shape) in enumerate(zip("abc", shapes, strict=True))}
    model = one_node("Concat", feeds, opset=opset, axis=axis, dynamic=axis != 0)
    prove(model, feeds, lambda a, b, c: torch.cat([a, b, c], axis))


def test_concatenation_of_one_and_of_twice_the_same() -> None:
    x = values(2, 3)
    _prove(x, "Concat", {}, lambda x: x, axis=1)
    prove(one_node("Concat", {"x": x}, order=["x", "x"], axis=1), {"x": x}, lambda x: torch.cat([x, x], 1))


def test_concatenation_with_a_constant() -> None:
    x, c = values(2, 3), values(2, 2, seed=1)
    _prove(x, "Concat", {"c": c}, lambda x: torch.cat([x, torch.tensor(c).to(x)], 1), axis=1)


@pytest.mark.parametrize(("axis", "shape"), [(0, (3, 2)), (-1, (2, 3))])
def test_concatenation_of_open_sizes(axis: int, shape: tuple[int, int]) -> None:
    """Where each part begins is computed when the graph runs."""
    feeds = {"a": values(2, 2), "b": values(*shape, seed=1), "c": values(2, 2, seed=2)}
    model = one_node("Concat", feeds, axis=axis)
    for name, value in zip("NMK", model.graph.input, strict=True):
        value.type.tensor_type.shape.dim[axis].dim_param = name
    model.graph.output[0].type.tensor_type.shape.dim[axis].dim_param = "all"
    prove(model, feeds, lambda a, b, c: torch.cat([a, b, c], axis))


def test_split_into_one() -> None:
    x = values(2, 3)
    _prove(x, "Split", {}, lambda x: x * 1, axis=1, num_outputs=1)
    assert _operators("Split", x, {}, axis=1, num_outputs=1) == []


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("axis", [1, -1])
@pytest.mark.parametrize("used", ["y", "y1", "both"])
def test_split(batch: int, axis: int, used: str) -> None:
    x = values(batch, 7, 6)
    sizes = [2, 4, 1] if axis == 1 else [1, 3, 2]
    split = helper.make_node("Split", ["x", "sizes"], ["y", "y1", "y2"], axis=axis)
    product = helper.make_node("Mul", ["y", "y"], ["square"])
    total = helper.make_node("ReduceSum", ["y1"], ["sum"], keepdims=0)
    both = helper.make_node("Add", ["square", "sum"], ["both"])
    model = model_of([split, product, total, both], {"x": x}, {"sizes": _ints(*sizes)}, [used], dynamic=True)

    def reference(x: torch.Tensor) -> torch.Tensor:
        y, y1, _ = torch.split(x, sizes, axis)
        return {"y": y, "y1": y1, "both": y * y + y1.sum()}[used]

    prove(model, {"x": x}, reference)


@pytest.mark.parametrize("opset", OPSETS)
def test_split_into_equal_parts(opset: int) -> None:
    x, rest = values(4, 6), {"num_outputs": 3} if opset >= 18 else {}
    _prove(x, "Split", {}, lambda x: x.chunk(3, 1)[0], outputs=3, axis=1, opset=opset, **rest)
    if opset >= 18:  # the last part is smaller
        _prove(values(5, 2), "Split", {}, lambda x: x[:2], outputs=3, opset=opset, **rest)


# shape, starts, ends, axes, steps, what torch takes
SLICES: dict[str, tuple[Sequence[int], Sequence[int], Sequence[int], Sequence[int], Sequence[int], Any]] = {
    "inside": ([3, 6], [1], [4], [1], [1], np.s_[:, 1:4]),
    "from the end": ([3, 6], [-4], [-1], [-1], [1], np.s_[:, -4:-1]),
    "to the end": ([3, 6], [2], [END], [1], [1], np.s_[:, 2:]),
    "beyond the end": ([3, 6], [2], [2**63 - 1], [1], [1], np.s_[:, 2:]),
    "before the beginning": ([3, 6], [-100], [4], [1], [1], np.s_[:, :4]),
    "two axes": ([3, 5, 6], [1, 0], [4, 3], [2, 1], [1, 1], np.s_[:, :3, 1:4]),
    "step": ([3, 7], [0], [END], [1], [2], np.s_[:, ::2]),
    "step, with a rest": ([3, 8], [1], [7], [1], [3], np.s_[:, 1:7:3]),
    "steps": ([2, 7, 9], [1, 0], [END, 8], [1, 2], [3, 2], np.s_[:, 1::3, :8:2]),
    "step over all": ([2, 5], [1], [END], [1], [9], np.s_[:, 1::9]),
    "step of the first axis": ([5, 4], [0], [END], [0], [2], np.s_[::2]),
    "nothing": ([3, 6], [4], [2], [1], [1], np.s_[:, 4:2]),
    "nothing of one, a step of another": ([3, 6, 4], [4, 0], [2, 4], [1, 2], [1, 2], np.s_[:, 4:2, ::2]),
}


@pytest.mark.parametrize("case", SLICES)
def test_slice(case: str) -> None:
    shape, starts, ends, axes, steps, taken = SLICES[case]
    constants = {"starts": starts, "ends": ends, "axes": axes, "steps": steps}
    fixed = {name: _ints(*numbers) for name, numbers in constants.items()}
    _prove(values(*shape), "Slice", fixed, lambda x: x[taken], dynamic=0 not in axes)


# starts, ends, steps of the last axis of six; the positions that ONNX takes
BACKWARDS: list[tuple[int, int, int, list[int]]] = [
    (-1, START, -1, [5, 4, 3, 2, 1, 0]),
    (4, 1, -1, [4, 3, 2]),
    (-1, -7, -2, [5, 3, 1]),
    (5, 0, -3, [5, 2]),
    (100, -100, -4, [5, 1]),
    (-100, START, -1, [0]),
    (1, 4, -1, []),
]


@pytest.mark.parametrize(("start", "end", "step", "positions"), BACKWARDS)
def test_slice_backwards(start: int, end: int, step: int, positions: list[int]) -> None:
    constants = {"starts": _ints(start), "ends": _ints(end), "axes": _ints(-1), "steps": _ints(step)}
    _prove(values(3, 6), "Slice", constants, lambda x: x[:, positions], dynamic=True)


@pytest.mark.parametrize("opset", OPSETS)
def test_slice_without_axes(opset: int) -> None:
    _prove(values(3, 6), "Slice", {"starts": _ints(1, 2), "ends": _ints(END, 5)}, lambda x: x[1:, 2:5], opset=opset)


def test_slice_of_an_open_batch() -> None:
    """All of it is no slice; a part of it is refused."""
    x = values(3, 6)
    whole = {"starts": _ints(0, 1), "ends": _ints(END, 3)}
    _prove(x, "Slice", whole, lambda x: x[:, 1:3], dynamic=True)
    model = one_node("Slice", {"x": x}, {"starts": _ints(1), "ends": _ints(END)}, dynamic=True)
    with pytest.raises(gradient.GradientError, match=r"the_Slice.*leaves \['N'\] open.*fixed sizes"):
        gradient.compile(model, wrt="x")


def test_a_slice_that_engines_read_in_two_ways_is_refused() -> None:
    constants = {"starts": _ints(0), "ends": _ints(END), "axes": _ints(0), "steps": _ints(-1)}
    with pytest.raises(gradient.GradientError, match=r"the_Slice.*end beyond all sizes.*negative"):
        gradient.compile(one_node("Slice", {"x": values(4)}, constants), wrt="x")


def test_a_slice_of_computed_bounds_is_refused() -> None:
    model = one_node("Slice", {"x": values(4), "starts": _ints(0)}, {"ends": _ints(2)})
    with pytest.raises(gradient.GradientError, match=r"the_Slice.*\(Slice\).*starts.*computed when the model runs"):
        gradient.compile(model, wrt="x")


def test_a_slice_is_padded_back() -> None:
    x = np.zeros((1, 5), np.float32)
    constants = {"starts": _ints(4), "ends": _ints(0), "axes": _ints(1), "steps": _ints(-2)}
    compiled = gradient.compile(one_node("Slice", {"x": x}, constants), wrt="x")
    found = run(compiled, {"x": x, "seed": np.array([[1, 2]], np.float32)})
    np.testing.assert_array_equal(found["grad_x"], [[0, 0, 2, 0, 1]])
    assert _operators("Slice", x, {"starts": _ints(1), "ends": _ints(4), "axes": _ints(1)}) == ["Pad"]


@pytest.mark.parametrize(
    ("opset", "mode"),
    [(opset, mode) for opset in OPSETS for mode in ("constant", "reflect", "edge")] + [(21, "wrap"), (26, "wrap")],
)
@pytest.mark.parametrize("pads", [[1, 2, 0, 3], [0, 1, 0, 0], [2, 0, 2, 1]])
def test_pad(opset: int, mode: str, pads: list[int]) -> None:
    """Axes 2 and 3 of four. The two ends of each, in the order of torch: last axis first."""
    x, by_axis = values(3, 2, 5, 4), [pads[1], pads[3], pads[0], pads[2]]
    names = {"reflect": "reflect", "edge": "replicate", "wrap": "circular", "constant": "constant"}
    reference = lambda x: functional.pad(x, by_axis, names[mode])  # noqa: E731
    full = {"pads": _ints(0, 0, *pads[:2], 0, 0, *pads[2:])}
    _prove(x, "Pad", full, reference, opset=opset, mode=mode, dynamic=True)
    if opset >= 18:
        short = {"pads": _ints(pads[1], pads[0], pads[3], pads[2]), "axes": _ints(-1, 2)}
        _prove(x, "Pad", short, reference, opset=opset, mode=mode, order=["x", "pads", "", "axes"])


@pytest.mark.parametrize(
    ("pads", "taken"), [([-1, -2], np.s_[:, 1:-2]), ([-2, 0], np.s_[:, 2:]), ([0, -1], np.s_[:, :-1])]
)
def test_pads_that_cut(pads: list[int], taken: Any) -> None:
    _prove(values(3, 6), "Pad", {"pads": _ints(0, pads[0], 0, pads[1])}, lambda x: x[taken], dynamic=True)


def test_pads_that_cut_and_add() -> None:
    x, value = values(3, 6), np.float32(1.5)
    constants: Constants = {"pads": _ints(2, -1, -1, 3), "value": value}
    _prove(x, "Pad", constants, lambda x: functional.pad(x, [-1, 3, 2, -1], value=1.5))
    _prove(
        x, "Pad", {"pads": _ints(0, 2, 0, -2)}, lambda x: functional.pad(x[:, :4], [2, 0], "reflect"), mode="reflect"
    )


def test_pads_that_cut_more_than_there_is() -> None:
    _prove(values(2, 1), "Pad", {"pads": _ints(0, 4, 0, -2)}, lambda x: functional.pad(x, [4, 0])[:, :3])


def test_what_is_reflected_adds_up() -> None:
    x = np.zeros(3, np.float32)
    compiled = gradient.compile(one_node("Pad", {"x": x}, {"pads": _ints(2, 1)}, mode="reflect"), wrt="x")
    found = run(compiled, {"x": x, "seed": np.array([1, 10, 100, 1000, 10000, 100000], np.float32)})
    np.testing.assert_array_equal(found["grad_x"], [100, 101010, 10001])


@pytest.mark.parametrize("mode", ["reflect", "edge", "wrap"])
@pytest.mark.parametrize("pads", [[2, 3], [0, 2], [1, 0]])
def test_borders_of_a_long_axis_are_added_run_by_run(mode: str, pads: list[int]) -> None:
    """Which is far quicker than gathering all of it."""
    x, constants = values(2, 50, 3), {"pads": _ints(0, pads[0], 0, 0, pads[1], 0)}
    names = {"reflect": "reflect", "edge": "replicate", "wrap": "circular"}
    reference = lambda x: functional.pad(x.mT, pads, names[mode]).mT  # noqa: E731
    _prove(x, "Pad", constants, reference, mode=mode, opset=19, dynamic=True)
    assert set(_operators("Pad", x, constants, mode=mode, opset=19)) == {"Slice", "Pad", "Add"}


def test_a_wide_edge_is_a_product() -> None:
    """A border that is copied fifteen times is not gathered fifteen times."""
    x, pads = values(2, 3, 6), {"pads": _ints(0, 0, 14, 0, 0, 3)}
    _prove(x, "Pad", pads, lambda x: functional.pad(x, [14, 3], "replicate"), mode="edge")
    assert _operators("Pad", x, pads, mode="edge") == ["MatMul"]
    assert set(_operators("Pad", x, {"pads": _ints(0, 0, 1, 0, 0, 1)}, mode="edge")) == {"Pad", "Gather", "Add"}


@pytest.mark.parametrize("upper", [0, 1])
@pytest.mark.parametrize("diagonal", [None, 0, 1, -2])
def test_triangle(upper: int, diagonal: int | None) -> None:
    reference = torch.triu if upper else torch.tril
    constants = {} if diagonal is None else {"k": np.array(diagonal, np.int64)}
    _prove(values(3, 2, 4, 5), "Trilu", constants, lambda x: reference(x, diagonal or 0), upper=upper, dynamic=True)


def test_the_upper_triangle_is_the_default() -> None:
    _prove(values(4, 3), "Trilu", {}, torch.triu)
