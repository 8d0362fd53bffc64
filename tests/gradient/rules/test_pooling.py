"""Pooling: which positions of a window take part, and by how much."""

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from torch.nn import functional

from sitegen import gradient
from tests.helpers.gradient.proof import OPSETS, one_node, prove, run, values

Function = Callable[[torch.Tensor], torch.Tensor]


def apart(*shape: int) -> np.ndarray[Any, Any]:
    """Random numbers that differ by 0.02 and more: finite differences do not change which of them is the greatest."""
    count = math.prod(shape)
    return (np.random.default_rng(3).permutation(count).reshape(shape) * 0.02 - count / 100).astype(np.float32)


def windows(
    x: torch.Tensor,
    count: Sequence[int],
    kernel: Sequence[int],
    strides: Sequence[int],
    dilations: Sequence[int],
    begin: Sequence[int],
    *,
    fill: float,
) -> torch.Tensor:
    """What each of `count` windows reads at each of its positions: [positions, N, C, *count]."""
    reach = [(n - 1) * s + d * (k - 1) + 1 for n, s, d, k in zip(count, strides, dilations, kernel, strict=True)]
    pads = [(b, r - b - size) for b, r, size in zip(begin, reach, x.shape[2:], strict=True)]
    padded = functional.pad(x, [pad for pair in reversed(pads) for pad in pair], value=fill)
    parts = []
    for offset in itertools.product(*map(range, kernel)):
        starts = [i * d for i, d in zip(offset, dilations, strict=True)]
        cuts = (slice(o, o + (n - 1) * s + 1, s) for o, n, s in zip(starts, count, strides, strict=True))
        parts.append(padded[(slice(None), slice(None), *cuts)])
    return torch.stack(parts)


def maximum(count: Sequence[int], *geometry: Sequence[int]) -> Function:
    """The first maximum of each window. amax would share the gradient among equals."""

    def reference(x: torch.Tensor) -> torch.Tensor:
        read = windows(x, count, *geometry, fill=-math.inf)
        first = (read == read.amax(0)).to(torch.uint8).argmax(0, keepdim=True)
        return read.gather(0, first)[0]

    return reference


def mean(count: Sequence[int], *geometry: Sequence[int], margin: Sequence[int] | None = None) -> Function:
    """The mean of each window; padding counts where `margin` says how much there is at the ends."""

    def reference(x: torch.Tensor) -> torch.Tensor:
        kernel, strides, dilations, begin = geometry
        ones = torch.ones_like(x)
        if margin is not None:
            pads = [pad for pair in reversed(list(zip(begin, margin, strict=True))) for pad in pair]
            ones, begin = functional.pad(ones, pads, value=1.0), [0] * len(begin)
        divisors = windows(ones, count, kernel, strides, dilations, begin, fill=0).sum(0)
        return windows(x, count, *geometry, fill=0).sum(0) / divisors

    return reference


# size, count, kernel, strides, dilations, pads, ceil_mode
GEOMETRIES: dict[str, tuple[list[int], list[int], list[int], list[int], list[int], list[int], int]] = {
    "1-D": ([9], [4], [3], [2], [1], [0, 0], 0),
    "1-D, pads": ([8], [4], [3], [2], [1], [1, 0], 0),
    "side by side": ([6, 8], [3, 4], [2, 2], [2, 2], [1, 1], [0] * 4, 0),
    "side by side, with a rest": ([7, 8], [3, 2], [2, 3], [2, 3], [1, 1], [0] * 4, 0),
    "side by side, padded": ([5, 7], [3, 4], [2, 2], [2, 2], [1, 1], [1, 0, 0, 1], 0),
    "overlapping": ([9, 8], [4, 3], [3, 3], [2, 2], [1, 1], [0] * 4, 0),
    "as in residual networks": ([9, 8], [5, 4], [3, 3], [2, 2], [1, 1], [1] * 4, 0),
    "stride 1": ([6, 5], [5, 3], [2, 3], [1, 1], [1, 1], [0] * 4, 0),
    "stride 1, same size": ([6, 5], [6, 5], [3, 3], [1, 1], [1, 1], [1] * 4, 0),
    "unequal strides": ([9, 10], [9, 4], [3, 2], [1, 3], [1, 1], [1, 0, 1, 1], 0),
    "gaps between": ([11, 9], [3, 3], [2, 1], [4, 3], [1, 1], [0] * 4, 0),
    "up": ([8, 7], [4, 4], [3, 2], [2, 2], [1, 1], [0] * 4, 1),
    "up, padded": ([8, 6], [5, 4], [3, 3], [2, 2], [1, 1], [1, 1, 1, 1], 1),
    "up, but none begins in the padding": ([6], [3], [2], [2], [1], [0, 1], 1),
    "3-D": ([4, 5, 6], [2, 3, 5], [2, 3, 2], [2, 2, 1], [1, 1, 1], [0, 1, 0, 0, 1, 0], 0),
}
DILATED: dict[str, tuple[list[int], list[int], list[int], list[int], list[int], list[int], int]] = {
    "dilated": ([9, 9], [5, 6], [3, 2], [1, 1], [2, 3], [0] * 4, 0),
    "dilated, padded": ([9, 8], [4, 3], [3, 3], [2, 3], [2, 1], [1, 1, 1, 0], 0),
    "dilated, up": ([8, 9], [3, 3], [2, 3], [3, 3], [3, 2], [0, 1, 0, 1], 1),
}


