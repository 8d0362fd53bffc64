"""Convolutions and transposed convolutions, of one to three dimensions."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from torch.nn import functional

from sitegen import gradient
from tests.helpers.gradient.proof import OPSETS, Arrays, one_node, prove, run, values

Function = Callable[..., torch.Tensor]
CONVOLUTIONS: list[Function] = [functional.conv1d, functional.conv2d, functional.conv3d]
TRANSPOSED: list[Function] = [functional.conv_transpose1d, functional.conv_transpose2d, functional.conv_transpose3d]


def convolution(pads: Sequence[int], strides: Sequence[int], dilations: Sequence[int], groups: int = 1) -> Function:
    """Conv of torch, with `pads` as in ONNX (all begins, then all ends)."""

    def reference(x: torch.Tensor, w: torch.Tensor, b: torch.Tensor | None = None) -> torch.Tensor:
        function = CONVOLUTIONS[x.ndim - 3]
        return function(functional.pad(x, _by_axis(pads)), w, b, stride=strides, dilation=dilations, groups=groups)

    return reference


def transposed(
    pads: Sequence[int], strides: Sequence[int], dilations: Sequence[int], groups: int = 1, extra: Sequence[int] = ()
) -> Function:
    """ConvTranspose: the whole of torch's, `extra` zeros at the ends, and `pads` cut off."""

    def reference(x: torch.Tensor, w: torch.Tensor, b: torch.Tensor | None = None) -> torch.Tensor:
        rank = x.ndim - 2
        whole = TRANSPOSED[rank - 1](x, w, stride=strides, dilation=dilations, groups=groups)
        ends = [more - pad for more, pad in zip(extra or [0] * rank, pads[rank:], strict=True)]
        y = functional.pad(whole, _by_axis([*(-pad for pad in pads[:rank]), *ends]))
        return y if b is None else y + b.reshape(-1, *[1] * rank)

    return reference


def _by_axis(pads: Sequence[int]) -> list[int]:
    rank = len(pads) // 2
    return [pad for axis in reversed(range(rank)) for pad in (pads[axis], pads[rank + axis])]


def _prove(operator: str, x: np.ndarray[Any, Any], constants: Arrays, reference: Function, **rest: Any) -> None:
    model = one_node(operator, {"x": x}, constants, **rest)
    prove(model, {"x": x}, reference, wrt=["x", *constants], constants=constants)


# sizes, kernel, strides, dilations, pads
GEOMETRIES: dict[str, tuple[list[int], list[int], list[int], list[int], list[int]]] = {
    "1-D": ([9], [3], [1], [1], [1, 1]),
    "1-D, stride": ([10], [3], [3], [1], [0, 2]),
    "2-D, kernel of 1": ([5, 4], [1, 1], [1, 1], [1, 1], [0] * 4),
    "2-D, kernel of 1, stride": ([7, 8], [1, 1], [2, 2], [1, 1], [0] * 4),
    "2-D": ([7, 6], [3, 3], [1, 1], [1, 1], [1] * 4),
    "2-D, even kernel": ([7, 6], [2, 4], [1, 1], [1, 1], [0, 1, 1, 2]),
    "2-D, stride, odd size": ([9, 7], [3, 3], [2, 2], [1, 1], [1] * 4),
    "2-D, stride, even size": ([8, 8], [3, 3], [2, 2], [1, 1], [1] * 4),
    "2-D, unequal strides": ([9, 10], [3, 2], [1, 3], [1, 1], [1, 0, 1, 0]),
    "2-D, stride over kernel": ([11, 9], [2, 1], [4, 3], [1, 1], [0] * 4),
    "2-D, dilation": ([9, 9], [3, 2], [1, 1], [2, 3], [2, 1, 2, 1]),
    "2-D, stride and dilation": ([11, 10], [3, 2], [2, 3], [2, 3], [1, 2, 0, 2]),
    "2-D, asymmetric pads": ([6, 7], [3, 3], [1, 1], [1, 1], [2, 0, 0, 1]),
    "2-D, pads over kernel": ([5, 6], [2, 3], [1, 1], [1, 1], [3, 0, 2, 4]),
    "2-D, pads over kernel, stride": ([5, 6], [2, 3], [2, 2], [1, 1], [3, 4, 2, 3]),
    "2-D, negative rest": ([8, 9], [3, 3], [4, 3], [1, 1], [0] * 4),
    "3-D": ([4, 5, 6], [2, 3, 3], [1, 1, 1], [1, 1, 1], [0, 1, 1, 1, 1, 0]),
    "3-D, stride": ([5, 6, 7], [2, 3, 1], [2, 1, 3], [1, 2, 1], [1, 2, 0, 1, 2, 0]),
}


