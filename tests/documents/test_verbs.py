"""Every verb and every option is documented."""

from dataclasses import fields

import pytest
import typer

from sitegen.cli import app
from sitegen.importing.settings import ImportSettings, LabelSettings
from sitegen.settings.recipe import ImageSettings
from tests.helpers.documents import read
from tests.helpers.importing.report_documents import document as import_document
from tests.helpers.json_keys import keys_of


def test_every_verb_is_listed() -> None:
    verbs = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    assert {"build", "predict", "import", "data"} <= set(verbs)
    assert [verb for verb in verbs if f"    sitegen {verb}" not in read("docs/verbs.md")] == []


INTEGRITY_OPTIONS = {"--integrity", "--sha256", "--public-key", "--revoked"}
VERIFY_OPTIONS = {
    *("--site", "--transport", "--browser", "--provider", "--images", "--json", "--bundle", "--project"),
    *INTEGRITY_OPTIONS,
}
SIGN_OPTIONS = {"--site", "--key", "--new-key", "--no-password", "--until"}
GRADIENT_OPTIONS = {"-o", "--out", "--wrt", "--with-respect-to", "--of", "--also", "--guided", "--switch"}

LOOK_OPTIONS = {"--opacity", "--colour-map", "--threshold", "--blur"}
GENERATE_OPTIONS = {"--generator", "-o", "--out", "--seeds", "--latents", "--psi", "--class", "--noise", "--grid"} | {
    *("--columns", "--batch", "--device"),
}
PROJECT_OPTIONS = {"--generator", "-o", "--out", "--steps", "--seed", "--space", "--engine", "--class", "--crop"} | {
    *("--batch", "--device", "--patch", "--features", "--features-output", "--features-side", "--pixels", "--video"),
}
EXPLAIN_OPTIONS = {
    "-o",
    "--out",
    "--finding",
    "--method",
    "--what-if",
    "--bundle",
    "--force",
    "--correction",
} | LOOK_OPTIONS


@pytest.mark.parametrize(
    ("verb", "page", "expected"),
    [
        ("verify", "docs/verify.md", VERIFY_OPTIONS),
        ("sign", "docs/security.md", SIGN_OPTIONS),
        ("gradient", "docs/gradients.md", GRADIENT_OPTIONS),
        ("explain", "docs/explanations.md", EXPLAIN_OPTIONS),
        ("generate", "docs/projection.md", GENERATE_OPTIONS),
        ("project", "docs/projection.md", PROJECT_OPTIONS),
        ("attach", "docs/projection.md", {"--generator", "-o", "--out", "--licence", "--data-licence"}),
        ("serve", "docs/project.md", {"--port", "--watch", "--project", "--bundle"}),
    ],
)
def test_every_option_is_documented(verb: str, page: str, expected: set[str]) -> None:
    command = typer.main.get_command(app).commands[verb]  # type: ignore[attr-defined]
    options = {option for parameter in command.params for option in parameter.opts if option.startswith("-")}
    assert options == expected
    assert [option for option in options if option not in read(page)] == []


