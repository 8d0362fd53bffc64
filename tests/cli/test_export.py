"""`sitegen export`, from a trained checkpoint to a bundle that gives what the network gives."""

import json
import shlex
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import typer
from sklearn.metrics import roc_auc_score
from typer.testing import CliRunner, Result

from sitegen.bundle import load_bundle
from sitegen.cli.export import export
from sitegen.cli.info import info
from sitegen.data.tensors.cache import image_tensors
from sitegen.errors import BundleError, CheckpointError, DataError, ExportError, SettingsError, SitegenError
from sitegen.networks.trained import load_trained, save_trained
from sitegen.prediction import Predictor
from sitegen.recipe.document_types import FormDocument
from sitegen.recipe.export_bundle import export_bundle
from sitegen.recipe.source import recipe_of_checkpoint
from sitegen.resources import default_bundle
from sitegen_runtime.maps.methods import MANY_RUNS, METHODS
from sitegen_runtime.wording.localisation import worth_of_map
from tests.helpers.radiographs import write_radiographs, write_recipe
from tests.helpers.sparing.exports import anew
from tests.helpers.trained import write_recipe_audit, write_trained
from tests.helpers.typed_documents import hold

EXPORT = {
    "title": "Opacities of phantoms",
    "licence_weights": "Apache-2.0",
    "licence_data": "drawn | by `sitegen`",
    "card": "about.md",
}
TRAINING = {
    "training": {
        "phases": [{"trains": "all", "epochs": 2, "schedule": {"kind": "one-cycle", "peak_rate": 5e-3}}],
        "loss": {"kind": "multi-label", "class_weights": False},
        "batch": 8,
        "seed": 1,
    },
    "phases": [{"phase": 1, "trains": "all", "epochs": 2, "best_epoch": 2, "best_valid_auc": 0.91}],
}
ABOUT = "## What it may have learned instead\nThe grain of the drawing."


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with images, a recipe with paths of this machine in it, the author's words, and a checkpoint."""
    folder = tmp_path_factory.mktemp("here")
    images = write_radiographs(folder / "images", {"train": 4, "valid": 20, "test": 12}, side=64)
    (folder / "about.md").write_text(ABOUT, encoding="utf-8")
    data = {"place": str(images), "labels": {"Opacity": "ILL"}, "balance_sources": True}
    recipe = write_recipe(folder / "recipe.json", images, data=data, export=EXPORT)
    write_trained(recipe, **TRAINING)
    write_recipe_audit(recipe, folder / "work")
    return folder


def run(place: Path, out: Path, *options: object) -> Result:
    app = typer.Typer()
    app.command()(export)
    arguments = [place / "classifier.pt", "-o", out, "--work", place / "work", *options]
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def error(result: Result, kind: type[SitegenError]) -> str:
    assert isinstance(result.exception, kind), result.output
    return str(result.exception)


def card_of(folder: Path) -> str:
    """The card in one line: where its lines break says nothing."""
    return " ".join((folder / "card.md").read_text("utf-8").split())


@pytest.fixture(scope="module")
def exported(place: Path) -> Path:
    """A bundle with all that there can be in it: a gate, figures of the test images."""
    options = ("--final", "--gate", default_bundle(), "--calibration", "platt")
    result = run(place, place / "with gate", *options)
    assert result.exit_code == 0, result.output
    return place / "with gate"


def test_the_bundle_says_of_images_what_the_network_says(place: Path, exported: Path) -> None:
    trained, predictor = load_trained(place / "classifier.pt"), Predictor(load_bundle(exported))
    for path in sorted((place / "images").glob("test-*.png"))[:4]:
        (finding,) = predictor.predict(path, force=True)["findings"]
        tensor = image_tensors(path.read_bytes(), {"classifier": trained.image})["classifier"]
        with torch.inference_mode():
            logit = float(trained.network(torch.from_numpy(tensor.copy())))
        assert finding["label"] == "Opacity"
        assert finding["logit"] == pytest.approx(logit, abs=1e-5)
        assert finding["calibration"] == "platt"


