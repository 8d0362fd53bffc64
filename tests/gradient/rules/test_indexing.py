"""Taking elements by their indices, and putting some in."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from onnx import helper

from sitegen import gradient
from tests.helpers.gradient.proof import OPSETS, Arrays, model_of, one_node, prove, run, values


def _ints(*numbers: int) -> np.ndarray[Any, Any]:
    return np.array(numbers, np.int64)


def _prove(
    x: np.ndarray[Any, Any], operator: str, constants: Arrays, reference: Callable[..., Any], **rest: Any
) -> None:
    prove(one_node(operator, {"x": x}, constants, **rest), {"x": x}, reference)


def _operators(operator: str, x: np.ndarray[Any, Any], constants: Arrays, **rest: Any) -> list[str]:
    compiled = gradient.compile(one_node(operator, {"x": x}, constants, **rest), wrt="x")
    return [node.op_type for node in compiled.graph.node[1:-1]]


# shape, axis, indices
GATHERS: dict[str, tuple[Sequence[int], int, Any]] = {
    "one": ([3, 5], 1, 2),
    "the last": ([3, 5], -1, -1),
    "a run": ([3, 5, 2], 1, [1, 2, 3]),
    "all": ([3, 5], 1, [0, 1, 2, 3, 4]),
    "permuted": ([3, 5, 2], 1, [4, 2, 0, 1, 3]),
    "repeated": ([3, 5], 1, [1, 1, 4, 1, 0]),
    "negative": ([3, 5, 2], -2, [-1, 0, -5]),
    "a table": ([7, 3], 0, [[0, 3, 6], [3, 3, 1]]),
    "often the same": ([2, 3, 4, 5], 2, [[0, 1, 0, 1, 0, 0, 0], [3, 0, 0, 0, 0, 0, 1]]),
    "none": ([3, 5], 1, []),
}


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize("case", GATHERS)
def test_gather(case: str, opset: int) -> None:
    shape, axis, indices = GATHERS[case]
    taken = torch.tensor(indices, dtype=torch.int64) % shape[axis]
    before = (slice(None),) * (axis % len(shape))
    constants = {"i": np.array(indices, np.int64)}
    _prove(
        values(*shape), "Gather", constants, lambda x: x[(*before, taken)], axis=axis, opset=opset, dynamic=axis != 0
    )


@pytest.mark.parametrize(
    "indices",
    [
        [*range(19, -1, -1)],
        [*range(5, 25), *range(3, 15)],
        [*range(20, 10, -1), *range(12, 29), 4],
        [7, *range(29, -1, -1), *range(30)],
        [0, *range(30), 29],
    ],
)
def test_a_few_long_runs(indices: list[int]) -> None:
    """Rising, falling, overlapping, of one: they are cut out and added, without a Gather."""
    x, constants = values(2, 30, 3), {"i": _ints(*indices)}
    _prove(x, "Gather", constants, lambda x: x[:, indices], axis=1, dynamic=True)
    assert set(_operators("Gather", x, constants, axis=1)) <= {"Slice", "Pad", "Add"}


def test_slices_that_are_gathered_twice_add_up() -> None:
    x = np.zeros((4, 1), np.float32)
    compiled = gradient.compile(one_node("Gather", {"x": x}, {"i": _ints(2, 0, 2)}), wrt="x")
    found = run(compiled, {"x": x, "seed": np.array([[1], [10], [100]], np.float32)})
    np.testing.assert_array_equal(found["grad_x"], [[10], [0], [101], [0]])


def test_gathering_is_undone_without_scattering() -> None:
    x = values(3, 5)
    assert _operators("Gather", x, {"i": _ints(1, 2, 3)}, axis=1) == ["Pad"]
    assert _operators("Gather", x, {"i": _ints(4, 0, 2)}, axis=1) == ["Pad", "Gather"]
    assert _operators("Gather", x, {"i": _ints(*[1] * 9)}, axis=1) == ["MatMul"]


@pytest.mark.parametrize("dynamic", [False, True])
@pytest.mark.parametrize(
    ("axis", "indices"), [(0, [2, 0, 2]), (1, [[0, -1], [1, 1]]), (-1, 3), (2, [4, 4, 4, -5]), (1, [[2]])]
)
def test_gather_at_indices_that_come_at_run_time(axis: int, indices: object, dynamic: bool) -> None:
    x, where = values(3, 3, 5), np.array(indices, np.int64)
    if dynamic and where.ndim == 0:
        pytest.skip("a number has no dimension to leave open")

    def reference(x: torch.Tensor, i: torch.Tensor) -> torch.Tensor:
        return x.movedim(axis, 0)[i].movedim(tuple(range(i.ndim)), tuple(range(axis % 3, axis % 3 + i.ndim)))

    prove(one_node("Gather", {"x": x, "i": where}, axis=axis, dynamic=dynamic), {"x": x, "i": where}, reference)


# shape, indices
PARTS: dict[str, tuple[Sequence[int], Any]] = {
    "elements": ([3, 4], [[0, 1], [2, 3], [0, 1]]),
    "rows": ([5, 4], [[3], [3], [-1], [0]]),
    "rows, twice nested": ([5, 2, 3], [[[3], [1]], [[1], [0]]]),
    "a run": ([6, 2], [[1], [2], [3]]),
    "one": ([2, 3, 4], [1, -2]),
    "all but the last axis": ([2, 3, 4], [[0, 2], [1, 0], [0, 2]]),
}


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize("case", PARTS)
def test_parts(case: str, opset: int) -> None:
    shape, indices = PARTS[case]
    taken = np.array(indices, np.int64)
    reference = lambda x: x[tuple(torch.tensor(taken[..., axis]) for axis in range(taken.shape[-1]))]  # noqa: E731
    _prove(values(*shape), "GatherND", {"i": taken}, reference, opset=opset)


@pytest.mark.parametrize("batch", [1, 3])
def test_parts_of_every_image(batch: int) -> None:
    """As torch exports x[:, [3, 0, 0]]: channels first, then the open batch."""
    x, taken = values(batch, 4, 5), _ints(3, 0, 0).reshape(-1, 1)
    nodes = [
        helper.make_node("Transpose", ["x"], ["t"], perm=[1, 0, 2]),
        helper.make_node("GatherND", ["t", "i"], ["y"]),
    ]
    model = model_of(nodes, {"x": x}, {"i": taken}, ["y"], dynamic=True)
    prove(model, {"x": x}, lambda x: x[:, [3, 0, 0]].transpose(0, 1))


def test_parts_by_batch_are_refused() -> None:
    model = one_node("GatherND", {"x": values(2, 3)}, {"i": np.array([[1], [0]])}, batch_dims=1)
    with pytest.raises(gradient.GradientError, match=r"the_GatherND.*batch_dims=1.*write it with Gather"):
        gradient.compile(model, wrt="x")


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_elements(opset: int, axis: int) -> None:
    """Indices may be computed, and name an element more than once."""
    x, taken = values(3, 4, 2), np.random.default_rng(0).integers(0, 2, (2, 4, 2))
    model = one_node("GatherElements", {"x": x, "i": taken}, axis=axis, opset=opset)
    prove(model, {"x": x, "i": taken}, lambda x, i: x.gather(axis, i))


@pytest.mark.parametrize("largest", [0, 1])
@pytest.mark.parametrize("axis", [1, -1])
@pytest.mark.parametrize("opset", OPSETS)
def test_the_largest(axis: int, largest: int, opset: int) -> None:
    x = np.random.default_rng(2).permutation(72).reshape(3, 4, 6).astype(np.float32) / 10
    model = one_node(
        "TopK", {"x": x}, {"k": _ints(3)}, axis=axis, largest=largest, outputs=2, opset=opset, dynamic=True
    )
    prove(model, {"x": x}, lambda x: x.topk(3, axis, largest=bool(largest)).values)


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize("reduction", ["none", "add"])
def test_putting_elements_in(reduction: str, opset: int) -> None:
    x, u, places = values(3, 5), values(3, 2, seed=1), np.array([[1, 4], [-5, 2], [3, 1]])
    rest: dict[str, Any] = {"reduction": reduction, "opset": opset}
    method = "scatter" if reduction == "none" else "scatter_add"

    def elements(x: torch.Tensor, i: torch.Tensor, u: torch.Tensor) -> torch.Tensor:
        made: torch.Tensor = getattr(x, method)(1, i % 5, u)
        return made

    model = one_node("ScatterElements", {"x": x, "i": places, "u": u}, axis=-1, **rest)
    prove(model, {"x": x, "i": places, "u": u}, elements)

    def parts(x: torch.Tensor, i: torch.Tensor, u: torch.Tensor) -> torch.Tensor:
        return x.index_put((i[:, 0], i[:, 1]), u, accumulate=reduction == "add")

    places, u = np.array([[0, 1], [2, 4]]), values(2, seed=1)
    model = one_node("ScatterND", {"x": x, "i": places, "u": u}, **rest)
    prove(model, {"x": x, "i": places, "u": u}, parts)


def test_the_axis_where_none_is_given() -> None:
    """The first, but the last for the largest."""
    x, places, u = values(3, 3), np.array([[2, 0, 2]]), values(1, 3, seed=1)
    prove(one_node("GatherElements", {"x": x, "i": places}), {"x": x, "i": places}, lambda x, i: x.gather(0, i))
    _prove(x, "TopK", {"k": _ints(2)}, lambda x: x.topk(2, -1).values, outputs=2)
    feeds = {"x": x, "i": places, "u": u}
    prove(one_node("ScatterElements", feeds), feeds, lambda x, i, u: x.scatter(0, i, u))


@pytest.mark.parametrize("operator", ["ScatterElements", "ScatterND"])
def test_other_ways_to_put_in_are_refused(operator: str) -> None:
    feeds = {"x": values(3), "i": _ints(1), "u": values(1)}
    if operator == "ScatterND":
        feeds["i"] = feeds["i"].reshape(1, 1)
    model = one_node(operator, feeds, reduction="max", opset=18)
    with pytest.raises(gradient.GradientError, match=rf"the_{operator}.*reduction='max'.*replacing and adding"):
        gradient.compile(model, wrt="x")