def _attributes(case: str, **rest: Any) -> dict[str, Any]:
    _, _, kernel, strides, dilations, pads, up = (GEOMETRIES | DILATED)[case]
    given = {"kernel_shape": kernel, "strides": strides, "pads": pads, "ceil_mode": up}
    return given | ({"dilations": dilations} if set(dilations) != {1} else {}) | rest


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("case", GEOMETRIES | DILATED)
def test_maximum(case: str, batch: int) -> None:
    size, count, kernel, strides, dilations, pads, _ = (GEOMETRIES | DILATED)[case]
    x = apart(batch, 2, *size)
    model = one_node("MaxPool", {"x": x}, dynamic=batch == 3, opset=22, **_attributes(case))
    prove(model, {"x": x}, maximum(count, kernel, strides, dilations, pads[: len(size)]))


@pytest.mark.parametrize("case", ["overlapping", "as in residual networks", "stride 1, same size", "dilated, padded"])
def test_of_equal_numbers_the_first_takes_it(case: str) -> None:
    size, count, kernel, strides, dilations, pads, _ = (GEOMETRIES | DILATED)[case]
    x = np.round(values(2, 3, *size)).clip(-1)
    model = one_node("MaxPool", {"x": x}, **_attributes(case))
    prove(model, {"x": x}, maximum(count, kernel, strides, dilations, pads[:2]), differences=False)


def test_an_even_image_gives_all_to_the_corner() -> None:
    x = np.ones((1, 1, 3, 3), np.float32)
    compiled = gradient.compile(one_node("MaxPool", {"x": x}, kernel_shape=[2, 2]), wrt="x")
    found = run(compiled, {"x": x, "seed": np.array([[[[1, 2], [3, 4]]]], np.float32)})["grad_x"]
    np.testing.assert_array_equal(found, [[[[1, 2, 0], [3, 4, 0], [0, 0, 0]]]])


def test_padding_takes_nothing() -> None:
    """Neither in front of equal numbers nor beside the least."""
    x = np.full((1, 1, 2), -3.0, np.float32)
    compiled = gradient.compile(one_node("MaxPool", {"x": x}, kernel_shape=[2], pads=[1, 1]), wrt="x")
    found = run(compiled, {"x": x, "seed": np.array([[[1, 2, 4]]], np.float32)})["grad_x"]
    np.testing.assert_array_equal(found, [[[3, 4]]])


def test_torch_settles_ties_in_the_same_way() -> None:
    x = np.round(values(2, 2, 8, 8))
    model = one_node("MaxPool", {"x": x}, kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
    prove(model, {"x": x}, lambda x: functional.max_pool2d(x, 3, 2, 1), differences=False)


@pytest.mark.parametrize("counted", [0, 1], ids=["", "pads count"])
@pytest.mark.parametrize("case", GEOMETRIES | DILATED)
def test_mean(case: str, counted: int) -> None:
    size, count, kernel, strides, dilations, pads, _ = (GEOMETRIES | DILATED)[case]
    x, rank = values(3, 2, *size), len(size)
    model = one_node("AveragePool", {"x": x}, opset=22, **_attributes(case, count_include_pad=counted), dynamic=True)
    reference = mean(count, kernel, strides, dilations, pads[:rank], margin=pads[rank:] if counted else None)
    prove(model, {"x": x}, reference)


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize("batch", [1, 3])
def test_every_opset(opset: int, batch: int) -> None:
    x = apart(batch, 3, 7, 8)
    rest: dict[str, Any] = {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1] * 4, "opset": opset}
    prove(one_node("MaxPool", {"x": x}, **rest), {"x": x}, lambda x: functional.max_pool2d(x, 3, 2, 1))
    reference = lambda x: functional.avg_pool2d(x, 3, 2, 1, count_include_pad=False)  # noqa: E731
    prove(one_node("AveragePool", {"x": x}, **rest), {"x": x}, reference)
    prove(
        one_node("AveragePool", {"x": x}, kernel_shape=[2, 2], opset=opset),
        {"x": x},
        lambda x: functional.avg_pool2d(x, 2, 1),
    )


