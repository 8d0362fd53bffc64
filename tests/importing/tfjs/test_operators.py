"""Each operator of TensorFlow.js: the translation beside the interpreter, and the interpreter beside PyTorch."""

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from torch.nn import functional

from sitegen.errors import ModelError
from sitegen.importing.tfjs.files import read_tfjs
from sitegen.importing.tfjs.operators import TABLE
from sitegen.importing.tfjs.reference import OPERATORS, evaluate
from tests.helpers.importing.tfjs_graphs import to_onnx
from tests.helpers.importing.tfjs_models import Model, numbers, text

SHAPE = {"NHWC": (1, 7, 9, 3), "NCHW": (1, 3, 7, 9)}


def both(model: Model, folder: Path, shape: Any) -> tuple[np.ndarray, Any, Any]:
    """What the translation gives for an image, and what the interpreter does, channels first; images are not square."""
    file = model.save(folder, [model.nodes[-1]["name"]])
    channels_first = np.random.default_rng(4).normal(size=(1, 3, 7, 9)).astype(np.float32)
    last = shape == "NHWC"
    graph = read_tfjs(file)
    (expected,) = evaluate(graph, channels_first.transpose(0, 2, 3, 1) if last else channels_first).values()
    made = to_onnx(file, (1, 3, 7, 9)) if shape in SHAPE else None
    session = onnxruntime.InferenceSession(made.SerializeToString())
    (found,) = session.run(None, {"image": channels_first})
    expected = expected.transpose(0, 3, 1, 2) if last and expected.ndim == 4 else expected
    return channels_first, found, expected


def image(model: Model, layout: str) -> str:
    return model.image(*SHAPE[layout])


def axes(layout: str, *pair: int) -> dict[str, Any]:
    """A list of four, with ones for batch and channels."""
    return numbers(1, *pair, 1) if layout == "NHWC" else numbers(1, 1, *pair)


WINDOWS = [("SAME", (1, 1)), ("SAME", (2, 3)), ("SAME", (3, 2)), ("VALID", (1, 1)), ("VALID", (2, 2))]


