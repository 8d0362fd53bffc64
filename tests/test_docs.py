"""The documentation names everything that is public, and nothing that is gone."""

import inspect
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args

import pytest
import typer

from bundles import make_bundle
from importing.report_documents import document as import_document
from sitegen import gradient, resources
from sitegen.browser.parity import BORDERS, CALIBRATION_TOLERANCE, WASM, WEBGPU, Tolerance
from sitegen.bundle import (
    Bundle,
    Combination,
    Description,
    GateScore,
    GateSettings,
    Golden,
    GraphInput,
    GraphOutput,
    Label,
    Licence,
    Quantiles,
)
from sitegen.calibration import NUMBERS, Method
from sitegen.cli import app
from sitegen.data.audit import audit
from sitegen.data.label_styles import LabelStyle
from sitegen.data.records import Record
from sitegen.data.splits import PRESETS
from sitegen.data.tables import KNOWN_COLUMNS
from sitegen.evaluation import metrics
from sitegen.evaluation.calibration_fit import TABLE_TOLERANCE
from sitegen.importing.settings import ImportSettings, LabelSettings
from sitegen.networks.reconstruction import ReconstructionSettings
from sitegen.prediction import Predictor
from sitegen.recipe.document import DataSettings, EvaluationSettings, ExportSettings, GatePlan, ImageSettings
from sitegen.site.page import index_policy
from sitegen.training.gate.presets import (
    GATE_PRESETS,
    AdversarialSettings,
    GateRecipe,
    PointSettings,
    VariationalSettings,
)
from sitegen.training.presets import PRESETS as TRAINING_PRESETS
from sitegen.training.presets import Recipe
from sitegen_runtime import errors
from sitegen_runtime.colour_maps import COLOUR_MAPS
from sitegen_runtime.explanation_methods import COPIES, METHODS, NOISE, STEPS
from sitegen_runtime.gate_metrics import METRICS
from sitegen_runtime.heat_map import CELL, FINE_BLUR, Look
from sitegen_runtime.structure import LARGEST_ASPECT, LARGEST_COLOUR, SMALLEST_CONTRAST
from sitegen_runtime.variants import CORRECTIONS, SMALLEST_GAIN

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "benchmarks").glob("*.md")])


