"""ONNX classifiers of several exporters, opsets and layouts as graphs of a bundle, with the same probabilities."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper

from sitegen.errors import ModelError, SettingsError
from sitegen.export.agreement import TOLERANCE, apart
from sitegen.importing.settings import ImportSettings
from sitegen.importing.source import ImportedClassifier
from sitegen.importing.sources.onnx_model import import_onnx, questions
from tests.helpers.importing.onnx_models import (
    End,
    export,
    graph,
    images,
    logits_of,
    settings,
    sigmoid,
    small,
    small_logits,
    softmax,
    tensors,
    written,
)


def given_by(model: ImportedClassifier, folder: Path, shown: np.ndarray) -> np.ndarray:
    """The logits of the bundle's graph, image by image."""
    folder.mkdir(exist_ok=True)
    model.write(folder)
    session = onnxruntime.InferenceSession(str(folder / "classifier.onnx"))
    assert [entry.name for entry in session.get_inputs()] == ["image"]
    assert [entry.name for entry in session.get_outputs()] == ["logits"]
    assert session.get_inputs()[0].shape == list(model.image.shape)
    return np.concatenate([session.run(None, {"image": image[np.newaxis]})[0] for image in shown])


EXPORTS = [
    ("mobilenet-v3", 11, False, None),
    ("mobilenet-v3", 13, True, None),
    ("mobilenet-v3", 11, True, torch.sigmoid),
    ("mobilenet-v3", 18, False, lambda z: torch.softmax(z, 1)),
    ("vit", 18, True, None),
    ("vit", 18, False, torch.sigmoid),
    ("vit", 20, True, lambda z: torch.softmax(z, -1)),
    ("densenet", 9, False, None),
    ("densenet", 11, True, lambda z: torch.log_softmax(z, 1)),
    ("swin", 11, True, None),
]


@pytest.mark.parametrize(("name", "opset", "dynamic", "end"), EXPORTS)
def test_probabilities_are_those_of_pytorch(
    tmp_path: Path, name: str, opset: int, dynamic: bool, end: End | None
) -> None:
    shown = images(name)
    file = export(name, tmp_path / "my model.onnx", opset=opset, dynamic=dynamic, end=end)
    colour = "grey" if shown.shape[1] == 1 else "rgb"
    model = import_onnx(file, settings(5, side=shown.shape[-1], colour=colour))
    made = given_by(model, tmp_path / "bundle", shown)
    logits = logits_of(name, shown)
    # The sigmoid is the default of exporters' networks; the others end in a softmax.
    expected = softmax(logits) if end not in (None, torch.sigmoid) else sigmoid(logits)
    assert np.abs(sigmoid(made) - expected).max() < 1e-6
    assert np.abs(model.original.logits(shown) - made).max() < 1e-5
    assert model.original.gradients(shown[:1], 0) is None
    written_graph = onnx.load(str(tmp_path / "bundle" / "classifier.onnx"), load_external_data=False)
    assert written_graph.opset_import[0].version == max(opset, 18)
    assert not {"Shape", "Sigmoid", "Softmax", "Constant", "Identity"} & set(_ends_of(written_graph, name))
    assert model.name == "my-model"
    assert model.provenance["file"]["name"] == "my model.onnx"
    assert model.provenance["opset"] == {"file": opset, "bundle": max(opset, 18)}


def _ends_of(model: onnx.ModelProto, name: Any) -> set[Any]:
    """Operators of a graph, less the softmax that attention has within."""
    within = {"Softmax"} if name in ("vit", "swin") else set()
    return {node.op_type for node in model.graph.node} - within


def test_the_graph_has_fixed_sizes_throughout(tmp_path: Path) -> None:
    shown = images("mobilenet-v3")
    file = export("mobilenet-v3", tmp_path / "net.onnx", opset=13, dynamic=True)
    import_onnx(file, settings(5, side=48)).write(tmp_path)
    model = onnx.shape_inference.infer_shapes(onnx.load(str(tmp_path / "classifier.onnx")), strict_mode=True)
    sizes = [dim for value in model.graph.value_info for dim in value.type.tensor_type.shape.dim]
    assert sizes
    assert all(dim.dim_value > 0 for dim in sizes)
    assert shown.shape == (3, 3, 48, 48)


def test_an_open_side_is_the_users(tmp_path: Path) -> None:
    file = export("mobilenet-v3", tmp_path / "net.onnx", opset=13, dynamic=True)
    model = import_onnx(file, settings(5, side=80))
    shown = np.random.default_rng(0).normal(size=(2, 3, 80, 80)).astype(np.float32)
    made = given_by(model, tmp_path / "bundle", shown)
    assert np.abs(made - logits_of("mobilenet-v3", shown)).max() < 1e-5
    with pytest.raises(SettingsError, match=r"image\.side"):
        import_onnx(file, settings(5))