@pytest.mark.parametrize(
    ("verb", "of", "page", "expected"),
    [
        (
            "train",
            "classifier",
            "docs/training.md",
            {"--config", "--data", "--work", "--weights", "--tensorboard", "--epochs-now"},
        ),
        (
            "train",
            "range-test",
            "docs/training.md",
            {"--config", "-o", "--out", "--curves", "--data", "--work", "--steps"},
        ),
        ("train", "concepts", "docs/concepts.md", None),
        ("train", "generator", "docs/generator.md", {"--config", "--work", "--steps-now", "--workers"}),
        ("train", "gate", "docs/gate.md", {"--config", "--data", "--work", "--images", "--rounds-now"}),
        (
            "evaluate",
            "gate",
            "docs/gate-evaluation.md",
            {"--outside", "-o", "--out", "--data", "--recipe", "--split", "--half", "--near", "--against", "--work"}
            | {"--gallery", "--resamples", "--permutations", "--seed", "--workers", "--json", "--projections"},
        ),
        ("evaluate", "explanations", "docs/explanation-evaluation.md", None),
        ("evaluate", "reconstructions", "docs/anomaly.md", None),
        ("evaluate", "anomaly", "docs/anomaly.md", None),
        ("evaluate", "localisation", "docs/anomaly.md", None),
        ("evaluate", "permutation", "docs/anomaly.md", None),
        ("evaluate", "frechet", "docs/anomaly.md", None),
        ("evaluate", "adversarial", "docs/attacks.md", None),
        ("curate", "score", "docs/curate.md", None),
        ("curate", "report", "docs/curate.md", None),
        ("curate", "apply", "docs/curate.md", None),
    ],
)
def test_every_option_of_nested_verbs_is_documented(verb: str, of: str, page: str, expected: set[str] | None) -> None:
    command = typer.main.get_command(app).commands[verb].commands[of]  # type: ignore[attr-defined]
    options = {option for parameter in command.params for option in parameter.opts if option.startswith("-")}
    assert expected is None or options == expected
    assert [option for option in options if option not in read(page)] == []


def test_every_key_verb_and_option_of_imports_is_documented() -> None:
    text = read("docs/import.md")
    keys = [each.name for part in (ImportSettings, LabelSettings, ImageSettings) for each in fields(part)]
    assert [key for key in keys if f"`{key}`" not in text and f"\n    {key} = " not in text] == ["folder"]
    verbs = typer.main.get_command(app).commands["import"].commands  # type: ignore[attr-defined]
    assert [verb for verb in verbs if f"| `{verb}` |" not in text or f"    sitegen import {verb} " not in text] == []
    options = {option for verb in verbs.values() for each in verb.params for option in each.opts if option[0] == "-"}
    assert [option for option in options if f"`{option}" not in text] == []
    document = import_document(**{"import": {}})
    for part in (document["proof"], document["weights"]):
        part["logits"] = {}  # by file
    assert [key for key in keys_of(document) if f"`{key}`" not in text and key != "title"] == []
    assert f"`{document['schema']}`" in text


DATA_OPTIONS = {
    "audit": {"--recipe", "--data", "--no-shortcuts", "--json", "--co-occurrence"}
    | {"--findings", "--only-present", "--workers"},
    "split": {"-o", "--out", "--shares", "--seed", "--divide", "--only-with-findings", "--findings", "--only-present"},
    "preview": {"-o", "--out", "--config", "--level", "--images", "--variants", "--seed", "--findings"},
    "unpack": {"-o", "--out"},
}
GREYS = {"--preset", "--level", "--width", "--full-range", "--depth", "--axis"}
PREPARING_OPTIONS = {
    "window": GREYS,
    "slices": GREYS | {"--masks", "--label", "--write-masks"},
    "resize": {"--size", "--fit", "--method"},
    "noise": {"--level", "--seed"},
    "blur": {"--level"},
    "halves": {"--by-patient", "--seed"},
}


def test_the_verbs_for_data_sets_are_documented() -> None:
    text = read("docs/data.md")
    verbs = typer.main.get_command(app).commands["data"].commands  # type: ignore[attr-defined]
    options = {
        name: {option for parameter in verb.params for option in parameter.opts if option[0] == "-"}
        for name, verb in verbs.items()
    }
    shared = {"-o", "--out", "--workers"}
    assert options == DATA_OPTIONS | {name: each | shared for name, each in PREPARING_OPTIONS.items()}
    for name, expected in DATA_OPTIONS.items():
        part = text[text.index(f"    sitegen data {name} ") :].split("\n## ")[0]
        assert [option for option in expected if f"`{option}" not in part] == [], name
    text = read("docs/prepare.md")
    common, *parts = text.split("\n## ")
    for name, expected in PREPARING_OPTIONS.items():
        part = "".join(part for part in parts if f"`{name}`" in part.splitlines()[0] or name == "slices")
        assert [option for option in expected if f"`{option}" not in part] == [], name
        assert f"    sitegen data {name} " in common
    assert "`--workers" in common