@pytest.mark.parametrize("operator", ["MaxPool", "AveragePool"])
@pytest.mark.parametrize(
    ("mode", "strides", "count", "begin"),
    [
        ("SAME_UPPER", [2, 3], [4, 3], [0, 0]),
        ("SAME_LOWER", [2, 3], [4, 3], [1, 1]),
        ("SAME_UPPER", [1, 1], [8, 7], [1, 0]),
        ("SAME_LOWER", [1, 1], [8, 7], [1, 1]),
        ("VALID", [2, 3], [3, 2], [0, 0]),
    ],
)
def test_automatic_pads(operator: str, mode: str, strides: list[int], count: list[int], begin: list[int]) -> None:
    x = apart(2, 2, 8, 7)
    model = one_node(operator, {"x": x}, kernel_shape=[3, 2], strides=strides, auto_pad=mode)
    function = maximum if operator == "MaxPool" else mean
    prove(model, {"x": x}, function(count, [3, 2], strides, [1, 1], begin))


@pytest.mark.parametrize(("mode", "begin"), [("SAME_UPPER", [0, 0]), ("SAME_LOWER", [1, 1])])
def test_automatic_pads_that_count(mode: str, begin: list[int]) -> None:
    x = values(2, 2, 8, 7)
    model = one_node("AveragePool", {"x": x}, kernel_shape=[3, 2], strides=[2, 3], auto_pad=mode, count_include_pad=1)
    prove(model, {"x": x}, mean([4, 3], [3, 2], [2, 3], [1, 1], begin, margin=[1 - b for b in begin]))


def test_windows_beyond_an_image_without_padding_count_what_they_read() -> None:
    x = values(1, 2, 6, 9)
    rest: dict[str, Any] = {"kernel_shape": [3, 3], "strides": [3, 4], "ceil_mode": 1, "auto_pad": "VALID"}
    model = one_node("AveragePool", {"x": x}, **rest, count_include_pad=1, opset=22)
    prove(model, {"x": x}, mean([2, 3], [3, 3], [3, 4], [1, 1], [0, 0], margin=[0, 0]))


@pytest.mark.parametrize(
    ("attributes", "named"),
    [
        ({"kernel_shape": [2], "strides": [2], "pads": [0, 1], "ceil_mode": 1}, "ceil_mode=1"),
        ({"kernel_shape": [2], "dilations": [2], "auto_pad": "SAME_UPPER"}, "auto_pad='SAME_UPPER'"),
        ({"kernel_shape": [1], "strides": [3], "auto_pad": "SAME_LOWER"}, "auto_pad='SAME_LOWER'"),
        ({"kernel_shape": [1], "strides": [2], "auto_pad": "SAME_UPPER"}, "auto_pad='SAME_UPPER'"),
    ],
)
def test_windows_that_onnx_infers_otherwise_than_engines_are_refused(attributes: dict[str, Any], named: str) -> None:
    model = one_node("MaxPool", {"x": values(1, 1, 6)}, **attributes)
    with pytest.raises(gradient.GradientError, match=rf"the_MaxPool.*\(MaxPool\).*{named}.*Pad.*opset 22"):
        gradient.compile(model, wrt="x")


def test_positions_of_the_maxima_have_no_gradient() -> None:
    x = apart(2, 3, 6, 6)
    model = one_node("MaxPool", {"x": x}, outputs=2, kernel_shape=[2, 2], strides=[2, 2], storage_order=1)
    prove(model, {"x": x}, lambda x: functional.max_pool2d(x, 2))
    with pytest.raises(gradient.GradientError, match="'y1' does not hold floating-point numbers"):
        gradient.compile(model, wrt="x", of="y1")