def test_of_several_outputs_the_one_with_as_many_numbers_is_kept(tmp_path: Path) -> None:
    shown = images("mobilenet-v3")
    file = export("mobilenet-v3", tmp_path / "net.onnx", opset=18, whole=True)
    assert len(onnx.load(str(file)).graph.output) == 2
    model = import_onnx(file, settings(5))
    assert np.abs(given_by(model, tmp_path / "bundle", shown) - logits_of("mobilenet-v3", shown)).max() < 1e-5
    assert any("not kept" in remark for remark in model.remarks)
    with pytest.raises(SettingsError, match=r"4 label\(s\) are named, but of the model's outputs .* has 5"):
        import_onnx(file, settings(4))


def test_weights_beside_the_file_are_read_and_counted_in(tmp_path: Path) -> None:
    shown = tensors()
    model = small()
    onnx.save_model(
        model, str(tmp_path / "net.onnx"), save_as_external_data=True, location="net.data", size_threshold=0
    )
    loaded = import_onnx(tmp_path / "net.onnx", settings(3, colour="grey"))
    made = given_by(loaded, tmp_path / "bundle", shown)
    assert apart(made, small_logits(small(), shown)) <= TOLERANCE
    (weights,) = loaded.provenance["weights"]
    assert weights["name"] == "net.data"
    assert weights["bytes"] == (tmp_path / "net.data").stat().st_size


def test_large_weights_lie_outside_and_the_same_file_gives_the_same_bytes(tmp_path: Path) -> None:
    file = export("densenet", tmp_path / "net.onnx", opset=13)
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        import_onnx(file, settings(5, colour="grey")).write(tmp_path / name)
    for name in ("classifier.onnx", "classifier.weights"):
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes()
    assert (tmp_path / "first" / "classifier.weights").stat().st_size > 50_000
    assert b".py" not in (tmp_path / "first" / "classifier.onnx").read_bytes()


def test_channels_last_get_a_transpose_that_cancels(tmp_path: Path) -> None:
    first = small(channels=3)
    nodes = [helper.make_node("Transpose", ["x"], ["turned"], perm=[0, 3, 1, 2]), *first.graph.node]
    nodes[1].input[0] = "turned"
    weights: dict[str, Any] = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in first.graph.initializer}
    file = written(graph(nodes, ("batch", 8, 8, 3), ("batch", 3), **weights), tmp_path / "net.onnx")
    model = import_onnx(file, settings(3))
    shown = tensors(channels=3)
    assert model.image.shape == (1, 3, 8, 8)
    assert apart(given_by(model, tmp_path / "bundle", shown), small_logits(first, shown)) <= TOLERANCE
    assert apart(model.original.logits(shown), small_logits(first, shown)) <= TOLERANCE
    left = onnx.load(str(tmp_path / "bundle" / "classifier.onnx")).graph.node
    assert [node.op_type for node in left if node.op_type == "Transpose"] == []
    assert any("channels last" in remark for remark in model.remarks)


@pytest.mark.parametrize(("kind", "name"), [(np.float16, "float16"), (np.float64, "float64")])
def test_other_precisions_become_float32(tmp_path: Path, kind: type[np.floating[Any]], name: str) -> None:
    model = small(kind=kind)
    expected = small_logits(model, tensors())
    loaded = import_onnx(written(model, tmp_path / "net.onnx"), settings(3, colour="grey"))
    assert apart(given_by(loaded, tmp_path / "bundle", tensors()), expected) <= TOLERANCE
    assert apart(loaded.original.logits(tensors()), expected) <= TOLERANCE
    assert loaded.provenance["types"] == [name]
    assert any(name in remark for remark in loaded.remarks)


def test_names_that_other_graphs_need_are_freed(tmp_path: Path) -> None:
    model = small()
    for node in model.graph.node:
        node.input[:] = [{"maps": "seed", "flat": "image", "pooled": "features"}.get(name, name) for name in node.input]
        node.output[:] = [
            {"maps": "seed", "flat": "image", "pooled": "features"}.get(name, name) for name in node.output
        ]
    loaded = import_onnx(written(model, tmp_path / "net.onnx"), settings(3, colour="grey"))
    assert apart(given_by(loaded, tmp_path / "b", tensors()), small_logits(small(), tensors())) <= TOLERANCE
    names = {name for node in onnx.load(str(tmp_path / "b" / "classifier.onnx")).graph.node for name in node.output}
    assert not names & {"seed", "features", "image"}


def test_a_fixed_batch_of_more_images_is_repeated_for_the_original_and_one_for_the_bundle(tmp_path: Path) -> None:
    model = small()
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 4
    model.graph.output[0].type.tensor_type.shape.dim[0].dim_value = 4
    loaded = import_onnx(written(model, tmp_path / "net.onnx"), settings(3, colour="grey"))
    expected = small_logits(small(), tensors())
    assert apart(given_by(loaded, tmp_path / "bundle", tensors()), expected) <= TOLERANCE
    assert apart(loaded.original.logits(tensors()), expected) <= TOLERANCE