def test_what_was_chosen_is_from_validation_images(place: Path, exported: Path) -> None:
    """Youden's index of all thresholds, by hand, with both sources of the same weight."""
    bundle = load_bundle(exported)
    (label,) = bundle.description.labels
    predictor = Predictor(bundle)
    rows = [line.split(",") for line in (place / "images" / "manifest.csv").read_text().splitlines()[1:]]
    chosen = [(row[0], row[1], row[2] == "ILL") for row in rows if row[3] == "valid"]
    seen = [predictor.predict(place / "images" / name, force=True)["findings"][0] for name, _, _ in chosen]
    scores = np.array([finding["probability"] for finding in seen])
    sizes = {source: sum(each == source for _, each, _ in chosen) for source in ("one", "two")}
    weights = np.array([1 / sizes[source] for _, source, _ in chosen])
    positive = np.array([ill for _, _, ill in chosen])

    def youden(threshold: float) -> float:
        found = scores >= threshold
        return float(np.average(found[positive], weights=weights[positive])) - float(
            np.average(found[~positive], weights=weights[~positive])
        )

    best = max(youden(score) for score in scores)
    assert youden(label.operating_point) == pytest.approx(best)
    assert label.calibration is not None
    assert label.calibration.method == "platt"
    fitted = bundle.description.provenance["fitted"]
    assert fitted["labels"]["Opacity"]["images"] == len(chosen) == 20
    assert (fitted["asked"], fitted["balanced_sources"]) == ("platt", True)


def test_the_card_has_the_figures_and_the_authors_words(exported: Path) -> None:
    bundle = load_bundle(exported)
    card = card_of(exported)
    for phrase in (
        "# Opacities of phantoms",
        "**Not for diagnostic use.**",
        "one finding, *Opacity*, as a probability",
        "densenet: growth 4, blocks 2 2",
        "| 1 | all | 2 of 2 | one-cycle, peak rate 0.005 | 0.910 |",
        "| Opacity | 2 of 4 | 10 of 20 | 6 of 12 |",
        r"drawn \| by \`sitegen\`",
        "The test images were opened for this card.",
        "from the bundle chest-radiograph",
    ):
        assert phrase in card
    assert bundle.description.metrics["headline"]["words"] in card
    for split in ("valid", "test"):
        figures = bundle.description.metrics[split]["findings"]["Opacity"]
        for part in (figures, figures["by_source"]["two"]):
            auc = part["auc"]
            counts = f"{part['images']} ({part['positives']})"
            shown = f"{auc['value']:.3f} ({auc['low']:.3f}–{auc['high']:.3f})"
            assert f"| Opacity | {counts} | {shown} |" in card
    assert bundle.path("card.md").read_text("utf-8").endswith(f"\n\n{ABOUT}\n")


