"""The gradient graph beside a classifier: it shares the weights, and gives what PyTorch gives."""

import shutil
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from sitegen.errors import GradientError
from sitegen.export.gradient_graph import export_cam, export_gradient, export_guided, last_feature_map
from sitegen.export.onnx_export import export_onnx
from sitegen.graphs.signature import read_signature
from sitegen.networks.densenet import DenseNet, DenseNetSettings
from sitegen.resources import default_bundle
from tests.helpers.gradient.imposed import Array, Seen, imposed, kink_tensors, observed
from tests.helpers.gradient.proof import run, values
from tests.helpers.rounding import allowed, assert_close


@pytest.fixture(scope="module")
def network() -> DenseNet:
    torch.manual_seed(3)
    return DenseNet(DenseNetSettings(growth=4, blocks=(1, 1), stem=8, labels=2)).eval()


@pytest.fixture
def folder(network: DenseNet, tmp_path: Path) -> Path:
    export_onnx(network, (1, 1, 32, 32), "logits", tmp_path / "classifier.onnx")
    return tmp_path


IMAGE, SEED = values(1, 1, 32, 32, seed=1, low=0.0, high=1.0), values(1, 2, seed=2)


def by_torch(network: DenseNet, seen: Seen) -> list[Array]:
    """Logits, the image's gradient, the feature map and its gradient, float64, with decisions that were seen."""
    network = deepcopy(network).double()
    image, maps = torch.from_numpy(IMAGE).double().requires_grad_(), list[torch.Tensor]()
    with imposed(network, seen), network.head.register_forward_hook(lambda module, given, made: maps.extend(given)):
        logits = network(image)
    pulled = torch.autograd.grad(logits, [image, *maps], torch.from_numpy(SEED).double())
    return [part.detach().numpy() for part in (logits, pulled[0], *maps, pulled[1])]


def test_gradient_and_feature_map_are_those_of_torch(network: DenseNet, folder: Path) -> None:
    map_name = last_feature_map(folder / "classifier.onnx")
    forward, compiled = (
        onnx.load(str(path)) for path in (folder / "classifier.onnx", export_gradient(folder, map_name))
    )
    found = run(observed(compiled, forward), {"image": IMAGE, "seed": SEED})
    seen = {operator: [found[tensor] for tensor in names] for operator, names in kink_tensors(forward.graph).items()}
    exact = by_torch(network, seen)
    bounds = allowed(lambda: by_torch(network, seen), exact)
    names = ["logits", "grad_image", map_name, f"grad_{map_name}"]
    for name, part, bound in zip(names, exact, bounds, strict=True):
        assert_close(found[name], part, bound, name)


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


def test_the_graph_for_maps_is_that_of_torch_and_goes_no_further_back(network: DenseNet, folder: Path) -> None:
    map_name = last_feature_map(folder / "classifier.onnx")
    path = export_cam(folder, map_name)
    assert path == folder / "cam.onnx"
    assert read_signature(path).weight_files == {"classifier.weights"}
    session = onnxruntime.InferenceSession(str(path))
    assert [output.name for output in session.get_outputs()] == ["logits", map_name, f"grad_{map_name}"]
    forward = onnx.load(str(folder / "classifier.onnx"))
    found = run(observed(onnx.load(str(path)), forward), {"image": IMAGE, "seed": SEED})
    seen = {operator: [found[tensor] for tensor in names] for operator, names in kink_tensors(forward.graph).items()}
    exact = by_torch(network, seen)
    bounds = allowed(lambda: by_torch(network, seen), exact)
    for name, at in {"logits": 0, map_name: 2, f"grad_{map_name}": 3}.items():
        assert_close(found[name], exact[at], bounds[at], name)
    counts = {name: len(onnx.load(str(folder / name), load_external_data=False).graph.node) for name in _both(folder)}
    assert counts["cam.onnx"] - counts["classifier.onnx"] < 12 < counts["gradient.onnx"] - counts["classifier.onnx"]


def _both(folder: Path) -> tuple[str, ...]:
    export_gradient(folder)
    return ("classifier.onnx", "cam.onnx", "gradient.onnx")


def test_the_guided_graph_passes_positive_gradients_alone(network: DenseNet, folder: Path) -> None:
    path = export_guided(folder)
    assert path == folder / "guided.onnx"
    session = onnxruntime.InferenceSession(str(path))
    image = torch.rand(1, 1, 32, 32, generator=torch.Generator().manual_seed(4)).requires_grad_()
    rectifiers = [module for module in network.modules() if isinstance(module, torch.nn.ReLU)]

    def clamped(module: torch.nn.Module, given: Any, _: Any) -> tuple[torch.Tensor]:
        return (given[0].clamp(min=0),)

    hooks = [module.register_full_backward_hook(clamped) for module in rectifiers]
    seed = torch.tensor([[0.0, 1.0]])
    (expected,) = torch.autograd.grad(network(image), image, seed)
    for hook in hooks:
        hook.remove()
    (made,) = session.run(["grad_image"], {"image": image.detach().numpy(), "seed": seed.numpy()})
    assert np.linalg.norm(made - expected.numpy()) <= 1e-2 * np.linalg.norm(expected.numpy())
    assert np.linalg.norm(expected.numpy()) > 0


def test_a_classifier_without_relu_has_no_guided_graph(folder: Path) -> None:
    (folder / "guided.onnx").write_bytes(b"of an older export")
    model = onnx.load(str(folder / "classifier.onnx"), load_external_data=False)
    for node in model.graph.node:
        if node.op_type == "Relu":
            node.op_type = "Softplus"
    (folder / "classifier.onnx").write_bytes(model.SerializeToString())
    assert export_guided(folder) is None
    assert not (folder / "guided.onnx").exists()


@pytest.mark.parametrize("name", ["gradient.onnx", "cam.onnx", "guided.onnx"])
def test_the_shipped_graphs_are_those_that_are_made_from_the_classifier(tmp_path: Path, name: str) -> None:
    for file in ("classifier.onnx", "classifier.weights"):
        shutil.copy(default_bundle() / file, tmp_path / file)
    features = last_feature_map(tmp_path / "classifier.onnx")
    export_gradient(tmp_path, features)
    export_cam(tmp_path, features)
    export_guided(tmp_path)
    assert (tmp_path / name).read_bytes() == (default_bundle() / name).read_bytes()