@pytest.mark.parametrize("bias", [False, True], ids=["", "bias"])
@pytest.mark.parametrize("case", GEOMETRIES)
def test_convolution(case: str, bias: bool) -> None:
    size, kernel, strides, dilations, pads = GEOMETRIES[case]
    constants = {"w": values(4, 3, *kernel, seed=1)} | ({"b": values(4, seed=2)} if bias else {})
    _prove(
        "Conv",
        values(3, 3, *size),
        constants,
        convolution(pads, strides, dilations),
        strides=strides,
        dilations=dilations,
        pads=pads,
        dynamic=bias,
    )


@pytest.mark.parametrize("bias", [False, True], ids=["", "bias"])
@pytest.mark.parametrize("case", GEOMETRIES)
def test_transposed_convolution(case: str, bias: bool) -> None:
    size, kernel, strides, dilations, pads = GEOMETRIES[case]
    size = [count // 2 + 1 for count in size]
    if case == "2-D, pads over kernel":
        pads = [1, 0, 2, 3]
    constants = {"w": values(3, 4, *kernel, seed=1)} | ({"b": values(4, seed=2)} if bias else {})
    _prove(
        "ConvTranspose",
        values(3, 3, *size),
        constants,
        transposed(pads, strides, dilations),
        strides=strides,
        dilations=dilations,
        pads=pads,
        dynamic=bias,
    )


@pytest.mark.parametrize("groups", [2, 4, 8])
@pytest.mark.parametrize(("strides", "pads"), [([1, 1], [1, 0, 1, 1]), ([1, 1], [1, 0, 1, 2]), ([2, 1], [1, 0, 1, 2])])
@pytest.mark.parametrize("dynamic", [False, True])
def test_groups(groups: int, strides: list[int], pads: list[int], dynamic: bool) -> None:
    """The way back to the input is a plain convolution where strides are 1 and pads are narrower than kernels."""
    x = values(3, 8, 6, 7)
    rest: dict[str, Any] = {"strides": strides, "pads": pads, "group": groups, "dynamic": dynamic}
    many = {"w": values(16, 8 // groups, 3, 2, seed=1)}
    _prove("Conv", x, many, convolution(pads, strides, [1, 1], groups), **rest)
    few = {"w": values(8, 16 // groups, 3, 2, seed=1)}
    _prove("ConvTranspose", x, few, transposed(pads, strides, [1, 1], groups), **rest)


@pytest.mark.parametrize("strides", [[1, 1], [2, 2]])
def test_depthwise(strides: list[int]) -> None:
    x, pads = values(2, 6, 9, 8), [2] * 4
    _prove(
        "Conv",
        x,
        {"w": values(6, 1, 5, 5, seed=1)},
        convolution(pads, strides, [1, 1], 6),
        strides=strides,
        pads=pads,
        group=6,
    )


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize("batch", [1, 3])
def test_defaults_of_every_opset(opset: int, batch: int) -> None:
    x = values(batch, 3, 6, 5)
    w = values(4, 3, 3, 2, seed=1)
    _prove("Conv", x, {"w": w}, convolution([0] * 4, [1, 1], [1, 1]), opset=opset, kernel_shape=[3, 2])
    w = values(3, 4, 3, 2, seed=1)
    _prove("ConvTranspose", x, {"w": w}, transposed([0] * 4, [1, 1], [1, 1]), opset=opset, kernel_shape=[3, 2])


@pytest.mark.parametrize(
    ("mode", "strides", "pads"),
    [
        ("SAME_UPPER", [1, 1], [1, 0, 1, 1]),
        ("SAME_LOWER", [1, 1], [1, 1, 1, 0]),
        ("SAME_UPPER", [2, 3], [0, 0, 1, 1]),
        ("SAME_LOWER", [2, 3], [1, 1, 0, 0]),
        ("VALID", [2, 1], [0] * 4),
        ("NOTSET", [2, 1], [0] * 4),
    ],
)
def test_automatic_pads(mode: str, strides: list[int], pads: list[int]) -> None:
    """Pads by hand, for 8 x 7 with a kernel of 3 x 2: in all (⌈size / stride⌉ − 1)·stride + kernel − size."""
    constants = {"w": values(4, 3, 3, 2, seed=1)}
    reference = convolution(pads, strides, [1, 1])
    _prove("Conv", values(2, 3, 8, 7), constants, reference, strides=strides, auto_pad=mode)


@pytest.mark.parametrize(
    ("mode", "pads"), [("SAME_UPPER", [0, 1, 1, 2]), ("SAME_LOWER", [1, 2, 0, 1]), ("VALID", [0] * 4)]
)
def test_automatic_pads_transposed(mode: str, pads: list[int]) -> None:
    """Made is size·stride; of kernels of 3 and 5 that leaves (3 − 2) and (5 − 2) to cut off."""
    constants = {"w": values(3, 4, 3, 5, seed=1)}
    reference = transposed(pads, [2, 2], [1, 1])
    _prove("ConvTranspose", values(2, 3, 4, 3), constants, reference, strides=[2, 2], auto_pad=mode)


@pytest.mark.parametrize(
    ("strides", "dilations", "extra"),
    [([2, 2], [1, 1], [1, 1]), ([3, 2], [1, 1], [2, 0]), ([1, 2], [1, 3], [0, 1]), ([4, 3], [2, 1], [3, 2])],
)
def test_output_padding(strides: list[int], dilations: list[int], extra: list[int]) -> None:
    pads = [1, 0, 1, 1]
    constants = {"w": values(4, 3, 2, 3, seed=1), "b": values(6, seed=2)}
    _prove(
        "ConvTranspose",
        values(3, 4, 4, 5),
        constants,
        transposed(pads, strides, dilations, 2, extra),
        strides=strides,
        dilations=dilations,
        pads=pads,
        output_padding=extra,
        group=2,
    )


def test_a_computed_kernel() -> None:
    """The kernel is an input of the model, as in networks whose weights depend on a style."""
    x, w = values(2, 4, 6, 7), values(6, 2, 3, 3, seed=1)
    model = one_node("Conv", {"x": x, "w": w}, strides=[2, 1], pads=[1] * 4, group=2)
    prove(model, {"x": x, "w": w}, convolution([1] * 4, [2, 1], [1, 1], 2))
    w = values(4, 3, 3, 3, seed=1)
    model = one_node("ConvTranspose", {"x": x, "w": w}, strides=[2, 1], pads=[1] * 4, group=2)
    prove(model, {"x": x, "w": w}, transposed([1] * 4, [2, 1], [1, 1], 2))


def test_where_two_outputs_overlap_their_gradients_add_up() -> None:
    x = np.zeros((1, 1, 4), np.float32)
    model = one_node("Conv", {"x": x}, {"w": np.array([[[1, 10, 100]]], np.float32)})
    compiled = gradient.compile(model, wrt="x")
    found = run(compiled, {"x": x, "seed": np.array([[[1, 2]]], np.float32)})
    np.testing.assert_array_equal(found["grad_x"], [[[1, 12, 120, 200]]])


def test_a_stride_of_one_runs_as_a_convolution() -> None:
    """Engines run it faster than a transposed one; strides above 1 need the latter."""
    x, w = values(1, 3, 6, 6), values(4, 3, 3, 3)

    def backward(**attributes: Any) -> list[str]:
        compiled = gradient.compile(one_node("Conv", {"x": x}, {"w": w}, **attributes), wrt="x")
        return [node.op_type for node in compiled.graph.node if node.op_type.startswith("Conv")][1:]

    assert backward(pads=[1] * 4) == ["Conv"]
    assert backward(pads=[1] * 4, strides=[2, 2]) == ["ConvTranspose"]
    assert backward(pads=[3] * 4) == ["ConvTranspose"]


def test_an_open_size_of_the_image_is_refused() -> None:
    model = one_node("Conv", {"x": values(1, 3, 6, 6)}, {"w": values(4, 3, 3, 3)})
    model.graph.input[0].type.tensor_type.shape.dim[2].dim_param = "H"
    model.graph.output[0].type.tensor_type.ClearField("shape")
    with pytest.raises(gradient.GradientError, match=r"the_Conv.*leaves \['H'\] open.*fixed sizes"):
        gradient.compile(model, wrt="x")


@pytest.mark.parametrize(
    ("attributes", "named"),
    [
        ({"output_shape": [9, 4]}, "output_shape="),
        ({"auto_pad": "SAME_UPPER", "output_padding": [1, 0], "strides": [2, 2]}, "auto_pad='SAME_UPPER'"),
    ],
)
def test_sizes_that_onnx_infers_wrongly_are_refused(attributes: dict[str, Any], named: str) -> None:
    model = one_node("ConvTranspose", {"x": values(1, 3, 5, 5)}, {"w": values(3, 2, 3, 3)}, **attributes)
    with pytest.raises(gradient.GradientError, match=rf"the_ConvTranspose.*{named}.*with pads and output_padding"):
        gradient.compile(model, wrt="x")


@pytest.mark.parametrize(
    ("mode", "pads"), [("NOTSET", [3, 1, 2, 1]), ("SAME_LOWER", [3, 1, 2, 1]), ("SAME_UPPER", [2, 1, 3, 1])]
)
def test_an_output_shape(mode: str, pads: list[int]) -> None:
    """The whole is 4·2 + 3 = 11 by 3·2 + 3 = 9; where an odd number is cut off, the mode says which end loses more."""
    x, constants = values(2, 3, 5, 4), {"w": values(3, 2, 3, 3, seed=1)}
    reference = transposed(pads, [2, 2], [1, 1])
    _prove("ConvTranspose", x, constants, reference, strides=[2, 2], output_shape=[6, 7], auto_pad=mode)


def test_the_kernel_alone() -> None:
    """The gradient of a kernel does not need that of the image."""
    x, w = values(2, 3, 6, 6), values(4, 3, 3, 3)
    compiled = gradient.compile(one_node("Conv", {"x": x}, {"w": w}), wrt="w")
    assert [node.op_type for node in compiled.graph.node if node.op_type.startswith("Conv")] == ["Conv", "Conv"]
    onnx.checker.check_model(compiled, full_check=True)