def test_the_same_checkpoint_and_data_give_the_same_bytes(
    place: Path, exported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    anew(monkeypatch)
    again, work = place / "again", place / "new work"
    work.mkdir()
    shutil.copy(place / "work" / "audit.json", work)
    run(place, again, "--final", "--gate", default_bundle(), "--calibration", "platt", "--work", work)
    names = sorted(path.name for path in exported.iterdir())
    assert names == sorted(path.name for path in again.iterdir())
    assert [name for name in names if (exported / name).read_bytes() != (again / name).read_bytes()] == []


def test_no_file_names_the_machine(place: Path, exported: Path) -> None:
    assert [path.name for path in exported.iterdir() if str(place).encode() in path.read_bytes()] == []
    recipe = load_bundle(exported).description.provenance["recipe"]
    assert (recipe["data"]["place"], recipe["export"]["card"]) == ("images", "about.md")
    assert "folder" not in recipe


def test_it_ends_with_the_next_command_and_asks_to_read_the_card(place: Path, exported: Path) -> None:
    # The bundle that is there is replaced, with its own gate; what people put beside it stays.
    (exported / "mine.txt").write_text("kept", encoding="utf-8")
    before = (exported / "bundle.json").read_bytes()
    result = run(place, exported, "--final", "--gate", exported, "--calibration", "platt")
    assert (exported / "bundle.json").read_bytes() == before
    *_, card, last = result.stdout.splitlines()
    assert last == f"Next: sitegen build --bundle {shlex.quote(str(exported))} --out dist"
    assert "'" in last
    assert f"{exported}/card.md" in card
    auc = load_bundle(exported).description.metrics["valid"]["findings"]["Opacity"]["auc"]
    assert f"Opacity, AUC on valid images: {auc['value']:.3f} (" in result.stdout
    assert "ONNX Runtime gives PyTorch's logits on 21 images" in result.stdout
    assert (exported / "mine.txt").read_text("utf-8") == "kept"
    (exported / "mine.txt").unlink()


def test_info_shows_feature_map_proof_and_figures(exported: Path) -> None:
    app = typer.Typer()
    app.command()(info)
    shown = CliRunner().invoke(app, [str(exported)], env={"COLUMNS": "200"}).output
    assert "of the graph gradient, with final.weights" in shown
    assert "of PyTorch's logits on 21 images" in shown
    auc = load_bundle(exported).description.metrics["test"]["findings"]["Opacity"]["auc"]
    assert f"Opacity {auc['value']:.3f}" in shown


def test_only_final_opens_the_test_images(place: Path, tmp_path: Path) -> None:
    shutil.copytree(place / "images", tmp_path / "images")
    for path in (tmp_path / "images").glob("test-*.png"):
        path.write_bytes(b"closed")
    options = ("--data", tmp_path / "images", "--work", tmp_path / "work")
    result = run(place, tmp_path / "bundle", *options)
    assert result.exit_code == 0, result.output
    description = load_bundle(tmp_path / "bundle").description
    assert list(description.metrics) == ["headline", "valid"]
    assert (description.gate, description.metrics["valid"]["accepted"]) == (None, None)
    card = card_of(tmp_path / "bundle")
    assert "The test images were not opened for this card." in card
    assert "none: nothing checks whether an image is of the right kind" in card
    (label,) = description.labels
    assert label.calibration is not None
    assert label.calibration.method == "piecewise-linear"  # the recipe's
    before = (tmp_path / "bundle" / "bundle.json").read_bytes()
    shutil.copy(place / "work" / "audit.json", tmp_path / "work")  # of the same records, wherever they lie
    assert "12 of 12 images of the split 'test'" in error(
        run(place, tmp_path / "bundle", *options, "--final"), DataError
    )
    assert (tmp_path / "bundle" / "bundle.json").read_bytes() == before


def test_a_damaged_validation_image_is_left_out_and_named(place: Path, tmp_path: Path) -> None:
    shutil.copytree(place / "images", tmp_path / "images")
    damaged = sorted((tmp_path / "images").glob("valid-*.png"))[3]
    damaged.write_bytes(damaged.read_bytes()[:-40])
    result = run(place, tmp_path / "bundle", "--data", tmp_path / "images", "--work", tmp_path / "work")
    assert result.exit_code == 0, result.output
    assert f"1 of 20 images of the split valid could not be used. The first: {damaged.name}" in result.stderr
    bundle = load_bundle(tmp_path / "bundle")
    assert bundle.description.metrics["valid"]["images"] == 19
    assert damaged.name in card_of(bundle.folder)


def test_one_class_in_validation_is_said_on_the_card(tmp_path: Path) -> None:
    images = write_radiographs(tmp_path / "images", {"train": 3, "valid": 1, "test": 1}, side=48)
    data = {"place": "images", "labels": {"Ill | <b>": "ILL"}}
    write_trained(write_recipe(tmp_path / "recipe.json", images, data=data))
    result = run(tmp_path, tmp_path / "bundle")
    assert result.exit_code == 0, result.output
    assert "1 of 1 validation images have it, so that nothing could be chosen" in result.stderr
    bundle = load_bundle(tmp_path / "bundle")
    assert bundle.description.labels[0].operating_point == 0.5
    assert bundle.description.title == "opacity"
    card = card_of(bundle.folder)
    assert r"- Ill \| &lt;b&gt;: 1 of 1 validation images have it" in card
    assert "<b>" not in card
    assert "Nobody has looked yet" in card


@pytest.mark.parametrize("there", [False, True])
def test_a_graph_that_fails_the_proof_is_not_put_in_place(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    out = tmp_path / "bundle"
    if there:
        shutil.copytree(default_bundle(), out)
    before = {path.name: path.read_bytes() for path in out.glob("*")}
    monkeypatch.setattr("sitegen.export.proof.TOLERANCE", 1e-12)
    result = run(place, out)
    assert "classifier.onnx gives logits that differ by" in error(result, ExportError)
    assert ExportError.exit_code == 1
    assert {path.name: path.read_bytes() for path in out.glob("*")} == before
    assert [path for path in tmp_path.iterdir() if path != out] == []


def test_what_cannot_be_used_is_named(place: Path, tmp_path: Path) -> None:
    assert "does not exist" in error(run(tmp_path, tmp_path / "bundle"), CheckpointError)
    assert "is no bundle: name another folder" in error(run(place, place / "images"), BundleError)
    assert not (tmp_path / "bundle").exists()


def test_a_checkpoint_without_a_recipe_and_a_card_that_is_missing(tmp_path: Path) -> None:
    images = write_radiographs(tmp_path / "images", {"train": 2, "valid": 4}, side=48)
    recipe = write_recipe(tmp_path / "recipe.json", images, export={"card": "nowhere.md"})
    write_trained(recipe)
    message = error(run(tmp_path, tmp_path / "bundle"), SettingsError)
    assert "nowhere.md, the card in the recipe's [export], cannot be read" in message
    trained = load_trained(tmp_path / "classifier.pt")
    save_trained(replace(trained, made_by={}), tmp_path / "classifier.pt")
    assert "records no recipe" in error(run(tmp_path, tmp_path / "bundle"), CheckpointError)


def test_provenance_is_plain_data_with_the_network_and_the_proof(exported: Path) -> None:
    provenance: dict[str, Any] = json.loads((exported / "bundle.json").read_bytes())["provenance"]
    assert provenance["network"]["name"] == "densenet"
    assert provenance["parameters"] == sum(
        weight.numel() for weight in load_trained(exported.parent / "classifier.pt").network.parameters()
    )
    assert provenance["data"]["images"]["valid"] == {"one": 14, "two": 6}
    assert provenance["data"]["labels"]["Opacity"]["test"] == {"present": 6, "known": 12}
    assert provenance["proof"]["images"] == 21
    assert 0 < provenance["proof"]["classifier"] < provenance["proof"]["tolerance"] == 1e-5
    assert provenance["training"]["batch"] == 8


@pytest.mark.parametrize("form", ["int8", "static-int8"])
def test_a_form_of_the_weights_is_what_everything_is_fitted_on(place: Path, tmp_path: Path, form: str) -> None:
    out = tmp_path / "bundle"
    done = run(place, out, "--weights", form, "--margin", "0.5", "--calibration", "platt")
    assert done.exit_code == 0, done.output
    assert f"Weights in the form {form}: " in done.output
    bundle = load_bundle(out)
    stored = bundle.description.provenance["weights"]
    hold(FormDocument, [stored])
    assert (stored["form"], stored["images"], stored["margin"]) == (form, 20, 0.5)
    assert form == "static-int8" or stored["bytes"]["stored"] < stored["bytes"]["float"]
    assert 0 < stored["largest"] < 0.2
    trained, predictor = load_trained(place / "classifier.pt"), Predictor(bundle)
    logits, floats = [], []
    rows = [line.split(",") for line in (place / "images" / "manifest.csv").read_text().splitlines()[1:]]
    for name in [row[0] for row in rows if row[3] == "valid"]:
        logits.append(predictor.predict(place / "images" / name, force=True)["findings"][0]["logit"])
        tensor = image_tensors((place / "images" / name).read_bytes(), {"classifier": trained.image})["classifier"]
        with torch.inference_mode():
            floats.append(float(trained.network(torch.from_numpy(tensor.copy()))))
    moved = np.abs(1 / (1 + np.exp(-np.array(logits))) - 1 / (1 + np.exp(-np.array(floats))))
    assert stored["largest"] == pytest.approx(moved.max(), abs=1e-5)
    assert stored["moved"]["value"] == pytest.approx(moved.mean(), abs=1e-5)
    (label,) = bundle.description.labels
    ill = np.array([row[2] == "ILL" for row in rows if row[3] == "valid"])
    finding = stored["findings"]["Opacity"]
    assert finding["auc"] == pytest.approx(roc_auc_score(ill, logits), abs=1e-5)
    assert finding["original"] == pytest.approx(roc_auc_score(ill, floats), abs=1e-5)
    scores = 1 / (1 + np.exp(-np.array(logits)))
    assert np.abs(scores - label.operating_point).min() > 0  # the point is between scores of this form
    card = card_of(out)
    assert (
        "with a scale for each channel" in card if form == "int8" else "was made to compute with whole numbers" in card
    )
    assert "An interval beyond 0.5 either way would have refused them." in card.replace("an interval", "An interval")


def test_a_form_that_is_not_proved_harmless_is_refused(place: Path, tmp_path: Path) -> None:
    done = run(place, tmp_path / "bundle", "--weights", "static-int8", "--margin", "0")
    assert "Such weights are not proved harmless" in error(done, ExportError)
    assert done.exception is not None
    assert done.exception.exit_code == 1  # type: ignore[attr-defined]
    assert not (tmp_path / "bundle").exists()


def test_options_and_everything_that_is_written_are_documented(exported: Path) -> None:
    text = (Path(__file__).parents[2] / "docs" / "export.md").read_text("utf-8")
    app = typer.Typer()
    app.command()(export)
    options = [option for parameter in typer.main.get_command(app).params for option in parameter.opts]
    assert {"-o", "--out", "--data", "--work", "--calibration", "--gate", "--final"} <= set(options)
    named = [option for option in options if option.startswith("-") and "completion" not in option]
    assert [option for option in named if f"`{option}" not in text] == []
    description = load_bundle(exported).description
    made, figures = description.provenance, description.metrics["valid"]
    label = figures["findings"]["Opacity"]
    parts = [made, made["data"], made["fitted"], made["fitted"]["labels"]["Opacity"], made["proof"], made["gate"]]
    keys = {key for part in [*parts, figures, figures["accepted"], label] for key in part}
    assert {key for key in keys if f"`{key}`" not in text} == set()


def test_a_recipe_given_beside_the_checkpoint_comes_first(place: Path, tmp_path: Path) -> None:
    """As where only what the bundle says of itself was changed: nothing has to be trained again."""
    recipe = recipe_of_checkpoint(place / "classifier.pt")
    changed = replace(recipe, export=replace(recipe.export, title="Another title", calibration="isotonic"))
    report = export_bundle(place / "classifier.pt", tmp_path / "bundle", None, place / "work", recipe=changed)
    assert report.bundle.description.title == "Another title"
    assert report.bundle.description.provenance["recipe"]["export"]["title"] == "Another title"
    (fitted,) = report.labels
    assert fitted.label.calibration is not None
    assert fitted.label.calibration.method == "isotonic"
    assert report.warnings == []
    larger = replace(recipe, image=replace(recipe.image, side=64))
    with pytest.raises(CheckpointError, match="Train with this recipe first"):
        export_bundle(place / "classifier.pt", tmp_path / "bundle", None, place / "work", recipe=larger)


def test_boxes_of_the_recipe_are_measured_with_final_alone(place: Path, tmp_path: Path) -> None:
    images = [f"{split}-{seed}" for split, seed in (("train", 1), ("train", 3), ("test", 25), ("test", 27))]
    rows = [f"{name},ILL,0,0,1,1" for name in images] + [f"{name},Opacity,0.25,0.25,0.5,0.5" for name in images]
    (place / "images" / "boxes.csv").write_text("\n".join(["image,finding,x,y,w,h", *rows]), encoding="utf-8")
    recipe = recipe_of_checkpoint(place / "classifier.pt")
    changed = replace(recipe, evaluation=replace(recipe.evaluation, boxes="boxes.csv"))

    def made(name: str, *, final: bool) -> Path:
        out = tmp_path / name
        export_bundle(place / "classifier.pt", out, None, place / "work", recipe=changed, final=final)
        return out

    assert load_bundle(made("without", final=False)).description.localisation is None
    assert "What the maps are worth" not in card_of(tmp_path / "without")
    known = load_bundle(made("with", final=True)).description.localisation
    assert known is not None
    assert (known.split, known.boxes, known.images, known.patients, known.training_boxes) == ("test", 2, 2, 2, 2)
    assert [each.method for each in known.methods] == [name for name, row in METHODS.items() if row.runs < MANY_RUNS]
    usual = known.methods[0].usual
    assert usual is not None
    assert usual.value == 1.0  # the training boxes lie where the test ones do
    assert [part.finding for part in known.methods[0].findings] == ["Opacity"]
    card = card_of(tmp_path / "with")
    assert (
        "## What the maps are worth Radiologists drew 2 boxes around findings of 2 test images of 2 patients." in card
    )
    assert "| Saliency | 2 (2) |" in card
    assert "- Saliency: There are boxes of fewer than 20 patients" in card
    assert worth_of_map(load_bundle(tmp_path / "with").model, "Opacity", "saliency") is None  # of two patients
    missing = replace(recipe, evaluation=replace(recipe.evaluation, boxes="none.csv"))
    with pytest.raises(DataError, match=r"none\.csv"):
        export_bundle(place / "classifier.pt", tmp_path / "x", None, place / "work", recipe=missing, final=True)
