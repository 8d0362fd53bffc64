"""`sitegen export` with a gate: one that was trained for the recipe, one that a file has, one of another bundle."""

import json
import shutil
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import typer
from typer.testing import CliRunner, Result

from sitegen.bundle import load_bundle
from sitegen.cli.export import export
from sitegen.errors import BundleError, CheckpointError, DataError, SettingsError, SitegenError
from sitegen.networks.trained_gate import load_gate, save_gate
from sitegen.prediction import Predictor
from sitegen.resources import default_bundle
from tests.helpers.gates import random_gate
from tests.helpers.radiographs import write_radiographs, write_recipe
from tests.helpers.trained import write_recipe_audit, write_trained

GATE = {"share": 0.8, "scores": ["turned", "mahalanobis"]}
TRAINING = {"steps": 6, "batch": 8, "seed": 1}
HISTORY = [{"step": 3.0, "seconds": 9.5, "valid_ssim": 0.1}, {"step": 6.0, "seconds": 8.5, "valid_ssim": 0.123456}]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with images, a recipe with a [gate], a checkpoint, and the gate in the work folder."""
    folder = tmp_path_factory.mktemp("here")
    images = write_radiographs(folder / "images", {"train": 8, "valid": 20, "test": 6}, side=32)
    recipe = write_recipe(folder / "recipe.json", images, gate=GATE | {"images": [str(folder / "more")]})
    write_trained(recipe)
    write_recipe_audit(recipe, folder / "work")
    made_by = {"training": TRAINING, "images": {"train": 8, "valid": 20}, "history": HISTORY, "folder": str(folder)}
    save_gate(replace(random_gate(), made_by=made_by), folder / "work" / "gate.pt")
    return folder


def run(place: Path, out: Path, *options: object, work: Path | None = None) -> Result:
    app = typer.Typer()
    app.command()(export)
    arguments = [place / "classifier.pt", "-o", out, "--work", work or place / "work", *options]
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def error(result: Result, kind: type[SitegenError]) -> str:
    assert isinstance(result.exception, kind), result.output
    return str(result.exception)


def written(result: Result) -> Result:
    assert result.exit_code == 0, result.output + str(result.exception)
    return result


def without_gate(place: Path, folder: Path, **changes: Any) -> Path:
    """The same images and network in another folder, for a recipe that has no [gate]."""
    write_trained(write_recipe(folder / "recipe.json", place / "images", **changes))
    return folder


@pytest.fixture(scope="module")
def exported(place: Path) -> Path:
    written(run(place, place / "bundle", "--final"))
    return place / "bundle"


def test_a_recipes_gate_is_fitted_and_in_the_bundle(exported: Path) -> None:
    description = load_bundle(exported).description
    gate = description.gate
    assert gate is not None
    assert (gate.metric, gate.share) == ("ssim", 0.8)
    assert [(score.metric, score.higher) for score in gate.scores] == [("turned", "unlike"), ("mahalanobis", "unlike")]
    assert gate.quantiles is not None
    assert set(gate.quantiles.values) == {"ssim", "turned", "mahalanobis"}
    assert {each.role: each.shape for each in description.graphs["gate"].outputs} == {
        "reconstruction": [1, 1, 16, 16],
        "latent": [1, 4],
    }
    assert [each.role for each in description.graphs["classifier"].outputs] == ["logits", "features"]
    assert [each.role for each in description.graphs["features"].outputs] == ["whitened"]
    assert {"gate.onnx", "features.onnx"} <= set(description.files)


def test_provenance_says_how_the_gate_came_about(place: Path, exported: Path) -> None:
    origin = load_bundle(exported).description.provenance["gate"]
    gate = load_gate(place / "work" / "gate.pt")
    assert origin["network"] == {
        "name": "autoencoder",
        "side": 16,
        "channels": 1,
        "latent": 4,
        "widths": [4, 8],
    }
    assert origin["parameters"] == sum(weight.numel() for weight in gate.network.parameters())
    assert origin["training"] == TRAINING
    assert origin["last"] == {"step": 6.0, "valid_ssim": 0.1235}
    assert origin["images"] == {"train": 8, "valid": 20}
    assert set(origin["passing"]) == {"one", "two"}
    assert min(origin["passing"].values()) >= 0.8
    assert 0.8 <= origin["own_share"] <= 1
    assert set(origin["proof"]) == {"reconstruction", "features"}
    assert all(0 <= value <= 1e-4 for value in origin["proof"].values())


def test_accepted_shares_are_those_of_the_documents(place: Path, exported: Path) -> None:
    bundle = load_bundle(exported)
    predictor = Predictor(bundle)
    rows = [line.split(",") for line in (place / "images" / "manifest.csv").read_text().splitlines()[1:]]
    accepted = {name: predictor.predict(place / "images" / name)["gate"]["accepted"] for name, *_ in rows}
    for split in ("valid", "test"):
        measured = bundle.description.metrics[split]["accepted"]
        chosen = [(name, source) for name, source, _, other, *_ in rows if other == split]
        assert measured["all"]["value"] == round(float(np.mean([accepted[name] for name, _ in chosen])), 4)
        for source in ("one", "two"):
            share = np.mean([accepted[name] for name, its in chosen if its == source])
            assert measured["by_source"][source]["value"] == round(float(share), 4)
    valid = bundle.description.metrics["valid"]["accepted"]["by_source"]
    passing = bundle.description.provenance["gate"]["passing"]
    assert {source: interval["value"] for source, interval in valid.items()} == passing


def test_nothing_names_the_machine(place: Path, exported: Path) -> None:
    assert [path.name for path in exported.iterdir() if str(place).encode() in path.read_bytes()] == []
    document = json.loads((exported / "bundle.json").read_bytes())
    assert document["provenance"]["recipe"]["gate"]["images"] == ["more"]
    assert "folder" not in document["provenance"]["gate"]


def test_a_gates_file_is_fitted_by_the_recipes_plan(place: Path, exported: Path, tmp_path: Path) -> None:
    """Without features, no training image is opened; nor is any test image."""
    shutil.copytree(place / "images", tmp_path / "images")
    for path in (*(tmp_path / "images").glob("train-*.png"), *(tmp_path / "images").glob("test-*.png")):
        path.write_bytes(b"closed")
    write_trained(write_recipe(tmp_path / "recipe.json", tmp_path / "images", gate={"share": 0.8}))
    written(run(tmp_path, tmp_path / "bundle", "--gate", place / "work" / "gate.pt"))
    description = load_bundle(tmp_path / "bundle").description
    assert description.gate is not None
    assert [score.metric for score in description.gate.scores] == ["turned"]
    assert "features" not in description.graphs
    assert [each.role for each in description.graphs["classifier"].outputs] == ["logits"]
    assert set(description.provenance["gate"]["proof"]) == {"reconstruction"}
    assert (tmp_path / "bundle" / "gate.onnx").read_bytes() == (exported / "gate.onnx").read_bytes()
    assert list(description.metrics) == ["headline", "valid"]


def test_a_gate_is_taken_over_from_a_bundle_without_its_classifiers_scores(
    place: Path, exported: Path, tmp_path: Path
) -> None:
    other = without_gate(place, tmp_path, export={"gate": str(exported)})
    result = written(run(other, tmp_path / "bundle"))
    assert (
        "Warning: The gate of opacity also refuses by mahalanobis, which that bundle's own classifier" in result.stderr
    )
    source, taken = load_bundle(exported).description, load_bundle(tmp_path / "bundle").description
    assert source.gate is not None
    assert taken.gate is not None
    assert [score.metric for score in taken.gate.scores] == ["turned"]
    assert (taken.gate.threshold, taken.gate.share) == (source.gate.threshold, source.gate.share)
    assert taken.gate.quantiles is not None
    assert set(taken.gate.quantiles.values) == {"ssim", "turned"}
    assert taken.provenance["gate"]["name"] == "opacity"
    assert "features" not in taken.graphs
    assert (tmp_path / "bundle" / "gate.onnx").read_bytes() == (exported / "gate.onnx").read_bytes()


def test_the_gate_of_the_bundle_that_ships_can_be_taken_over(tmp_path: Path) -> None:
    """Its files as they are, its first origin, and its decisions, counted for the bundle's figures."""
    images = write_radiographs(tmp_path / "images", {"train": 2, "valid": 4}, side=64)
    write_trained(write_recipe(tmp_path / "recipe.json", images))
    written(run(tmp_path, tmp_path / "bundle", "--gate", default_bundle()))
    source, bundle = load_bundle(default_bundle()), load_bundle(tmp_path / "bundle")
    assert source.description.gate is not None
    assert bundle.description.gate is not None
    assert bundle.description.gate.threshold == source.description.gate.threshold
    for name in ("gate.onnx", "gate.weights"):
        assert bundle.path(name).read_bytes() == source.path(name).read_bytes()
    content = b"".join(bundle.path(name).read_bytes() for name in ("gate.onnx", "gate.weights"))
    origin = bundle.description.provenance["gate"]
    assert (origin["name"], origin["sha256"]) == ("chest-radiograph", sha256(content).hexdigest())
    predictor = Predictor(bundle)
    decisions = [predictor.predict(path)["gate"]["accepted"] for path in sorted(images.glob("valid-*.png"))]
    accepted = bundle.description.metrics["valid"]["accepted"]["all"]["value"]
    assert accepted == round(float(np.mean(decisions)), 4)