def read(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def keys_of(document: object) -> Iterator[str]:
    if isinstance(document, dict):
        for key, value in document.items():
            yield key
            yield from keys_of(value)
    elif isinstance(document, list):
        for value in document:
            yield from keys_of(value)


@pytest.mark.parametrize(
    "part",
    [
        Description,
        GraphInput,
        GraphOutput,
        Label,
        Licence,
        Golden,
        GateSettings,
        GateScore,
        Quantiles,
        Combination,
    ],
)
def test_every_key_of_a_bundle_is_documented(part: type[Description]) -> None:
    text = read("docs/bundle.md")
    names = [field.alias or name for name, field in part.model_fields.items()]
    assert [name for name in names if f'"{name}"' not in text and f"`{name}`" not in text] == []


def test_every_field_of_a_result_is_documented(bundle: Bundle) -> None:
    text = read("docs/result.md")
    predictor = Predictor(bundle)
    good = predictor.analyse((resources.default_bundle() / "golden.png").read_bytes(), "a.png").document
    bad = predictor.analyse(b"", "b.png").document
    roles = set(bundle.description.graphs)
    missing = {key for document in (good, bad) for key in keys_of(document) if key not in text} - roles
    assert missing == set()


def test_every_field_of_a_gradient_is_documented(gradient_bundle: Bundle) -> None:
    text = read("docs/gradient-document.md")
    data = (resources.default_bundle() / "golden.png").read_bytes()
    gradient = Predictor(gradient_bundle).gradient(data, {"Effusion": 1})
    document = gradient.document
    entries = [document, document["timings"], *document["gradients"]]
    assert [key for entry in entries for key in entry if f"`{key}`" not in text] == []
    assert [role for role in gradient.values if f"| `{role}` |" not in text] == []
    assert document["schema"] in text


def test_every_method_field_and_number_of_explanations_is_documented(tmp_path: Path) -> None:
    text = read("docs/explanations.md")
    assert [method for method in METHODS if f"| `{method}` |" not in text] == []
    made = make_bundle(tmp_path / "bundle", explained=True)
    data = (resources.default_bundle() / "golden.png").read_bytes()
    wanted = [{"finding": "all", "method": method} for method in METHODS]
    document = Predictor(made).explain(data, wanted, values=True, force=True).document
    assert [key for entry in document["explanations"] for key in entry if f"`{key}`" not in text] == []
    assert [stage for stage in ("session", "explanation") if f"`{stage}`" not in text] == []
    assert (COPIES, NOISE, STEPS, FINE_BLUR, CELL) == (25, 0.15, 32, 1, 8)
    assert (Look().opacity, Look().threshold) == (0.75, 0.1)
    for phrase in (
        "25 noisy copies",
        "0.15 times",
        "32 equal steps",
        "1 by default",
        "8 x 8 pixels",
        "(0.75)",
        "(0.1)",
    ):
        assert phrase in text
    assert [name for name in COLOUR_MAPS if f"`{name}`" not in text] == []


def test_every_stage_of_the_page_is_documented(gradient_bundle: Bundle) -> None:
    text = read("docs/page-api.md")
    data = (resources.default_bundle() / "golden.png").read_bytes()
    predictor = Predictor(gradient_bundle)
    for document in (predictor.analyse(data, "a.png").document, predictor.gradient(data, {"Effusion": 1}).document):
        stages = [f"`{stage}`" for stage in document["timings"] if stage != "total"]
        assert f"the stages are {', '.join(stages)} and `done`" in text


def test_every_error_code_is_documented() -> None:
    text = read("docs/result.md")
    classes = [value for value in vars(errors).values() if isinstance(value, type)]
    codes = {each.code for each in classes if issubclass(each, errors.AnalysisError) and each is not errors.ImageError}
    assert len(codes) == 13
    assert [code for code in codes if f"`{code}`" not in text] == []


def test_every_metric_and_check_of_the_gate_is_documented() -> None:
    result, bundle = read("docs/result.md"), read("docs/bundle.md")
    for name, metric in METRICS.items():
        stage = "as its parts" if name == "combined" else metric.stage
        assert f"| `{name}` | {stage} | {metric.higher} |" in result
        assert f"`{name}`" in bundle or name == "ssim"
    assert (LARGEST_COLOUR, SMALLEST_CONTRAST, LARGEST_ASPECT, SMALLEST_GAIN) == (0.03, 0.02, 3, 0.05)
    assert all(limit in result for limit in ("more than 3 %", "below 2 %", "more than 3 times", "at least 0.05"))
    assert all(f"`{correction}`" in result for correction in CORRECTIONS)


def test_the_pages_api_is_documented() -> None:
    script = (resources.templates() / "page" / "api.js").read_text("utf-8")
    body = script[script.index("globalThis.sitegen = ") :]
    members = re.findall(r"^  (?:async )?(\w+)[:(]", body, re.MULTILINE)
    assert members == ["ready", "bundles", "configure", "analyse", "gradient"]
    text = read("docs/page-api.md")
    assert all(f"sitegen.{member}" in text for member in members)
    options = ["name", "bundle", "force", "signal", "onProgress", "seed"]
    assert all(f"| `{option}` |" in text for option in options)


def test_every_verb_is_in_the_readme() -> None:
    verbs = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    assert set(verbs) == {
        "build",
        "serve",
        "predict",
        "explain",
        "verify",
        "sign",
        "info",
        "gradient",
        "data",
        "train",
        "evaluate",
        "export",
        "import",
        "new",
    }
    assert [verb for verb in verbs if f"    sitegen {verb}" not in read("README.md")] == []


INTEGRITY_OPTIONS = {"--integrity", "--sha256", "--public-key"}
VERIFY_OPTIONS = {
    *("--site", "--transport", "--browser", "--provider", "--images", "--json", "--bundle", "--project"),
    *INTEGRITY_OPTIONS,
}
SIGN_OPTIONS = {"--site", "--key", "--new-key", "--no-password"}
GRADIENT_OPTIONS = {"-o", "--out", "--wrt", "--with-respect-to", "--of", "--also", "--guided", "--switch"}

LOOK_OPTIONS = {"--opacity", "--colour-map", "--threshold", "--blur"}
EXPLAIN_OPTIONS = {"-o", "--out", "--finding", "--method", "--bundle", "--force", "--correction", *LOOK_OPTIONS}


@pytest.mark.parametrize(
    ("verb", "page", "expected"),
    [
        ("verify", "docs/verify.md", VERIFY_OPTIONS),
        ("sign", "docs/security.md", SIGN_OPTIONS),
        ("gradient", "docs/gradients.md", GRADIENT_OPTIONS),
        ("explain", "docs/explanations.md", EXPLAIN_OPTIONS),
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
        ("train", "gate", "docs/gate.md", {"--config", "--data", "--work", "--images", "--rounds-now"}),
        (
            "evaluate",
            "gate",
            "docs/gate-evaluation.md",
            {"--outside", "-o", "--out", "--data", "--recipe", "--split", "--half", "--near", "--against", "--work"}
            | {"--gallery", "--resamples", "--permutations", "--seed", "--workers", "--json"},
        ),
        ("evaluate", "explanations", "docs/explanation-evaluation.md", None),
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
    for part in (document["proof"], document["half"]):
        part["logits"] = {}  # by file
    assert [key for key in keys_of(document) if f"`{key}`" not in text and key != "title"] == []
    assert f"`{document['schema']}`" in text


@pytest.mark.parametrize("part", [DataSettings, ImageSettings, EvaluationSettings, ExportSettings])
def test_every_key_of_a_recipe_is_documented(part: Any) -> None:
    assert [each.name for each in fields(part) if f"`{each.name}`" not in read("docs/recipe.md")] == []


def test_every_key_of_a_gate_is_documented() -> None:
    text = read("docs/gate.md")
    settings = (GatePlan, GateRecipe, ReconstructionSettings, PointSettings, VariationalSettings, AdversarialSettings)
    keys = {each.name for part in settings for each in fields(part)} - {"name", "channels", "kind"}
    assert [key for key in sorted(keys) if key not in text] == []
    assert [name for name in GATE_PRESETS if not name.startswith("chester-") and f"`{name}`" not in text] == []


def test_every_key_of_training_is_documented() -> None:
    text = read("docs/training.md") + read("docs/classifiers.md")
    assert [each.name for each in fields(Recipe) if f"`{each.name}`" not in text and each.name not in text] == []
    assert [name for name in TRAINING_PRESETS if f"`{name}`" not in read("docs/classifiers.md")] == []


def test_every_option_of_the_compiler_is_documented() -> None:
    options = inspect.signature(gradient.compile).parameters.values()
    names = [option.name for option in options if option.kind is inspect.Parameter.KEYWORD_ONLY]
    assert names == ["wrt", "of", "seed", "also", "guided", "switch"]
    assert [name for name in names if f"| `{name}=" not in read("docs/gradients.md")] == []
    assert f"Opsets {gradient.OPSETS[0]} to {gradient.OPSETS[-1]}" in read("docs/gradients.md")


DATA_OPTIONS = {
    "audit": {"--json", "--co-occurrence", "--findings", "--only-present", "--workers"},
    "split": {"-o", "--out", "--shares", "--seed", "--divide", "--only-with-findings", "--findings", "--only-present"},
    "preview": {"-o", "--out", "--config", "--level", "--images", "--variants", "--seed", "--findings"},
    "unpack": {"-o", "--out"},
}


def test_the_verbs_for_data_sets_are_documented() -> None:
    text = read("docs/data.md")
    verbs = typer.main.get_command(app).commands["data"].commands  # type: ignore[attr-defined]
    options = {
        name: {option for parameter in verb.params for option in parameter.opts if option[0] == "-"}
        for name, verb in verbs.items()
    }
    assert options == DATA_OPTIONS
    for name, expected in options.items():
        part = text[text.index(f"    sitegen data {name} ") :].split("\n## ")[0]
        assert [option for option in expected if f"`{option}" not in part] == [], name


def test_the_audit_of_data_sets_is_documented() -> None:
    text = read("docs/data.md")
    records = [Record(Path(name), "a", {"Mass": 1.0}, name, age=414.0) for name in ("here", "there", "here")]
    report = audit([*records, Record(resources.default_bundle() / "golden.png", "a", {})] * 2, workers=1)
    groups = {"here", "there", "not said", "a", "Mass"}
    assert report["problems"]["duplicates"]
    assert {key for key in keys_of(report) if f"`{key}`" not in text} - groups == {"schema"}
    assert f"`{report['schema']}`" in text


def test_the_columns_of_tables_are_documented() -> None:
    text = read("docs/data.md")
    assert [name for names in KNOWN_COLUMNS.values() for name in names if f"`{name}`" not in text] == []
    assert [style.__name__ for style in get_args(LabelStyle) if f"| `{style.__name__}` |" not in text] == []
    assert [name for name in PRESETS if f'"{name}"' not in text] == []


def test_documented_tolerances_are_the_ones_that_are_checked() -> None:
    text = read("docs/verify.md")
    assert (Tolerance(1e-5, 1e-6), Tolerance(2.5e-4, 1e-3)) == (WASM, WEBGPU)
    assert "| probabilities | within 1e-5 |" in text
    assert "| gate scores | within 1e-6 |" in text
    assert len(BORDERS) + 1 == 10
    assert "ten counts" in text


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", document.read_text("utf-8"))
    local = [target for target in targets if "://" not in target]
    assert [target for target in local if not (document.parent / target).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_nothing_was_left_to_fill_in(document: Path) -> None:
    assert not re.search(r"\{\{|TODO|FIXME|XXX", document.read_text("utf-8"))


def test_the_map_of_the_code_is_the_code() -> None:
    text = read("README.md")
    named = text[text.index("## Map of the code") : text.index("Dependencies point one way")]
    packages = {path.parent.name for path in (ROOT / "sitegen").glob("*/__init__.py")}
    assert packages == {
        "anomaly", "browser", "bundle", "cli", "data", "evaluation", "export", "gradient", "importing", "networks",
        "prediction", "project", "recipe", "site", "training",
    }  # fmt: skip
    assert [package for package in packages if f"{package}/" not in named] == []


def test_the_documented_policy_is_the_one_that_is_built() -> None:
    text = " ".join(read("docs/site.md").split())
    policy = re.sub(r"'sha256-[^']+'", "'sha256-…'", index_policy("script", "style"))
    assert policy in text


def test_documented_messages_are_the_pages_own() -> None:
    pages = "".join(path.read_text("utf-8") for path in sorted(resources.templates().rglob("*.[jh]*")))
    rows = re.findall(r"^\| (?!message|-)(.+?) \|", read("docs/site.md"), re.MULTILINE)
    assert len(rows) == 5
    for row in rows:
        assert re.sub(r"The file assets/… is (missing|damaged)", "The file ${file} is ${problem}", row) in pages


def test_every_figure_is_documented() -> None:
    text = read("docs/metrics.md")
    functions = [name for name in metrics.__all__ if inspect.isfunction(getattr(metrics, name))]
    assert len(functions) > 20
    helpers = {"examples", "known_targets", "mean_over_findings"}
    assert [name for name in functions if f"`{name}`" not in text] == sorted(helpers)


def test_every_calibration_is_documented() -> None:
    text = read("docs/bundle.md")
    assert [method for method in get_args(Method) if f'| `"{method}"` |' not in text] == []
    assert [name for names in NUMBERS.values() for name in names if f"`{name}`" not in text] == []
    assert f"within {TABLE_TOLERANCE:.0e} of".replace("e-0", "e-") in text
    tolerances = {f"{value:.0e}" for value in CALIBRATION_TOLERANCE.values()}
    assert tolerances == {"1e-12", "1e-09"}
    assert "within 1e-12 where interpolated, 1e-9 of temperature and Platt scaling" in read("docs/verify.md")
