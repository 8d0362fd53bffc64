"""The gradient graph beside a classifier: it shares the weights, and gives what PyTorch gives."""

import shutil
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from sitegen.errors import GradientError
from sitegen.export.gradient_graph import export_gradient, last_feature_map
from sitegen.export.onnx_export import export_onnx
from sitegen.networks.densenet import DenseNet, DenseNetSettings
from sitegen.resources import default_bundle
from sitegen.signature import read_signature


@pytest.fixture(scope="module")
def network() -> DenseNet:
    torch.manual_seed(3)
    return DenseNet(DenseNetSettings(growth=4, blocks=(1, 1), stem=8, labels=2)).eval()


@pytest.fixture
def folder(network: DenseNet, tmp_path: Path) -> Path:
    export_onnx(network, (1, 1, 32, 32), "logits", tmp_path / "classifier.onnx")
    return tmp_path


def test_gradient_and_feature_map_are_those_of_torch(network: DenseNet, folder: Path) -> None:
    map_name = last_feature_map(folder / "classifier.onnx")
    session = onnxruntime.InferenceSession(str(export_gradient(folder, map_name)))
    image = torch.rand(1, 1, 32, 32, generator=torch.Generator().manual_seed(1)).requires_grad_()
    seed = torch.tensor([[0.5, -2.0]])
    maps: list[torch.Tensor] = []
    with network.head.register_forward_hook(lambda module, given, made: maps.extend(given)):
        logits = network(image)
    expected = torch.autograd.grad(logits, [image, *maps], seed)
    given = {"image": image.detach().numpy(), "seed": seed.numpy()}
    names = ["logits", "grad_image", map_name, f"grad_{map_name}"]
    for ours, theirs in zip(session.run(names, given), (logits, expected[0], *maps, expected[1]), strict=True):
        reference = theirs.detach().numpy()
        assert np.linalg.norm(ours - reference) <= 1e-5 * np.linalg.norm(reference)


def test_it_brings_no_weights_of_its_own(folder: Path) -> None:
    before = (folder / "classifier.weights").read_bytes()
    path = export_gradient(folder)
    assert path == folder / "gradient.onnx"
    assert (folder / "classifier.weights").read_bytes() == before
    assert read_signature(path).weight_files == {"classifier.weights"}
    assert sorted(entry.name for entry in folder.iterdir()) == [
        "classifier.onnx",
        "classifier.weights",
        "gradient.onnx",
    ]


def test_without_a_feature_map_there_are_logits_and_gradient(folder: Path) -> None:
    signature = read_signature(export_gradient(folder))
    assert signature.inputs == {"image": [1, 1, 32, 32], "seed": [1, 2]}
    assert signature.outputs == {"logits": [1, 2], "grad_image": [1, 1, 32, 32]}


def test_the_same_classifier_gives_the_same_bytes(folder: Path) -> None:
    first = export_gradient(folder).read_bytes()
    assert export_gradient(folder).read_bytes() == first
    assert str(folder).encode() not in first


def test_a_classifier_with_an_operator_that_has_no_gradient(folder: Path) -> None:
    path = folder / "classifier.onnx"
    model = onnx.load(str(path), load_external_data=False)
    model.graph.node[-1].op_type = "NoSuchOperator"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(GradientError):
        export_gradient(folder)
    assert not (folder / "gradient.onnx").exists()


def saved(folder: Path, *nodes: onnx.NodeProto) -> Path:
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 2, 4, 4])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.array([2, 3]), "space"), numpy_helper.from_array(np.array([1]), "channels")],
    )
    path = folder / "model.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)]), str(path))
    return path


def test_the_last_average_over_space_counts(tmp_path: Path) -> None:
    excited = [
        helper.make_node("GlobalAveragePool", ["image"], ["squeezed"]),
        helper.make_node("Mul", ["image", "squeezed"], ["excited"]),
    ]
    by_reduction = helper.make_node("ReduceMean", ["excited", "space"], ["logits"])
    assert last_feature_map(saved(tmp_path, *excited, by_reduction)) == "excited"
    by_pooling = helper.make_node("GlobalAveragePool", ["excited"], ["logits"])
    assert last_feature_map(saved(tmp_path, *excited, by_pooling)) == "excited"
    over_channels = helper.make_node("ReduceMean", ["excited", "channels"], ["logits"])
    assert last_feature_map(saved(tmp_path, *excited, over_channels)) == "image"


def test_axes_that_are_attributes_and_count_from_the_end(tmp_path: Path) -> None:
    node = helper.make_node("ReduceMean", ["image"], ["logits"], axes=[-2, -1])
    assert last_feature_map(saved(tmp_path, node)) == "image"


def test_a_network_that_averages_nothing(tmp_path: Path) -> None:
    with pytest.raises(GradientError, match=r"model\.onnx averages nothing over the whole image"):
        last_feature_map(saved(tmp_path, helper.make_node("Flatten", ["image"], ["logits"])))


def test_the_shipped_graph_is_the_one_that_is_made_from_the_classifier(tmp_path: Path) -> None:
    for name in ("classifier.onnx", "classifier.weights"):
        shutil.copy(default_bundle() / name, tmp_path / name)
    made = export_gradient(tmp_path, last_feature_map(tmp_path / "classifier.onnx"))
    assert made.read_bytes() == (default_bundle() / "gradient.onnx").read_bytes()