def test_the_option_comes_before_the_recipe(place: Path, exported: Path, tmp_path: Path) -> None:
    result = written(run(place, tmp_path / "bundle", "--gate", exported))
    assert "Warning: The gate of opacity also refuses by mahalanobis" in result.stderr
    assert load_bundle(tmp_path / "bundle").description.provenance["gate"]["name"] == "opacity"


def test_gates_that_cannot_be_used_are_named(place: Path, exported: Path, tmp_path: Path) -> None:
    out = tmp_path / "bundle"
    message = error(run(place, out, work=tmp_path / "work"), CheckpointError)
    assert f"{tmp_path / 'work' / 'gate.pt'} does not exist, and the recipe has a [gate]" in message
    assert "Run: sitegen train gate" in message
    message = error(run(place, out, "--gate", place / "classifier.pt"), CheckpointError)
    assert "is no trained gate" in message
    assert "sitegen train gate" in message
    assert "is not a bundle" in error(run(place, out, "--gate", tmp_path), BundleError)
    none = without_gate(place, tmp_path)
    written(run(none, tmp_path / "none"))
    assert "has no gate" in error(run(place, out, "--gate", tmp_path / "none"), SettingsError)
    message = error(run(none, out, "--gate", place / "work" / "gate.pt"), DataError)  # by every default
    assert "To let 0.95 of ordinary images pass, 20 validation images of every source are needed" in message
    assert not out.exists()


def test_a_latent_of_another_size_than_the_file_says_is_refused(place: Path, tmp_path: Path) -> None:
    document = torch.load(place / "work" / "gate.pt", weights_only=True)
    document["network"]["latent"] = 7
    torch.save(document, tmp_path / "gate.pt")
    message = error(run(place, tmp_path / "bundle", "--gate", tmp_path / "gate.pt"), CheckpointError)
    assert "gate.pt has weights that do not fit its own network" in message
    assert "size mismatch" in message
    assert not (tmp_path / "bundle").exists()
