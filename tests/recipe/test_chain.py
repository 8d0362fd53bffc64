"""From data to site: step by step as the documentation walks it, and in one command that does each step once."""

import csv
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from sitegen.bundle import Bundle, load_bundle
from sitegen.cli import app
from sitegen.errors import AuditError, CheckpointError, SettingsError
from sitegen.networks.trained_gate import load_gate
from sitegen.recipe.chain import Chain
from sitegen.settings.recipe import read_recipe_file
from tests.helpers.radiographs import write_radiographs, write_recipe

ROOT = Path(__file__).parents[2]
STEPS = ["audit", "verdict", "train", "export", "evaluate", "build"]


def run(*arguments: str, code: int = 0) -> str:
    done = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert done.exit_code == code, done.output
    return done.output


def walk_through() -> list[list[str]]:
    """The commands in the documentation, without the first word."""
    text = (ROOT / "docs" / "recipe.md").read_text("utf-8")
    return [
        line.split()[1:]
        for line in re.findall(r"^    (sitegen .*)$", text[text.index("## A walk-through") :], re.MULTILINE)
    ]


@pytest.mark.browser
@pytest.mark.slow
def test_the_walk_through_walks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_radiographs(tmp_path / "DATA", {"train": 24, "valid": 12, "test": 12}, labels=("NORMAL", "PNEUMONIA"))
    shutil.copytree(ROOT / "recipes" / "quick", tmp_path / "recipes" / "quick")
    monkeypatch.chdir(tmp_path)
    *steps, whole = walk_through()
    assert [command[:2] for command in steps] == [
        ["data", "audit"],
        ["train", "classifier"],
        ["evaluate", "classifier"],
        ["export", "build/quick/classifier.pt"],
        ["build", "--bundle"],
        ["verify", "--site"],
    ]
    printed = [run(*command) for command in steps]
    assert "No problems found." in printed[0]
    assert "Next: sitegen export build/quick/classifier.pt" in printed[1]
    assert "Not for diagnostic use" in (tmp_path / "build" / "quick" / "report.html").read_text("utf-8")
    assert "Next: sitegen build --bundle build/quick/bundle" in printed[3]
    assert (tmp_path / "build" / "quick" / "dist" / "index.html").is_file()
    assert "The page computes what Python computes." in printed[5]
    assert f"Ran: {', '.join(STEPS)}." in run(*whole)  # its steps were not noted, but training is only read again
    assert len(list(csv.DictReader((tmp_path / "build" / "quick" / "log.csv").open()))) == 8
    assert "Ran: nothing, all was done." in run(*whole)


def no_site(bundle: Bundle, out: Path, say: Callable[[str], None]) -> None:
    """What is left of a build where none is needed: the files that the verb speaks of at its end."""
    for name in ("index.html", "manifest.json", "SHA256SUMS"):
        (out / name).write_text("")


def test_a_recipe_is_followed_step_by_step_each_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sitegen.recipe.chain.build_site", no_site)
    (tmp_path / "dist").mkdir()
    data = write_radiographs(tmp_path / "data")
    shutil.copy(data / "train-0.png", data / "train-2.png")  # the audit finds them alike, and the chain goes on
    asked = {"version": "0.3.0", "card": "about.md"}
    (tmp_path / "about.md").write_text("## What it may have learned\nNothing that lasts.\n", encoding="utf-8")
    work = tmp_path / "work"

    def chain(*options: str, **changes: object) -> str:
        recipe = write_recipe(tmp_path / "recipe.json", data, export=asked, **changes)
        places = ("--work", str(work), "--out", str(tmp_path / "dist"))
        return re.search(r"Ran: (.*)\.", run("build", "--recipe", str(recipe), *places, *options))[1]

    def reported() -> tuple[list[str], int]:
        seen = json.loads((work / "evaluation.json").read_text("utf-8"))["data"]
        return seen["splits"], seen["images"]

    assert chain() == ", ".join(STEPS)
    assert json.loads((work / "audit.json").read_text("utf-8"))["problems"]["duplicates"]
    assert load_bundle(work / "bundle").description.version == "0.3.0"
    assert list(load_bundle(work / "bundle").description.metrics) == ["headline", "valid"]
    assert "Nothing that lasts." in (work / "bundle" / "card.md").read_text("utf-8")
    assert reported() == (["valid"], 10)
    assert chain() == "nothing, all was done"
    (work / "evaluation.html").unlink()
    assert chain() == "evaluate"
    assert chain(evaluation={"prevalence": [0.2]}) == "evaluate"
    asked["calibration"] = "platt"
    assert chain("--final") == "export, evaluate, build"
    calibration = load_bundle(work / "bundle").description.labels[0].calibration
    assert calibration is not None
    assert calibration.method == "platt"
    assert list(load_bundle(work / "bundle").description.metrics) == [
        "headline",
        "valid",
        "test",
    ]  # opened when asked to
    assert reported() == (["test"], 10)


