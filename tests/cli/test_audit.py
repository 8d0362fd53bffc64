"""`sitegen data audit` with shortcuts: exit codes, options, and what a recipe changes."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from sitegen.cli import app
from sitegen.errors import SettingsError
from tests.helpers.shortcut_images import write_images

HAS = np.random.default_rng(0).permutation(np.arange(60) % 2 == 0).tolist()
RECIPE = '[data]\nplace = "."\nlabels = { Tumour = "Mass" }\n'


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table of blurred images with a finding and sharp ones without, and of two labels that nobody trains on."""
    folder = tmp_path_factory.mktemp("planted")
    records = write_images(folder, HAS, blurred=HAS)
    rows = [
        f"{record.path.name},{record.patient},{['train', 'valid', 'test'][number % 3]},{record.labels['Mass']:.0f},1"
        for number, record in enumerate(records)
    ]
    (folder / "table.csv").write_text("\n".join(["file,patient,split,Mass,Other", *rows]), encoding="utf-8")
    (folder / "recipe.toml").write_text('name = "a"\n' + RECIPE.replace('"."', '"table.csv"'), encoding="utf-8")
    return folder


def run(*arguments: object, code: int = 0) -> str:
    done = CliRunner().invoke(app, ["data", "audit", *map(str, arguments)], env={"COLUMNS": "160"})
    assert done.exit_code == code, (done.output, done.exception)
    return done.output


def test_a_shortcut_gives_1_and_is_named(planted: Path) -> None:
    report = planted / "report.json"
    text = run(planted / "table.csv", "--json", report, "--workers", 1, code=1)
    assert "Mass: sharpness" in text
    assert "1.00!" in text
    assert "Not measured: Other: 0 images without it, and 10 are needed." in text
    assert "nobody accepted it." in text
    assert "Training and test images share a collection: not said." in text
    assert text.endswith("No problems found.\n")
    document = json.loads(report.read_text("utf-8"))
    assert document["clean"] is True
    assert (document["shortcuts"]["images"], document["shortcuts"]["splits"]) == (40, ["train", "valid"])


def test_without_shortcuts_nothing_is_told(planted: Path) -> None:
    report = planted / "report.json"
    text = run(planted / "table.csv", "--no-shortcuts", "--json", report, "--workers", 1)
    assert "sharpness" not in text
    assert json.loads(report.read_text("utf-8"))["shortcuts"] is None


def test_a_recipe_says_what_is_audited_and_accepted(planted: Path) -> None:
    text = run("--recipe", planted / "recipe.toml", "--workers", 1, code=1)
    assert "Tumour: sharpness" in text
    assert "Other" not in text
    report = planted / "report.json"
    run("--recipe", planted / "recipe.toml", "--json", report, "--workers", 1, code=1)
    failures = json.loads(report.read_text("utf-8"))["shortcuts"]["failures"]
    accepted = "\n".join(
        f'"Tumour: {family}" = "Blurred on purpose."' for family in {each["family"] for each in failures}
    )
    recipe = planted / "accepted.toml"
    whole = (planted / "recipe.toml").read_text("utf-8") + f"[audit.accepted]\n{accepted}\n"
    recipe.write_text(whole, encoding="utf-8")
    text = run("--recipe", recipe, "--data", planted / "table.csv", "--workers", 1)
    assert "1.00+" in text
    assert "Blurred on purpose." in text
    assert "but for what was accepted" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Name one data set"),
        (["DATA", "--recipe", "r.toml"], "Name one data set"),
        (["DATA", "--data", "OTHER"], "add --recipe FILE"),
        (["--recipe", "r.toml", "--only-present"], "leave out --findings and --only-present"),
        (["--recipe", "r.toml"], "r.toml cannot be read"),
    ],
)
def test_wrong_use_gives_2(arguments: list[str], message: str) -> None:
    done = CliRunner().invoke(app, ["data", "audit", *arguments])
    assert isinstance(done.exception, SettingsError)
    assert message in str(done.exception)
    assert done.exception.exit_code == 2


def test_without_scikit_learn_it_says_what_to_do(planted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "sklearn" else object())
    done = CliRunner().invoke(app, ["data", "audit", str(planted / "table.csv")])
    assert isinstance(done.exception, SettingsError)
    assert "needs sklearn: pip install 'offline-sitegen[train]'. Or leave it out: --no-shortcuts" in str(done.exception)
