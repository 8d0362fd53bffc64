"""Pooled features beside the logits: nothing else of a classifier's files changes."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper

from sitegen.bundle import FeatureMap
from sitegen.errors import ExportError, GradientError
from sitegen.export.classifier_bundle import write_classifier
from sitegen.export.gradient_graph import export_gradient, last_feature_map
from sitegen.export.pooled_features import add_pooled_features
from sitegen.export.proof import prove
from sitegen.networks.registry import make_network, network_document, read_network
from sitegen.networks.trained import TrainedClassifier
from sitegen.resources import default_bundle
from sitegen_runtime.bundle.model import NetworkInput
from tests.helpers.trained import lived_in

NETWORKS = {
    "densenet": {"name": "densenet", "growth": 4, "blocks": (1, 1), "stem": 8},
    "pooled head": {"name": "densenet", "growth": 4, "blocks": (1, 1), "stem": 8, "head": {"kind": "pooled"}},
    "resnet": {"name": "resnet", "stem": 8, "stages": (1, 1)},
    "vit": {"name": "vit", "width": 24, "depth": 1, "side": 32},
}


def made(name: str) -> TrainedClassifier:
    settings = read_network({**NETWORKS[name], "labels": 3})
    torch.manual_seed(2)
    image = NetworkInput("picture", (1, 1, 32, 32), "grey", 1.0, (-1.0, 1.0), (0.0,), (1.0,))
    return TrainedClassifier(lived_in(make_network(settings)), network_document(settings), ("a", "b", "c"), image)


def images() -> np.ndarray:
    return np.random.default_rng(1).uniform(-1, 1, (3, 1, 32, 32)).astype(np.float32)


@dataclass(frozen=True)
class Both:
    """A classifier, written without its pooled features to the folder `plain` and with them to `pooled`."""

    trained: TrainedClassifier
    plain: Path
    pooled: Path
    feature_map: FeatureMap | None


@pytest.fixture(scope="module", params=NETWORKS)
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Both:
    trained, plain, pooled = made(request.param), tmp_path_factory.mktemp("plain"), tmp_path_factory.mktemp("pooled")
    write_classifier(trained, plain, pooled=False)
    return Both(trained, plain, pooled, write_classifier(trained, pooled, pooled=True))


def test_the_classifier_gives_the_mean_of_its_feature_maps_and_the_same_logits(both: Both) -> None:
    plain, pooled_session = (
        onnxruntime.InferenceSession(str(folder / "classifier.onnx")) for folder in (both.plain, both.pooled)
    )
    assert [output.name for output in pooled_session.get_outputs()] == ["logits", "features"]
    with torch.inference_mode():
        expected = both.trained.network.feature_maps(torch.from_numpy(images())).mean((2, 3)).numpy()
    for image, means in zip(images(), expected, strict=True):
        logits, features = pooled_session.run(["logits", "features"], {"image": image[np.newaxis]})
        assert features[0] == pytest.approx(means, abs=1e-5)
        assert logits.tobytes() == plain.run(["logits"], {"image": image[np.newaxis]})[0].tobytes()
    proof = prove(both.pooled, both.trained.network, images(), both.feature_map)
    assert proof.pooled is not None
    assert 0 <= proof.pooled <= proof.largest
    assert prove(both.plain, both.trained.network, images(), both.feature_map).pooled is None


def test_gradient_graph_and_weights_are_those_of_the_plain_classifier(both: Both) -> None:
    names = sorted(path.name for path in both.plain.iterdir())
    assert sorted(path.name for path in both.pooled.iterdir()) == names
    for file in names:
        same = (both.plain / file).read_bytes() == (both.pooled / file).read_bytes()
        assert same == (file != "classifier.onnx"), file


def test_the_shipped_classifier_can_give_them_too(tmp_path: Path) -> None:
    for name in ("classifier.onnx", "classifier.weights"):
        shutil.copy(default_bundle() / name, tmp_path / name)
    assert add_pooled_features(tmp_path / "classifier.onnx") == 1280
    export_gradient(tmp_path, last_feature_map(tmp_path / "classifier.onnx"))
    assert (tmp_path / "gradient.onnx").read_bytes() == (default_bundle() / "gradient.onnx").read_bytes()


def test_features_that_are_wrong_are_told(tmp_path: Path) -> None:
    trained = made("densenet")
    feature_map = write_classifier(trained, tmp_path, pooled=True)
    path = tmp_path / "classifier.onnx"
    model = onnx.load(str(path), load_external_data=False)
    model.graph.node[-1].op_type = "Neg"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ExportError, match=r"classifier\.onnx gives pooled features that differ"):
        prove(tmp_path, trained.network, images(), feature_map)


def saved(folder: Path, *nodes: onnx.NodeProto, shape: tuple[int | None, ...] = (1, 2, 4, 4)) -> Path:
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, None])],
    )
    path = folder / "model.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), str(path))
    return path


@pytest.mark.parametrize("by_pooling", [True, False])
def test_an_average_that_keeps_its_cells_is_flattened(by_pooling: bool, tmp_path: Path) -> None:
    average = (
        helper.make_node("GlobalAveragePool", ["image"], ["pooled"])
        if by_pooling
        else helper.make_node("ReduceMean", ["image"], ["pooled"], axes=[2, 3])
    )
    path = saved(tmp_path, average, helper.make_node("Flatten", ["pooled"], ["logits"]))
    assert add_pooled_features(path) == 2
    image = np.arange(32, dtype=np.float32).reshape(1, 2, 4, 4)
    (features,) = onnxruntime.InferenceSession(str(path)).run(["features"], {"image": image})
    assert features.tolist() == [[7.5, 23.5]]


def test_what_cannot_be_added_is_told(tmp_path: Path) -> None:
    with pytest.raises(GradientError, match="averages nothing over the whole image"):
        add_pooled_features(saved(tmp_path, helper.make_node("Flatten", ["image"], ["logits"])))
    average = helper.make_node("GlobalAveragePool", ["image"], ["features"])
    with pytest.raises(ExportError, match="already has a tensor 'features'"):
        add_pooled_features(saved(tmp_path, average, helper.make_node("Flatten", ["features"], ["logits"])))
    average = helper.make_node("GlobalAveragePool", ["image"], ["pooled"])
    open_shape = saved(
        tmp_path, average, helper.make_node("Flatten", ["pooled"], ["logits"]), shape=(1, None, None, None)
    )
    with pytest.raises(ExportError, match=r"number of channels .* is not known"):
        add_pooled_features(open_shape)