def test_a_batch_that_is_built_in_is_refused(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Reshape", ["x", "sizes"], ["rows"]),
        helper.make_node("MatMul", ["rows", "matrix"], ["y"]),
    ]
    weights: dict[str, Any] = {"sizes": np.array([4, -1]), "matrix": np.ones((64, 3), np.float32)}
    file = written(graph(nodes, (4, 1, 8, 8), (4, 3), **weights), tmp_path / "net.onnx")
    with pytest.raises(ModelError, match=r"net\.onnx: .*(fit together|4 images at once)"):
        import_onnx(file, settings(3, colour="grey"))


def test_what_the_file_says_is_not_asked(tmp_path: Path) -> None:
    file = written(small(helper.make_node("Sigmoid", ["z"], ["y"])), tmp_path / "net.onnx")
    asked = questions(file)
    assert [question.key for question in asked] == ["labels", "image.range", "image.mean", "image.std"]
    assert "3 findings" in asked[0].asks
    assert [question.default for question in asked] == [None, None, "0", "1"]
    assert [question.key for question in questions(file, settings(3, colour="grey"))] == ["image.mean", "image.std"]
    unclear = small(helper.make_node("Exp", ["z"], ["y"]))
    assert [question.key for question in questions(written(unclear, tmp_path / "exp.onnx"))][-1] == "output"
    opened = small()
    for dim in opened.graph.input[0].type.tensor_type.shape.dim:
        dim.dim_param = "any"
    keys = [question.key for question in questions(written(opened, tmp_path / "open.onnx"))]
    assert keys == ["labels", "image.side", "image.range", "image.mean", "image.std"]  # the convolution tells channels


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"image": {"range": [0, 1], "side": 9}}, "image.side is 9, but the model takes 8"),
        ({"image": {"range": [0, 1], "colour": "rgb"}}, "image.colour is 'rgb', but the model takes 'grey'"),
        ({"image": {}}, "image.range"),
        ({"labels": ()}, "labels"),
        ({"output": "softmax"}, None),
    ],
)
def test_settings_that_contradict_the_graph_are_named(
    tmp_path: Path, changed: dict[str, Any], message: str | None
) -> None:
    file = written(small(), tmp_path / "net.onnx")
    said = ImportSettings(**{"image": {"range": [0, 1]}, "labels": settings(3).labels, **changed})
    if message is None:
        assert import_onnx(file, said).remarks[0].startswith("The output was taken as what a softmax")
        return
    with pytest.raises(SettingsError, match=message):
        import_onnx(file, said)


@pytest.mark.parametrize(
    ("shape", "kind", "message"),
    [
        ((1, 4, 8, 8), TensorProto.FLOAT, "has 4 channels"),
        ((1, 64), TensorProto.FLOAT, "four axes"),
        ((1, 1, 8, 8), TensorProto.INT32, "int32"),
    ],
)
def test_an_input_that_is_no_image_is_refused(tmp_path: Path, shape: tuple[int, ...], kind: int, message: str) -> None:
    model = graph([helper.make_node("Flatten", ["x"], ["y"])], shape, (1, 64))
    model.graph.input[0].type.tensor_type.elem_type = kind
    model.graph.output[0].type.tensor_type.elem_type = kind
    with pytest.raises(ModelError, match=message):
        import_onnx(written(model, tmp_path / "net.onnx"), settings(3, colour="grey"))


def test_two_inputs_are_refused(tmp_path: Path) -> None:
    model = graph([helper.make_node("Add", ["x", "age"], ["y"])], (1, 1, 8, 8), (1, 1, 8, 8))
    model.graph.input.append(helper.make_tensor_value_info("age", TensorProto.FLOAT, [1]))
    with pytest.raises(ModelError, match="2 inputs"):
        import_onnx(written(model, tmp_path / "net.onnx"), settings(3))


def test_an_operator_that_cannot_be_upgraded_is_named(tmp_path: Path) -> None:
    numbers = np.ones(1, np.float32)
    nodes = [
        helper.make_node("BatchNormalization", ["x", "a", "a", "a", "a"], ["n"], spatial=0),
        helper.make_node("Flatten", ["n"], ["y"]),
    ]
    file = written(graph(nodes, output=(1, 64), opset=8, a=numbers), tmp_path / "net.onnx")
    with pytest.raises(ModelError, match=r"opset 8, .*spatial must have value 1\. .*BatchNormalization"):
        import_onnx(file, settings(64, colour="grey"))


def test_an_opset_of_the_future_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sitegen.importing.graph.passes.OPSETS", range(17, 18))
    with pytest.raises(ModelError, match="opset 18; up to 17 is understood"):
        import_onnx(written(small(), tmp_path / "net.onnx"), settings(3, colour="grey"))