@pytest.mark.parametrize("size", [(7,), (5, 6), (1, 1), (3, 4, 5)])
@pytest.mark.parametrize("dynamic", [False, True])
def test_global_pools(size: tuple[int, ...], dynamic: bool) -> None:
    x = apart(3, 4, *size)
    axes = tuple(range(2, x.ndim))
    model = one_node("GlobalAveragePool", {"x": x}, dynamic=dynamic)
    prove(model, {"x": x}, lambda x: x.mean(axes, keepdim=True))
    model = one_node("GlobalMaxPool", {"x": x}, dynamic=dynamic)
    prove(model, {"x": x}, lambda x: x.amax(axes, keepdim=True))


@pytest.mark.parametrize("opset", OPSETS)
def test_the_global_maximum_is_the_first(opset: int) -> None:
    x = np.array([[[[1, 3], [3, 0]], [[2, 2], [2, 2]]]], np.float32)
    compiled = gradient.compile(one_node("GlobalMaxPool", {"x": x}, opset=opset), wrt="x")
    found = run(compiled, {"x": x, "seed": np.array([5, 7], np.float32).reshape(1, 2, 1, 1)})["grad_x"]
    np.testing.assert_array_equal(found, [[[[0, 5], [0, 0]], [[7, 0], [0, 0]]]])


@pytest.mark.parametrize(
    ("operator", "kind"),
    [("MaxPool", np.float16), ("MaxPool", np.float64), ("AveragePool", np.float16), ("GlobalMaxPool", np.float16)],
)
def test_other_precisions(operator: str, kind: type[np.floating[Any]]) -> None:
    """Of which ONNX Runtime has these kernels. What is below all numbers differs with the precision."""
    rest: dict[str, Any] = (
        {} if operator.startswith("Global") else {"kernel_shape": [2, 2], "strides": [2, 2], "pads": [1, 0, 0, 0]}
    )
    x = np.full((1, 1, 3, 4), -7, kind)
    model = one_node(operator, {"x": x}, **rest)
    seed = np.ones_like(run(model, {"x": x})["y"])
    found = run(gradient.compile(model, wrt="x"), {"x": x, "seed": seed})["grad_x"]
    assert found.dtype == kind
    expected = {
        "MaxPool": [[1, 0, 1, 0], [1, 0, 1, 0], [0, 0, 0, 0]],
        "AveragePool": [[0.5] * 4, [0.25] * 4, [0.25] * 4],
        "GlobalMaxPool": [[1, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]],
    }
    np.testing.assert_array_equal(found[0, 0], expected[operator])


def test_the_quick_forms_of_a_mean() -> None:
    """Windows side by side are an image made larger, those of a stride of one a mean again."""
    x = values(1, 2, 6, 6)

    def written(size: int, stride: int, **rest: Any) -> set[str]:
        model = one_node("AveragePool", {"x": x}, kernel_shape=[size] * 2, strides=[stride] * 2, **rest)
        return {node.op_type for node in gradient.compile(model, wrt="x").graph.node[1:-1]}

    assert written(3, 3) == {"Mul", "Resize"}
    assert written(3, 1, pads=[1] * 4) == {"Mul", "AveragePool"}
    assert written(1, 1) == {"Mul"}
    assert "DepthToSpace" in written(3, 2)


def test_the_least_number_is_no_infinity() -> None:
    x = np.array([[[-1e30, -2e30, -3e30]]], np.float32)
    compiled = gradient.compile(one_node("MaxPool", {"x": x}, kernel_shape=[3], pads=[1, 1]), wrt="x")
    found = run(compiled, {"x": x, "seed": np.array([[[1, 2, 4]]], np.float32)})["grad_x"]
    np.testing.assert_array_equal(found, [[[3, 4, 0]]])
    assert all(np.isfinite(onnx.numpy_helper.to_array(tensor)).all() for tensor in compiled.graph.initializer)


def test_nothing_is_scattered() -> None:
    """Scattering, unpooling and wide splits leave the graphics card in some browsers."""
    x = values(1, 2, 9, 9)
    for operator in ("MaxPool", "AveragePool", "GlobalMaxPool"):
        rest: dict[str, Any] = (
            {} if operator.startswith("Global") else {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1] * 4}
        )
        compiled = gradient.compile(one_node(operator, {"x": x}, **rest), wrt="x")
        written = {node.op_type for node in compiled.graph.node}
        assert written.isdisjoint({"ScatterElements", "ScatterND", "MaxUnpool", "Split", "Sum", "GatherElements"})
