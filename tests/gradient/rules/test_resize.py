"""Resize: against torch where torch has the mode, else against the forward graph's own matrix."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import helper
from torch.nn import functional

from sitegen import gradient
from tests.helpers.gradient.proof import OPSETS, model_of, one_node, prove, run, values

MODES = ("half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric", "half_pixel_symmetric")
NEAREST = ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil")


def resized(
    shape: Sequence[int], *, scales: Sequence[float] = (), sizes: Sequence[int] = (), **rest: Any
) -> onnx.ModelProto:
    """A Resize by scales or to sizes, of all dimensions or of those in `axes`."""
    x = np.zeros(shape, np.float32)
    if scales:
        return one_node("Resize", {"x": x}, {"s": np.array(scales, np.float32)}, order=["x", "", "s"], **rest)
    return one_node("Resize", {"x": x}, {"s": np.array(sizes, np.int64)}, order=["x", "", "", "s"], **rest)


def matrix_of(model: onnx.ModelProto, shape: Sequence[int]) -> Callable[[torch.Tensor], torch.Tensor]:
    """The linear map that a model is, found by feeding it one image after the other that has a single 1."""
    unit = np.eye(int(np.prod(shape[1:])), dtype=np.float32).reshape(-1, 1, *shape[1:])
    made = np.stack([run(model, {"x": image.repeat(shape[0], 0)})["y"] for image in unit])
    rows = torch.tensor(made[:, 0].reshape(len(unit), -1).astype(np.float64))
    return lambda x: (x.reshape(len(x), -1) @ rows.to(x)).reshape(made.shape[1:])


def _prove_itself(shape: Sequence[int], **rest: Any) -> None:
    model = resized(shape, **rest)
    prove(model, {"x": values(*shape)}, matrix_of(model, shape), differences=False)


# attributes of Resize, the mode of torch and its options
TORCH: dict[str, tuple[dict[str, Any], str, dict[str, Any]]] = {
    "nearest": (
        {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"},
        "nearest",
        {},
    ),
    "nearest-exact": ({"mode": "nearest", "nearest_mode": "round_prefer_ceil"}, "nearest-exact", {}),
    "linear": ({"mode": "linear"}, "bilinear", {"align_corners": False}),
    "linear, from pytorch": (
        {"mode": "linear", "coordinate_transformation_mode": "pytorch_half_pixel"},
        "bilinear",
        {"align_corners": False},
    ),
    "linear, corners aligned": (
        {"mode": "linear", "coordinate_transformation_mode": "align_corners"},
        "bilinear",
        {"align_corners": True},
    ),
    "cubic": ({"mode": "cubic"}, "bicubic", {"align_corners": False}),
    "linear, antialiased": (
        {"mode": "linear", "antialias": 1, "exclude_outside": 1},
        "bilinear",
        {"align_corners": False, "antialias": True},
    ),
    "cubic, antialiased": (
        {"mode": "cubic", "antialias": 1, "exclude_outside": 1, "cubic_coeff_a": -0.5},
        "bicubic",
        {"align_corners": False, "antialias": True},
    ),
}


@pytest.mark.parametrize("to", [(10, 8), (5, 9), (7, 13), (3, 2)])
@pytest.mark.parametrize("case", TORCH)
def test_as_torch_does(case: str, to: tuple[int, int]) -> None:
    attributes, mode, options = TORCH[case]
    x = values(3, 2, 5, 4)
    model = resized(x.shape, sizes=to, axes=[2, 3], dynamic=True, **attributes)
    prove(model, {"x": x}, lambda x: functional.interpolate(x, to, mode=mode, **options))


@pytest.mark.parametrize("dynamic", [False, True])
@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("case", ["nearest", "linear", "linear, corners aligned"])
def test_scales_in_every_opset(case: str, opset: int, batch: int, dynamic: bool) -> None:
    attributes, mode, options = TORCH[case]
    x = values(batch, 2, 5, 3)
    model = resized(x.shape, scales=[1, 1, 2, 3], opset=opset, dynamic=dynamic, **attributes)
    prove(model, {"x": x}, lambda x: functional.interpolate(x, (10, 9), mode=mode, **options))


@pytest.mark.parametrize(
    ("shape", "to", "mode"), [((3, 2, 7), (12,), "linear"), ((2, 2, 3, 4, 2), (5, 7, 3), "trilinear")]
)
@pytest.mark.parametrize("aligned", [False, True])
def test_one_and_three_dimensions(shape: tuple[int, ...], to: tuple[int, ...], mode: str, aligned: bool) -> None:
    coordinates = "align_corners" if aligned else "half_pixel"
    model = resized(shape, sizes=[*shape[:2], *to], mode="linear", coordinate_transformation_mode=coordinates)
    reference = lambda x: functional.interpolate(x, to, mode=mode, align_corners=aligned)  # noqa: E731
    prove(model, {"x": values(*shape)}, reference)


@pytest.mark.parametrize("nearest", NEAREST)
@pytest.mark.parametrize("coordinates", MODES)
def test_nearest_in_every_mode(coordinates: str, nearest: str) -> None:
    rest = {"mode": "nearest", "coordinate_transformation_mode": coordinates, "nearest_mode": nearest, "opset": 19}
    for size, to in ((7, 8), (7, 2), (3, 1), (5, 12), (4, 6), (1, 3)):
        _prove_itself([1, 1, 1, size], sizes=[1, 1, 1, to], **rest)
    for size, scale in ((3, 3.7), (7, 0.6), (5, 2.0)):
        _prove_itself([1, 1, 1, size], scales=[1, 1, 1, scale], **rest)


@pytest.mark.parametrize("antialias", [0, 1])
@pytest.mark.parametrize("mode", ["linear", "cubic"])
@pytest.mark.parametrize("coordinates", MODES)
def test_interpolation_in_every_mode(coordinates: str, mode: str, antialias: int) -> None:
    rest = {"mode": mode, "coordinate_transformation_mode": coordinates, "antialias": antialias, "opset": 19}
    for size, to in ((7, 3), (5, 12), (4, 1)):
        _prove_itself([1, 1, 2, size], sizes=[1, 1, 3, to], **rest)
    for size, scale in ((3, 3.7), (7, 0.6)):
        _prove_itself([1, 1, 2, size], scales=[1, 1, 2.5, scale], **rest)
    if mode == "cubic" or antialias:
        _prove_itself([1, 1, 2, 7], sizes=[1, 1, 3, 4], exclude_outside=1, **rest)


def test_axes_in_any_order_and_from_the_end() -> None:
    x = values(3, 2, 4, 3)
    model = resized(x.shape, sizes=[7, 5], axes=[-1, 2], mode="linear", dynamic=True)
    prove(model, {"x": x}, lambda x: functional.interpolate(x, (5, 7), mode="bilinear"))
    model = resized(x.shape, scales=[1.5], axes=[3], mode="linear", dynamic=True)
    prove(model, {"x": x}, _last_axis)


def _last_axis(x: torch.Tensor) -> torch.Tensor:
    """Three positions become ⌊4.5⌋, by the scale of 1.5 and not 4/3."""
    rows = x.flatten(0, 2)[:, None]
    return functional.interpolate(rows, scale_factor=1.5, mode="linear").reshape(*x.shape[:3], 4)


def test_a_resized_batch_and_channels() -> None:
    for shape, to in (([2, 3, 4, 5], [4, 6, 4, 5]), ([2, 3, 4, 5], [3, 2, 5, 3])):
        x = values(*shape)
        model = resized(shape, sizes=to, mode="nearest")
        origin = run(model, {"x": np.arange(x.size, dtype=np.float32).reshape(shape)})["y"].astype(np.int64)
        prove(model, {"x": x}, lambda x, origin=origin: x.reshape(-1)[torch.tensor(origin)])


def test_sizes_that_keep_an_open_batch() -> None:
    """As exporters write it: the sizes are computed from the shape of x."""
    x = values(3, 2, 4, 5)
    nodes = [
        helper.make_node("Shape", ["x"], ["kept"], end=2),
        helper.make_node("Concat", ["kept", "to"], ["sizes"], axis=0),
        helper.make_node("Resize", ["x", "", "", "sizes"], ["y"], mode="linear"),
    ]
    model = model_of(nodes, {"x": x}, {"to": np.array([9, 6])}, ["y"], dynamic=True)
    prove(model, {"x": x}, lambda x: functional.interpolate(x, (9, 6), mode="bilinear"))


def test_engines_copy_where_no_size_changes() -> None:
    x = values(1, 1, 3, 2)
    model = resized(x.shape, scales=[1, 1, 1.2, 1.2], mode="linear")
    prove(model, {"x": x}, lambda x: x * 1)


def test_pixels_that_are_repeated_are_added_up() -> None:
    x = np.zeros((1, 1, 1, 2), np.float32)
    compiled = gradient.compile(resized(x.shape, scales=[1, 1, 2, 2], mode="nearest"), wrt="x")
    found = run(compiled, {"x": x, "seed": np.array([[[[1, 2, 3, 4], [10, 20, 30, 40]]]], np.float32)})
    np.testing.assert_array_equal(found["grad_x"], [[[[33, 77]]]])


def test_what_is_written_for_a_whole_factor_and_else() -> None:
    def written(**rest: Any) -> list[str]:
        compiled = gradient.compile(resized([1, 2, 4, 4], **rest), wrt="x")
        return [node.op_type for node in compiled.graph.node[1:-1]]

    assert written(scales=[1, 1, 2, 3], mode="nearest") == ["AveragePool", "Mul"]
    assert written(scales=[1, 1, 2, 2.5], mode="nearest") == ["MatMul", "MatMul"]
    assert written(scales=[1, 1, 2, 2], mode="linear") == ["MatMul", "MatMul"]
    assert written(scales=[1, 1, 1, 2], mode="linear") == ["MatMul"]


def test_half_precision() -> None:
    x = np.zeros((1, 1, 1, 3), np.float16)
    constants = {"s": np.array([1, 1, 1, 2], np.float32)}
    model = one_node("Resize", {"x": x}, constants, order=["x", "", "s"], mode="linear")
    seed = np.array([[[[1, 2, 4, 8, 16, 32]]]], np.float16)
    found = run(gradient.compile(model, wrt="x"), {"x": x, "seed": seed})["grad_x"]
    assert found.dtype == np.float16
    np.testing.assert_array_equal(found, [[[[3.5, 13.5, 46]]]])


@pytest.mark.parametrize(
    ("attributes", "named"),
    [
        ({"keep_aspect_ratio_policy": "not_larger"}, "keep_aspect_ratio_policy='not_larger'.*write the sizes"),
        ({"coordinate_transformation_mode": "tf_crop_and_resize"}, "='tf_crop_and_resize'.*slice it out before"),
    ],
)
def test_what_is_not_supported(attributes: dict[str, Any], named: str) -> None:
    x = {"x": values(1, 1, 4, 4)}
    constants = {"roi": np.array([0, 0, 0, 0, 1, 1, 1, 1], np.float32), "sizes": np.array([1, 1, 6, 6])}
    model = one_node("Resize", x, constants, order=["x", "roi", "", "sizes"], mode="linear", **attributes)
    with pytest.raises(gradient.GradientError, match=rf"the_Resize.*\(Resize\).*{named}"):
        gradient.compile(model, wrt="x")


def test_scales_that_are_computed_are_refused() -> None:
    x = {"x": values(1, 1, 4, 4), "s": np.array([1, 1, 2, 2], np.float32)}
    model = one_node("Resize", x, order=["x", "", "s"], mode="linear")
    with pytest.raises(gradient.GradientError, match=r"the_Resize.*scales.*computed when the model runs"):
        gradient.compile(model, wrt="x")
