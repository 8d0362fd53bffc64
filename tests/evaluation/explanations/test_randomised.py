"""Random weights in all graphs at once: the maps become those of the other model, and the rule tells them apart."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

from sitegen import gradient
from sitegen.bundle import load_bundle
from sitegen.errors import DataError
from sitegen.evaluation.explanations.graphs import Graphs, draw, open_graphs, why_not
from sitegen.evaluation.explanations.measures import Case, areas, measure
from sitegen.evaluation.explanations.planted_network import write_trained_bundle
from sitegen.evaluation.explanations.randomised import cumulated, load_weights, random_weights, stages, with_weights
from sitegen.evaluation.explanations.sanity import CHANCE_DRAWS, Sanity, check_sanity
from sitegen.networks.registry import make_network, network_document, read_network
from sitegen.networks.trained import TrainedClassifier
from sitegen.phantom import phantom
from sitegen_runtime.bundle.model import NetworkInput
from tests.helpers.trained import lived_in

NETWORK = {"name": "densenet", "growth": 4, "blocks": [2, 2], "stem": 8, "labels": 2}
SIDE = 32
IMAGE = (phantom(3, SIDE).astype(np.float32) / 127.5 - 1)[np.newaxis]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of a small network of random weights."""
    settings = read_network(NETWORK)
    entry = NetworkInput("image", (1, 1, SIDE, SIDE), "grey", 1.0, (-1.0, 1.0), (0.0,), (1.0,))
    trained = TrainedClassifier(lived_in(make_network(settings)), network_document(settings), ("One", "Two"), entry)
    place = tmp_path_factory.mktemp("bundle")
    write_trained_bundle(trained, place, "small")
    return place


@pytest.fixture(scope="module")
def graphs(folder: Path) -> Graphs:
    return open_graphs(load_bundle(folder))


def test_stages_go_from_the_last_layer_to_the_first(graphs: Graphs) -> None:
    found = stages(graphs.models["classifier"], graphs.weights, 4)
    assert len(found) == 4
    assert found[0].name == "classifier"
    assert found[-1].layers[-1].name == "features.conv0"
    layers = [layer for stage in found for layer in stage.layers]
    nodes = [node.op_type for node in graphs.models["classifier"].graph.node]
    for kind in ("Conv", "Gemm", "BatchNormalization"):
        assert [layer.kind for layer in layers].count(kind) == nodes.count(kind)
    convolutions = [layer.name for layer in layers if layer.kind == "Conv"]
    assert len(set(convolutions)) == len(convolutions)
    # All weights that are not the same in several layers, and not constants, are in one of them.
    named = {name for layer in layers for name in layer.weights}
    assert {name for name in graphs.weights if name.endswith((".weight", ".bias", ".running_mean"))} <= named


def test_without_weights_there_is_nothing_to_make_random() -> None:
    node = onnx.helper.make_node("Relu", ["a"], ["b"])
    info = onnx.helper.make_tensor_value_info
    empty = onnx.helper.make_graph([node], "g", [info("a", 1, [1])], [info("b", 1, [1])])
    with pytest.raises(DataError, match="no weights"):
        stages(onnx.helper.make_model(empty), {}, 4)


def test_random_weights_are_as_large_as_the_trained_and_normalisations_stay_together(graphs: Graphs) -> None:
    (stage,) = stages(graphs.models["classifier"], graphs.weights, 1)[:1]
    parts = stages(graphs.models["classifier"], graphs.weights, 3)
    new = cumulated([random_weights(graphs.weights, part, np.random.default_rng(1)) for part in parts])[-1]
    assert stage.name == "classifier"
    kernel = "features.denseblock2.denselayer2.conv2.weight"
    assert np.sqrt((new[kernel] ** 2).mean()) == pytest.approx(np.sqrt((graphs.weights[kernel] ** 2).mean()), rel=0.2)
    assert abs(np.corrcoef(new[kernel].ravel(), graphs.weights[kernel].ravel())[0, 1]) < 0.2
    norm = "features.norm3"
    before, after = (
        {tuple(row) for row in np.stack([given[f"{norm}.{part}"] for part in ("running_mean", "running_var")], 1)}
        for given in (graphs.weights, new)
    )
    assert before == after
    assert not np.array_equal(graphs.weights[f"{norm}.running_mean"], new[f"{norm}.running_mean"])


