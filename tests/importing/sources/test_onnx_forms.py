"""ONNX files in the forms that people have: old, as in training, of bytes, of whole numbers, with several outputs."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from sitegen.errors import ModelError, SettingsError
from sitegen.importing.graphs import write_gradient_graphs
from sitegen.importing.proof.proof import prove
from sitegen.importing.settings import ImportSettings
from sitegen.importing.source import ImportedClassifier
from sitegen.importing.sources.onnx_model import import_onnx, questions
from tests.helpers.importing.onnx_models import graph, settings, sigmoid, small, small_logits, tensors, written


def node(operator: str, inputs: str, output: str, **options: Any) -> NodeProto:
    return helper.make_node(operator, inputs.split(), output.split(), **options)


def weights_of(model: ModelProto) -> dict[str, Any]:
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}


def given_by(model: ImportedClassifier, folder: Path, shown: np.ndarray) -> np.ndarray:
    folder.mkdir(exist_ok=True)
    model.write(folder)
    assert model.original is not None
    proof = prove(folder, model.original, shown, None)
    assert proof.largest <= 1e-5
    session = onnxruntime.InferenceSession(str(folder / "classifier.onnx"))
    return np.concatenate([session.run(None, {"image": image[np.newaxis]})[0] for image in shown])


def imported(model: ModelProto, folder: Path, labels: int = 3, **others: Any) -> ImportedClassifier:
    return import_onnx(written(model, folder / "net.onnx"), settings(labels, colour="grey", **others))


@pytest.mark.parametrize("opset", [7, 8])
def test_weights_that_are_inputs_as_well(tmp_path: Path, opset: int) -> None:
    model = small()
    model.opset_import[0].version, model.ir_version = opset, 3
    for tensor in model.graph.initializer:
        model.graph.input.append(helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims))
    made = given_by(imported(model, tmp_path), tmp_path / "bundle", tensors())
    assert np.abs(made - small_logits(small(), tensors())).max() < 1e-5


def test_operators_in_any_order(tmp_path: Path) -> None:
    model = small()
    nodes = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend(nodes[::-1])
    made = given_by(imported(model, tmp_path), tmp_path / "bundle", tensors())
    assert np.abs(made - small_logits(small(), tensors())).max() < 1e-5


def test_bytes_are_the_numbers_that_images_have(tmp_path: Path) -> None:
    plain = small()
    plain.graph.node[0].input[0] = "wide"
    cast = node("Cast", "x", "wide", to=TensorProto.FLOAT)
    model = graph(
        [cast, *plain.graph.node], kind=TensorProto.UINT8,
        **weights_of(plain),
    )  # fmt: skip
    model.graph.output[0].type.tensor_type.elem_type = TensorProto.FLOAT
    file = written(model, tmp_path / "net.onnx")
    assert [question.key for question in questions(file)] == ["labels"]
    given = import_onnx(file, ImportSettings(labels=settings(3).labels))
    assert given.image.range == (0.0, 255.0)
    assert any("as bytes" in remark for remark in given.remarks)
    shown = np.random.default_rng(0).integers(0, 256, (3, 1, 8, 8)).astype(np.float32)
    made = given_by(given, tmp_path / "bundle", shown)
    expected = np.concatenate(
        [
            onnxruntime.InferenceSession(str(file)).run(None, {"x": image[np.newaxis].astype(np.uint8)})[0]
            for image in shown
        ]
    )
    assert np.abs((made - expected) / np.maximum(1, np.abs(expected))).max() < 1e-5


@pytest.mark.parametrize(("labels", "end"), [(1, (1,)), (1, ()), (3, (3,))])
def test_outputs_of_one_axis_or_none(tmp_path: Path, labels: int, end: tuple[int, ...]) -> None:
    form = np.array(end, np.int64)
    model = small(node("Reshape", "z form", "y"), labels=labels, form=form)
    model.graph.output[0].CopyFrom(helper.make_tensor_value_info("y", TensorProto.FLOAT, list(end)))
    made = given_by(imported(model, tmp_path, labels), tmp_path / "bundle", tensors())
    assert np.abs(made - small_logits(small(labels=labels), tensors())).max() < 1e-5


def trained(kind: str, mean: float = 0.3) -> ModelProto:
    """With a normalisation or a dropout as in training, and after it the network of `small`."""
    inner = small()
    inner.graph.node[0].input[0] = "seen"
    weights = weights_of(inner)
    if kind == "dropout":
        first = [node("Dropout", "x half true", "seen")]
        weights |= {"half": np.array(0.5, np.float32), "true": np.array(True)}
    else:
        outputs = "seen newmean newvar" if kind == "newer" else "seen"
        options = {"training_mode": 1} if kind == "newer" else {}
        first = [node("BatchNormalization", "x scale shift0 mean var", outputs, epsilon=0.0, **options)]
        one = np.ones(1, np.float32)
        weights |= {"scale": 2 * one, "shift0": one, "mean": mean * one, "var": one if mean == 0 else 4 * one}
    return graph([*first, *inner.graph.node], **weights)


@pytest.mark.parametrize(("kind", "told"), [("newer", "1 batch normalisations"), ("dropout", "1 dropouts")])
def test_an_export_as_in_training_is_as_in_evaluation(tmp_path: Path, kind: str, told: str) -> None:
    model = imported(trained(kind), tmp_path)
    assert any(told in remark for remark in model.remarks)
    made = given_by(model, tmp_path / "bundle", tensors())
    seen = tensors() if kind == "dropout" else ((tensors() - np.float32(0.3)) / 2 * 2 + 1).astype(np.float32)
    assert np.abs(made - small_logits(small(), seen)).max() < 1e-5


def test_what_learned_nothing_has_no_evaluation(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="holds none that were learned"):
        imported(trained("newer", mean=0.0), tmp_path)
    noise = [node("RandomNormalLike", "z", "n"), node("Add", "z n", "y")]
    with pytest.raises(ModelError, match="RandomNormalLike is left to chance"):
        imported(small(*noise), tmp_path)


def quantised(signed: bool) -> ModelProto:
    """The small network, whose maps are stored with 8 bits."""
    zero = np.array(0 if signed else 128, np.int8 if signed else np.uint8)
    model = small()
    stored = [node("QuantizeLinear", "maps step zero", "b"), node("DequantizeLinear", "b step zero", "again")]
    model.graph.node[2].input[0] = "again"
    nodes = [*list(model.graph.node)[:2], *stored, *list(model.graph.node)[2:]]
    weights = weights_of(model)
    return graph(nodes, step=np.array(0.05, np.float32), zero=zero, **weights)


def test_signed_bytes_are_refused_and_unsigned_ones_have_no_gradients(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"signed 8-bit numbers \(QuantizeLinear"):
        imported(quantised(signed=True), tmp_path)
    imported(quantised(signed=False), tmp_path).write(tmp_path)
    made = write_gradient_graphs(tmp_path)
    assert not made.gradient
    assert "computes with whole numbers (QuantizeLinear)" in made.remarks[0]
    assert sorted(path.name for path in tmp_path.glob("*.onnx")) == ["classifier.onnx", "net.onnx"]


def test_dynamic_quantisation_has_no_gradients(tmp_path: Path) -> None:
    nodes = [
        node("DynamicQuantizeLinear", "flat", "b step zero"),
        node("MatMulInteger", "b whole zero", "sums"),
        node("Cast", "sums", "wide", to=TensorProto.FLOAT),
        node("Mul", "wide step", "y"),
    ]
    model = small()
    weights = weights_of(model)
    whole = np.random.default_rng(0).integers(-9, 9, (5, 3)).astype(np.int8)
    given = graph([*list(model.graph.node)[:4], *nodes], whole=whole, **weights)
    imported(given, tmp_path).write(tmp_path)
    assert "ConvInteger" not in write_gradient_graphs(tmp_path).remarks[0]
    assert "DynamicQuantizeLinear, MatMulInteger" in write_gradient_graphs(tmp_path).remarks[0]


def test_outputs_are_chosen_and_put_side_by_side(tmp_path: Path) -> None:
    model = small(node("Sigmoid", "z", "first"), node("Neg", "z", "n"), node("Sigmoid", "n", "y"))
    model.graph.output.append(helper.make_tensor_value_info("first", TensorProto.FLOAT, [1, 3]))
    expected = sigmoid(small_logits(small(), tensors()))
    for names, wanted in ((("first",), expected), (("y", "first"), np.concatenate([1 - expected, expected], axis=1))):
        made = given_by(imported(model, tmp_path, len(wanted[0]), outputs=names), tmp_path / "bundle", tensors())
        assert np.abs(sigmoid(made) - wanted).max() < 1e-6
    with pytest.raises(SettingsError, match="outputs names 'other', which the model does not make"):
        imported(model, tmp_path, outputs=("other",))


def test_what_is_before_a_sorted_end_can_be_chosen(tmp_path: Path) -> None:
    model = small(node("Softmax", "z", "p"), node("TopK", "p three", "y places"), three=np.array([3]))
    with pytest.raises(ModelError, match=r"net\.onnx: The output 'y' comes of TopK"):
        imported(model, tmp_path)
    made = given_by(imported(model, tmp_path, outputs=("p",)), tmp_path / "bundle", tensors())
    assert np.abs(sigmoid(made).sum(axis=1) - 1).max() < 1e-6
    assert onnx.load(str(tmp_path / "bundle" / "classifier.onnx")).graph.output[0].name == "logits"