def test_a_gate_is_a_step_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sitegen.recipe.chain.build_site", no_site)
    work, dist, more = tmp_path / "work", tmp_path / "dist", tmp_path / "more"
    dist.mkdir()
    more.mkdir()
    data = write_radiographs(tmp_path / "data", {"train": 8, "valid": 12}, side=32)
    shutil.copy(data / "train-0.png", more / "a.png")
    training = {"network": {"side": 16, "latent": 4, "widths": [4, 8]}, "steps": 4, "batch": 4, "report_every": 2}

    def chain(**gate: object) -> str:
        asked = {"training": training, "share": 0.75, "apart": 1} | gate
        recipe = write_recipe(tmp_path / "recipe.json", data, gate=asked)
        options = ("--work", str(work), "--out", str(dist), "--images", str(more))
        return re.search(r"Ran: (.*)\.", run("build", "--recipe", str(recipe), *options))[1]

    assert chain() == "audit, verdict, train, gate, export, evaluate, build"
    assert chain() == "nothing, all was done"
    trained, settings = (work / "gate.pt").stat(), load_bundle(work / "bundle").description.gate
    assert settings is not None
    assert settings.share == 0.75
    assert chain(share=0.5) == "export, evaluate, build"
    settings = load_bundle(work / "bundle").description.gate
    assert settings is not None
    assert settings.share == 0.5
    assert (work / "gate.pt").stat() == trained
    longer = training | {"steps": 6}
    with pytest.raises(CheckpointError, match=r"gate-training\.pt .* steps is 6 now, and was 4\. .* delete it"):
        chain(training=longer)
    (work / "gate-training.pt").unlink()
    assert chain(training=longer) == "gate, export, evaluate, build"
    assert load_gate(work / "gate.pt").made_by["images"] == {"train": 9, "valid": 12}
    shutil.copy(data / "train-1.png", more / "b.png")
    with pytest.raises(CheckpointError, match=r"gate-training\.pt .* the images are not the same"):
        chain(training=longer)


def test_a_shortcut_stops_the_chain_until_a_person_accepts_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Images with an opacity are brighter, which the mean grey tells as well as any network could."""
    monkeypatch.setattr("sitegen.recipe.chain.build_site", no_site)
    (tmp_path / "dist").mkdir()
    data, work = write_radiographs(tmp_path / "data", side=32), tmp_path / "work"
    for path in sorted(data.glob("*.png")):
        shade = 200 if int(path.stem.split("-")[1]) % 2 else 20
        Image.new("L", (32, 32), shade).save(path)
    said: list[str] = []

    def chain(**audit: object) -> list[str]:
        recipe = write_recipe(tmp_path / "recipe.json", data, audit=audit)
        return Chain(recipe, read_recipe_file(recipe), work, tmp_path / "dist").run(said.append)

    with pytest.raises(AuditError, match=r"Opacity by mean grey, AUC 1\.000 \(1\.000–1\.000\)") as error:
        chain()
    assert error.value.exit_code == 1
    assert str(work / "audit.json") in str(error.value)
    assert not (work / "classifier.pt").exists()
    report = json.loads((work / "audit.json").read_text("utf-8"))
    assert report["shared_collections"] == ["one", "two"]
    assert report["shortcuts"]["splits"] == ["train", "valid"]  # never the test images
    accepted = {f"Opacity: {failure['family']}": "Drawn so." for failure in report["shortcuts"]["failures"]}
    assert chain(accepted=accepted) == ["verdict", "train", "export", "evaluate", "build"]
    assert chain(accepted=accepted) == []
    bundle = load_bundle(work / "bundle")
    told = bundle.description.provenance["audit"]
    assert {failure["accepted"] for failure in told["failures"]} == {"Drawn so."}
    card = (work / "bundle" / "card.md").read_text("utf-8")
    assert "## What is told by things that are not anatomy" in card
    assert "| Opacity: mean grey | 1.000 (1.000–1.000) | Drawn so. |" in card
    with pytest.raises(SettingsError, match=r"audit\.accepted names 'Opacity: grey'"):
        chain(accepted={"Opacity: grey": "?"})
    with pytest.raises(SettingsError, match="accepted"):
        chain(accepted={"Opacity: mean grey": " "})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--final"], "belong to --recipe FILE"),
        (["--data", "x"], "belong to --recipe FILE"),
        (["--recipe", "r.toml", "--bundle", "b"], "leave out --bundle"),
        (["--recipe", "r.toml"], "r.toml cannot be read"),
    ],
)
def test_options_that_contradict_each_other_are_refused(options: list[str], message: str) -> None:
    done = CliRunner().invoke(app, ["build", *options])
    assert message in str(done.exception)
    assert done.exception.exit_code == 2


def test_every_key_of_the_shipped_recipes_is_known() -> None:
    from sitegen.gate.training.presets import read_gate_recipe
    from sitegen.training.prepare import training_recipe

    recipes = sorted((ROOT / "recipes").glob("*/*.toml"))
    assert len(recipes) >= 2
    for path in recipes:
        file = read_recipe_file(path)
        assert training_recipe(file).phases
        assert file.gate is None or read_gate_recipe(file.gate.training).steps
        assert not file.export.card or file.place(file.export.card).is_file()
