"""Bundles with the graphs of explanations: what they must have in common, and what is wrong with others."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sitegen.bundle import Bundle, load_bundle
from sitegen.errors import BundleError
from tests.helpers.bundles import make_bundle

Change = Callable[[dict[str, Any]], Any]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return make_bundle(tmp_path_factory.mktemp("bundles") / "whole", explained=True)


def complaint(whole: Bundle, folder: Path, change: Change) -> str:
    """What is said of a copy of the bundle whose description was changed."""
    shutil.copytree(whole.folder, folder)
    fields = json.loads(whole.description_bytes)
    change(fields["graphs"])
    (folder / "bundle.json").write_text(json.dumps(fields), encoding="utf-8")
    with pytest.raises(BundleError) as caught:
        load_bundle(folder)
    return str(caught.value)


def test_the_graphs_share_the_classifiers_weights(whole: Bundle) -> None:
    for role in ("gradient", "cam", "guided"):
        assert whole.weights(role) == {"classifier.weights": "classifier.weights"}
    outputs = {role: [output.role for output in graph.outputs] for role, graph in whole.description.graphs.items()}
    assert outputs["cam"] == ["logits", "features", "features-gradient"]
    assert outputs["guided"] == ["logits", "gradient"]


def test_the_runtime_reads_them(whole: Bundle) -> None:
    model = whole.model
    assert model.graphs["cam"].outputs["features"].shape == (1, 8, 14, 14)
    assert model.final_weights is not None
    assert (model.final_weights.file, model.final_weights.shape) == ("final.weights", (3, 9))


def test_a_network_without_relu_has_no_guided_graph(tmp_path: Path) -> None:
    made = make_bundle(tmp_path / "smooth", explained=True, activation="Softplus")
    assert set(made.description.graphs) == {"classifier", "gate", "gradient", "cam"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda graphs: graphs["cam"]["inputs"].pop(1), "graphs.cam must have two inputs, an image and a seed"),
        (lambda graphs: graphs["guided"]["inputs"].pop(1), "graphs.guided must have two inputs, an image and a seed"),
        (lambda graphs: graphs["cam"]["inputs"][1].update(shape=[1, 4]), "graphs.cam: the seed 'seed' has the shape"),
        (lambda graphs: graphs["guided"]["inputs"][0].update(range=[-1.0, 1.0]), "graphs.guided: the image's range is"),
        (lambda graphs: graphs["cam"]["outputs"].pop(0), "graphs.cam has no output with the role 'logits'"),
        (lambda graphs: graphs["cam"]["outputs"].pop(1), "graphs.cam needs outputs of both roles"),
        (lambda graphs: graphs["cam"].update(outputs=graphs["cam"]["outputs"][:1]), "graphs.cam needs outputs of both"),
        (lambda graphs: graphs["guided"]["outputs"].pop(1), "graphs.guided has no output with the role 'gradient'"),
        (
            lambda graphs: [output.update(shape=[1, 8, 7, 7]) for output in graphs["cam"]["outputs"][1:]],
            "the gradient graphs must give feature maps of one shape",
        ),
    ],
)
def test_wrong_graphs(whole: Bundle, tmp_path: Path, change: Change, words: str) -> None:
    assert words in complaint(whole, tmp_path / "copy", change)