def test_a_changed_model_has_the_gradients_of_the_changed_classifier(graphs: Graphs, tmp_path: Path) -> None:
    parts = stages(graphs.models["classifier"], graphs.weights, 3)
    new = cumulated([random_weights(graphs.weights, part, np.random.default_rng(1)) for part in parts])[-1]
    changed = graphs.changed(new)
    onnx.save(with_weights(graphs.models["classifier"], new), tmp_path / "classifier.onnx")
    for role, guided in (("gradient", False), ("guided", True)):
        made = gradient.compile(tmp_path / "classifier.onnx", wrt="image", seed="seed", guided=guided)
        session = onnxruntime.InferenceSession(made.SerializeToString(), providers=["CPUExecutionProvider"])
        seed = np.array([[0, 1]], np.float32)
        (expected,) = session.run(["grad_image"], {"image": IMAGE[np.newaxis], "seed": seed})
        scale = float(np.abs(expected).max())
        assert changed.part(role, IMAGE, 1) == pytest.approx(expected[0, 0], abs=1e-5 * scale)
        assert np.abs(graphs.part(role, IMAGE, 1) - expected[0, 0]).max() > 0.05 * scale


def test_class_activation_maps_follow_the_random_last_layer(graphs: Graphs) -> None:
    last = stages(graphs.models["classifier"], graphs.weights, 3)[0]
    new = random_weights(graphs.weights, last, np.random.default_rng(1))
    weights = next(value for value in new.values() if value.ndim == 2)
    factor = graphs.changed({name: value * 0 + 1 for name, value in new.items()})
    plain = draw(factor, IMAGE, 0, "cam")
    assert plain == pytest.approx(draw(factor, IMAGE, 1, "cam"))
    trained = [draw(graphs, IMAGE, label, "cam") for label in (0, 1)]
    assert not np.allclose(trained[0], plain)
    assert not np.allclose(draw(graphs.changed(new), IMAGE, 0, "cam"), trained[0])
    assert weights.shape[0] == 2


def test_weights_are_read_from_beside_the_graph(folder: Path) -> None:
    _, weights = load_weights(folder / "classifier.onnx")
    assert weights["features.conv0.weight"].shape == (8, 1, 7, 7)


def test_a_method_that_the_bundle_cannot_serve_says_why(graphs: Graphs) -> None:
    without = Graphs(graphs.model, {"classifier": graphs.models["classifier"]}, graphs.weights, {})
    assert why_not(graphs, "guided-backpropagation") is None
    assert "guided" in (why_not(without, "guided-backpropagation") or "")


def test_an_image_gives_figures_of_every_method_and_baseline(graphs: Graphs) -> None:
    case = Case("one.png", "p1", IMAGE, 1, 0.7, True)
    found = measure(graphs, case, ("saliency", "grad-cam"), 3, seed=4)
    assert found.names == ("saliency", "grad-cam", "random", "edges", "centre")
    for curves in found.curves.values():
        assert curves["deletion"][0] == pytest.approx(graphs.probability(IMAGE, 1))
        assert curves["insertion"][-1] == pytest.approx(graphs.probability(IMAGE, 1), abs=1e-6)
        named = areas(curves)
        assert named["road_gap"] == pytest.approx(named["road_least"] - named["road_most"])
    assert np.array_equal(np.diag(found.alike), np.ones(5))
    assert np.array_equal(found.overlap, found.overlap.T)
    again = measure(graphs, case, ("saliency", "grad-cam"), 3, seed=4)
    assert all(
        np.array_equal(found.curves[name][curve], again.curves[name][curve])
        for name in found.names
        for curve in found.curves[name]
    )
    refused = measure(graphs, Case("one.png", "p1", IMAGE, 1, 0.1, False), ("saliency",), 3, seed=4)
    assert refused.curves == {}


def test_the_sanity_check_has_a_similarity_for_everything(graphs: Graphs) -> None:
    methods = ("saliency", "gradient")
    found = check_sanity(graphs, [(IMAGE, 0), (IMAGE[:, ::-1].copy(), 1)], methods, 3, 2, seed=1)
    assert found.found.shape == (2, 2, 3, 2, 2, 3)
    assert np.abs(found.found).max() <= 1 + 1e-9
    assert np.array_equal(found.found[:, 0, 0], found.found[:, 1, 0])  # the first stage is the same alone
    assert found.read_at == 1
    assert CHANCE_DRAWS >= 20


@pytest.mark.parametrize(("signed", "passes"), [(0.1, True), (0.29, True), (0.31, False), (-0.9, True)])
def test_the_rule_reads_signed_correlations_after_half_of_the_stages(signed: float, passes: bool) -> None:
    found = np.full((1, 2, 4, 3, 1, 3), 0.95)
    found[0, 0, 1, :, 0, 0] = signed
    by_chance = np.full((3, 1, 3), 0.3)
    stage = stages_of_nothing()
    assert Sanity(stage, ("any",), found, by_chance).passes(0) is passes
    assert Sanity(stage, ("any",), found, by_chance * 0).limit(0) == 0.1


def stages_of_nothing() -> list[Any]:
    return [None] * 4