def padded(tensor: torch.Tensor, padding: str, kernel: tuple[int, int], strides: tuple[int, int]) -> torch.Tensor:
    """By the text of TensorFlow's documentation, for PyTorch."""
    if padding == "VALID":
        return tensor
    around = []
    for size, span, stride in zip(tensor.shape[:1:-1], kernel[::-1], strides[::-1], strict=True):
        total = max(span - stride if size % stride == 0 else span - size % stride, 0)
        around += [total // 2, total - total // 2]
    return functional.pad(tensor, around)


@pytest.mark.parametrize("layout", SHAPE)
@pytest.mark.parametrize(("padding", "strides"), WINDOWS)
def test_convolution(tmp_path: Path, layout: str, padding: str, strides: tuple[int, int]) -> None:
    model = Model()
    kernel = model.normal(3, 4, 3, 5)
    model.node(
        "Conv2D",
        image(model, layout),
        kernel,
        strides=axes(layout, *strides),
        padding=text(padding),
        data_format=text(layout),
    )
    shown, found, expected = both(model, tmp_path, layout)
    weights = torch.from_numpy(model.weights[kernel]).permute(3, 2, 0, 1)
    torchs = functional.conv2d(padded(torch.from_numpy(shown), padding, (3, 4), strides), weights, stride=strides)
    assert expected == pytest.approx(torchs.numpy(), abs=1e-5)
    assert found == pytest.approx(expected, abs=1e-5)


def test_convolution_with_dilations_and_explicit_padding(tmp_path: Path) -> None:
    model = Model()
    kernel = model.normal(3, 2, 3, 5)
    options: dict[str, Any] = {
        "strides": numbers(1, 1, 1, 1),
        "dilations": numbers(1, 2, 3, 1),
        "padding": text("EXPLICIT"),
    }
    model.node("Conv2D", image(model, "NHWC"), kernel, **options, explicit_paddings=numbers(0, 0, 1, 2, 3, 0, 0, 0))
    shown, found, expected = both(model, tmp_path, "NHWC")
    weights = torch.from_numpy(model.weights[kernel]).permute(3, 2, 0, 1)
    tensor = functional.pad(torch.from_numpy(shown), [3, 0, 1, 2])
    assert expected == pytest.approx(functional.conv2d(tensor, weights, dilation=(2, 3)).numpy(), abs=1e-5)
    assert found == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("layout", SHAPE)
@pytest.mark.parametrize(("padding", "strides"), [("SAME", (1, 1)), ("SAME", (2, 2)), ("VALID", (2, 2))])
def test_depthwise_convolution(tmp_path: Path, layout: str, padding: str, strides: tuple[int, int]) -> None:
    model = Model()
    kernel = model.normal(3, 3, 3, 2)
    options: dict[str, Any] = {"strides": axes(layout, *strides), "padding": text(padding), "data_format": text(layout)}
    model.node("DepthwiseConv2dNative", image(model, layout), kernel, **options)
    shown, found, expected = both(model, tmp_path, layout)
    weights = torch.from_numpy(model.weights[kernel]).permute(2, 3, 0, 1).reshape(6, 1, 3, 3)
    tensor = padded(torch.from_numpy(shown), padding, (3, 3), strides)
    assert expected == pytest.approx(functional.conv2d(tensor, weights, stride=strides, groups=3).numpy(), abs=1e-5)
    assert found == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("layout", SHAPE)
@pytest.mark.parametrize(("padding", "strides"), WINDOWS)
@pytest.mark.parametrize("operator", ["MaxPool", "AvgPool"])
def test_pooling(tmp_path: Path, layout: str, padding: str, strides: tuple[int, int], operator: str) -> None:
    model = Model()
    options: dict[str, Any] = {"ksize": axes(layout, 3, 2), "strides": axes(layout, *strides), "padding": text(padding)}
    model.node(operator, image(model, layout), **options, data_format=text(layout))
    shown, found, expected = both(model, tmp_path, layout)
    tensor = torch.from_numpy(shown)
    if operator == "MaxPool":  # padded with what is below all that is there
        torchs = functional.max_pool2d(padded(tensor + 100, padding, (3, 2), strides), (3, 2), strides) - 100
    else:
        sums, counts = (padded(each, padding, (3, 2), strides) for each in (tensor, torch.ones_like(tensor)))
        torchs = functional.avg_pool2d(sums, (3, 2), strides) / functional.avg_pool2d(counts, (3, 2), strides)
    assert expected == pytest.approx(torchs.numpy(), abs=1e-4)
    assert found == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("layout", SHAPE)
@pytest.mark.parametrize(
    ("kernel", "strides", "padding", "size"),
    [
        ((4, 4), (2, 2), "SAME", (14, 18)),
        ((3, 3), (2, 2), "SAME", (13, 17)),
        ((3, 2), (1, 1), "SAME", (7, 9)),
        ((2, 2), (3, 3), "SAME", (20, 26)),
        ((4, 3), (2, 1), "VALID", (16, 11)),
        ((4, 4), (2, 3), "VALID", (17, 30)),
    ],
)
def test_transposed_convolution(
    tmp_path: Path, layout: str, kernel: tuple[int, int], strides: tuple[int, int], padding: str, size: tuple[int, int]
) -> None:
    model = Model()
    given = image(model, layout)
    wanted = (1, *size, 5) if layout == "NHWC" else (1, 5, *size)
    weights = model.normal(*kernel, 5, 3)
    options: dict[str, Any] = {"strides": axes(layout, *strides), "padding": text(padding), "data_format": text(layout)}
    model.node("Conv2DBackpropInput", model.integers(*wanted), weights, given, **options)
    shown, found, expected = both(model, tmp_path, layout)
    # By its definition: the gradient of a convolution with respect to what it reads.
    read = torch.zeros(1, 5, *size, requires_grad=True)
    filters = torch.from_numpy(model.weights[weights]).permute(3, 2, 0, 1)
    made = functional.conv2d(padded(read, padding, kernel, strides), filters, stride=strides)
    made.backward(torch.from_numpy(shown))
    assert expected == pytest.approx(read.grad.numpy(), abs=1e-5)
    assert found == pytest.approx(expected, abs=1e-5)


ACTIVATIONS = {
    "Relu": torch.relu,
    "Relu6": functional.relu6,
    "Elu": functional.elu,
    "Sigmoid": torch.sigmoid,
    "Tanh": torch.tanh,
    "Softplus": functional.softplus,
    "Exp": torch.exp,
    "LeakyRelu": lambda x: functional.leaky_relu(x, 0.2),
    "Softmax": lambda x: torch.softmax(x, -1),
    "Identity": lambda x: x,
}


@pytest.mark.parametrize("operator", ACTIVATIONS)
def test_functions_of_one_tensor(tmp_path: Path, operator: str) -> None:
    model = Model()
    model.node(operator, model.node("Mul", image(model, "NCHW"), model.constant(4.0)))
    shown, found, expected = both(model, tmp_path, "NCHW")
    assert expected == pytest.approx(ACTIVATIONS[operator](4 * torch.from_numpy(shown)).numpy(), rel=1e-5, abs=1e-6)
    assert found == pytest.approx(expected, rel=1e-5, abs=1e-6)


def test_functions_of_two_tensors(tmp_path: Path) -> None:
    given = {"Sub": np.subtract, "Mul": np.multiply, "RealDiv": np.divide, "Maximum": np.maximum, "Minimum": np.minimum}
    for operator, function in {**given, "Add": np.add, "AddV2": np.add}.items():
        model = Model()
        other = model.normal(3, 1, 9)
        model.node(operator, image(model, "NCHW"), other)
        shown, found, expected = both(model, tmp_path / operator, "NCHW")
        assert expected == pytest.approx(function(shown.astype(np.float64), model.weights[other]), rel=1e-6)
        assert found == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("layout", SHAPE)
def test_bias_and_normalisation(tmp_path: Path, layout: str) -> None:
    model = Model()
    form: dict[str, Any] = {"data_format": text(layout)}
    bias, scale, offset, mean = (model.normal(3, scale=1) for _ in range(4))
    variance = model.constant([0.5, 1.0, 2.0])
    biased = model.node("BiasAdd", image(model, layout), bias, **form)
    model.node("FusedBatchNormV3", biased, scale, offset, mean, variance, epsilon={"f": 0.01}, **form)
    shown, found, expected = both(model, tmp_path, layout)
    m, v, s, o = (torch.from_numpy(model.weights[name]) for name in (mean, variance, scale, offset))
    given = torch.from_numpy(shown + model.weights[bias][:, None, None])
    torchs = functional.batch_norm(given, m, v, s, o, eps=0.01)
    assert expected == pytest.approx(torchs.numpy(), abs=1e-5)
    assert found == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize("operator", ["Mean", "Sum", "Max", "Min"])
def test_reductions(tmp_path: Path, operator: str, keep: bool) -> None:
    model = Model()
    model.node(operator, image(model, "NHWC"), model.integers(1, -2), keep_dims={"b": keep})
    shown, found, expected = both(model, tmp_path, "NHWC")
    literal = getattr(np, operator.lower())(shown.astype(np.float64), axis=(2, 3), keepdims=keep)
    assert expected == pytest.approx(literal, abs=1e-6)
    assert found == pytest.approx(expected, abs=1e-5)


def test_products_transposed_or_not(tmp_path: Path) -> None:
    for kind, form in {"plain": (27, 5), "transposed": (5, 27)}.items():
        model = Model()
        rows = model.node("Reshape", image(model, "NCHW"), model.integers(-1, 27))
        matrix = model.normal(*form)
        model.node("MatMul", rows, matrix, transpose_b={"b": kind == "transposed"}, transpose_a={"b": False})
        shown, found, expected = both(model, tmp_path / kind, "NCHW")
        values = model.weights[matrix].astype(np.float64)
        assert expected == pytest.approx(
            shown.reshape(7, 27) @ (values.T if kind == "transposed" else values), abs=1e-5
        )
        assert found == pytest.approx(expected, abs=1e-5)


def test_what_only_arranges(tmp_path: Path) -> None:
    model = Model()
    pads = model.constant([[0, 0], [1, 2], [0, 3], [0, 0]], "int32")
    wide = model.node("PadV2", image(model, "NCHW"), pads, model.constant(5.0))
    more = model.node("ConcatV2", wide, model.node("Pad", image_of(model), pads), model.constant(-1, "int32"))
    turned = model.transpose(more, [0, 2, 1, 3])
    flat = model.node("Reshape", turned, model.integers(1, 1, -1))
    less = model.node("Squeeze", flat, squeeze_dims=numbers(0))
    model.node("ExpandDims", less, model.constant(0, "int32"))
    shown, found, expected = both(model, tmp_path, "NCHW")
    around = [(0, 0), (1, 2), (0, 3), (0, 0)]
    both_padded = [np.pad(shown, around, constant_values=5), np.pad(shown, around)]
    literal = np.concatenate(both_padded, axis=3).transpose(0, 2, 1, 3).reshape(1, 1, -1)
    assert found.tolist() == expected.tolist() == literal.tolist()


def bits(*axes: int) -> dict[str, str]:
    """A number of bits, as JSON has it."""
    return {"i": str(sum(1 << axis for axis in axes))}


def test_slices(tmp_path: Path) -> None:
    model = Model()
    given = image(model, "NHWC")
    zeros = model.integers(0, 0, 0, 0)
    ends, turned = model.integers(0, 6, 9, 0), model.integers(1, 2, 3, -1)
    cut = model.node("StridedSlice", given, zeros, ends, turned, begin_mask=bits(0, 3), end_mask=bits(0, 3))
    last = (model.integers(0, -1), model.integers(0, 0), model.integers(1, 1))
    dropped = model.node("StridedSlice", cut, *last, ellipsis_mask=bits(0), shrink_axis_mask=bits(1))
    row = (model.integers(0, 2), model.integers(0, 0), model.integers(1, 1))
    model.node("StridedSlice", dropped, *row, end_mask=bits(0), shrink_axis_mask=bits(1))
    shown, found, expected = both(model, tmp_path, "NHWC")
    literal = shown.transpose(0, 2, 3, 1)[:, 0:6:2, 0:9:3, ::-1][..., -1][:, 2]
    assert found.tolist() == expected.tolist() == literal.tolist()


def test_shapes_that_are_computed_of_shapes(tmp_path: Path) -> None:
    model = Model()
    given = image(model, "NCHW")
    sizes = model.node("Shape", given)
    one = (model.integers(0), model.integers(1), model.integers(1))
    first = model.node("StridedSlice", sizes, *one, shrink_axis_mask=bits(0))
    wanted = model.node("Pack", first, model.constant(-1, "int32"))
    model.node("Reshape", given, wanted)
    shown, found, expected = both(model, tmp_path, "NCHW")
    assert found.tolist() == expected.tolist() == shown.reshape(1, -1).tolist()


def test_slices_that_make_axes_are_refused(tmp_path: Path) -> None:
    model = Model()
    one = (model.integers(0), model.integers(1), model.integers(1))
    model.node("StridedSlice", image(model, "NCHW"), *one, name="new", new_axis_mask=bits(0))
    with pytest.raises(ModelError, match=r"'new' \(StridedSlice\): it makes new axes"):
        to_onnx(model.save(tmp_path), (1, 3, 7, 9))


def image_of(model: Model) -> str:
    return model.nodes[[node["op"] for node in model.nodes].index("Placeholder")]["name"]


def test_fused_operators(tmp_path: Path) -> None:
    ends = {"Relu": torch.relu, "LeakyRelu": lambda x: functional.leaky_relu(x, 0.3), "Sigmoid": torch.sigmoid}
    for kind, function in ends.items():
        model = Model()
        kernel, bias = model.normal(3, 3, 3, 4), model.normal(4)
        fused = {"list": {"s": [text("BiasAdd")["s"], text(kind)["s"]]}}
        same: dict[str, Any] = {"strides": numbers(1, 1, 1, 1), "padding": text("VALID"), "fused_ops": fused}
        model.node("_FusedConv2D", image(model, "NHWC"), kernel, bias, **same, leakyrelu_alpha={"f": 0.3})
        shown, found, expected = both(model, tmp_path / kind, "NHWC")
        weights = torch.from_numpy(model.weights[kernel]).permute(3, 2, 0, 1)
        torchs = function(functional.conv2d(torch.from_numpy(shown), weights, torch.from_numpy(model.weights[bias])))
        assert expected == pytest.approx(torchs.numpy(), abs=1e-5)
        assert found == pytest.approx(expected, abs=1e-5)


def test_every_operator_that_is_translated_has_an_interpretation() -> None:
    assert TABLE.keys() == OPERATORS


def test_sizes_that_the_model_computes_are_named(tmp_path: Path) -> None:
    model = Model()
    given = image(model, "NCHW")
    model.node("Reshape", given, model.node("Max", given, model.integers(0, 1, 2), name="computed"), name="wrong")
    with pytest.raises(ModelError, match=r"'wrong' \(Reshape\): its input 'computed' must be a constant"):
        to_onnx(model.save(tmp_path), (1, 3, 7, 9))
