"""Every key, field, code and number that is public is documented."""

import inspect
import json
import re
from dataclasses import fields
from fractions import Fraction
from pathlib import Path
from typing import Any, get_args

import pytest

from sitegen import gradient, metrics, resources
from sitegen.browser.parity import CALIBRATION_TOLERANCE
from sitegen.bundle import (
    Bundle,
    Combination,
    Description,
    Expects,
    GateScore,
    GateSettings,
    Golden,
    GraphInput,
    GraphOutput,
    Label,
    Licence,
    Quantiles,
)
from sitegen.bundle.calibration import NUMBERS
from sitegen.calibration.fit import TABLE_TOLERANCE
from sitegen.data.audit.audit import audit
from sitegen.data.audit.shortcuts.measures import FAMILIES
from sitegen.data.audit.shortcuts.verdict import CHANCE
from sitegen.data.layouts.label_styles import LabelStyle
from sitegen.data.layouts.tables import KNOWN_COLUMNS
from sitegen.data.records import Record
from sitegen.data.splits import PRESETS
from sitegen.gate.training.presets import (
    GATE_PRESETS,
    AdversarialSettings,
    GateRecipe,
    PointSettings,
    VariationalSettings,
)
from sitegen.networks.reconstruction import ReconstructionSettings
from sitegen.networks.stylegan2.settings import SHAPES, GeneratorShape
from sitegen.prediction import Predictor
from sitegen.settings.audit import LIMIT, TOGETHER, AuditSettings
from sitegen.settings.data import DataSettings, PartSettings
from sitegen.settings.recipe import EvaluationSettings, ExportSettings, GatePlan, ImageSettings
from sitegen.training.adaptive.parts import GROUPS, PARTS
from sitegen.training.generator.settings import PRESETS as GENERATOR_PRESETS
from sitegen.training.generator.settings import (
    AugmentationSettings,
    GeneratorFile,
    ImagesSettings,
    SnapshotSettings,
    TrainingSettings,
)
from sitegen.training.presets import PRESETS as TRAINING_PRESETS
from sitegen.training.presets import Recipe
from sitegen_runtime import errors
from sitegen_runtime.bundle.expects import Expects as ExpectedCodes
from sitegen_runtime.formats.cells import Acquisition
from sitegen_runtime.formats.dicom.elements import IN_TABLES, WANTED
from sitegen_runtime.gate.checks import LARGEST_ASPECT, LARGEST_COLOUR, SMALLEST_CONTRAST
from sitegen_runtime.gate.header_checks import LARGEST_STRETCH, header_checks
from sitegen_runtime.gate.variants import SMALLEST_GAIN
from sitegen_runtime.maps.arithmetic import COPIES, NOISE, STEPS
from sitegen_runtime.maps.colour_maps import COLOUR_MAPS
from sitegen_runtime.maps.heat_map import CELL, FINE_BLUR, Look
from sitegen_runtime.maps.methods import METHODS
from tests.helpers.bundles import make_bundle
from tests.helpers.documents import read
from tests.helpers.json_keys import keys_of


@pytest.mark.parametrize(
    "part",
    [
        Description,
        Expects,
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
    assert len(codes) == 16
    assert [code for code in codes if f"`{code}`" not in text] == []


def test_every_check_of_the_gate_is_documented() -> None:
    result = read("docs/result.md")
    assert (LARGEST_COLOUR, SMALLEST_CONTRAST, LARGEST_ASPECT, SMALLEST_GAIN) == (0.03, 0.02, 3, 0.05)
    assert all(limit in result for limit in ("more than 3 %", "below 2 %", "more than 3 times", "at least 0.05"))


def test_every_check_of_a_header_is_documented() -> None:
    odd = Acquisition("CT", "HAND", "LL", "MR", unprocessed=True, frames=3, aspect=Fraction(2))
    checks = [check.check for check in header_checks(odd, ExpectedCodes())]
    assert ["check", *checks] == re.findall(r"^\| `([a-z-]+)` \|", _part("docs/dicom.md", "checks"), re.MULTILINE)
    assert ", ".join(f"`{check}`" for check in checks) in read("docs/result.md")
    assert Fraction(1, 100) == LARGEST_STRETCH
    for codes in (ExpectedCodes().modalities, ExpectedCodes().body_parts, ExpectedCodes().views):
        assert ", ".join(codes) in _part("docs/dicom.md", "checks")
        assert json.dumps(codes) in _part("docs/bundle.md", "expects")


def test_every_element_of_dicom_that_is_read_is_documented() -> None:
    rows = [row for row in _part("docs/dicom.md", "elements").splitlines()[2:] if row.startswith("| ")]
    named = {name for row in rows for name in re.findall(r"\b[A-Z][A-Za-z]+\b", row.split("|")[2])}
    beside = {"TransferSyntaxUID", "PixelData", "ModalityLUTSequence", "VOILUTSequence"}
    assert named == {*WANTED.values(), *IN_TABLES.values(), *beside}


def _part(document: str, name: str) -> str:
    """What a document has between the marks of a name."""
    return read(document).split(f"<!-- {name}: begin -->")[1].split(f"<!-- {name}: end -->")[0].strip()


@pytest.mark.parametrize(
    "part", [DataSettings, PartSettings, AuditSettings, ImageSettings, EvaluationSettings, ExportSettings]
)
def test_every_key_of_a_recipe_is_documented(part: Any) -> None:
    assert [each.name for each in fields(part) if f"`{each.name}`" not in read("docs/recipe.md")] == []


def test_every_key_of_a_gate_is_documented() -> None:
    text = read("docs/gate.md")
    settings = (GatePlan, GateRecipe, ReconstructionSettings, PointSettings, VariationalSettings, AdversarialSettings)
    keys = {each.name for part in settings for each in fields(part)} - {"name", "channels", "kind"}
    assert [key for key in sorted(keys) if key not in text] == []
    assert [name for name in GATE_PRESETS if not name.startswith("chester-") and f"`{name}`" not in text] == []


def test_every_key_of_a_generator_is_documented() -> None:
    text = read("docs/generator.md")
    kinds = (GeneratorFile, ImagesSettings, GeneratorShape, TrainingSettings, AugmentationSettings, SnapshotSettings)
    keys = {each.name for kind in kinds for each in fields(kind)} - {"folder"}
    assert [key for key in sorted(keys) if f"`{key}`" not in text and f"[{key}]" not in text] == []
    names = {*GENERATOR_PRESETS, *SHAPES, *GROUPS, *PARTS}
    assert [name for name in sorted(names) if f"`{name}`" not in text] == []


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


def test_the_audit_of_data_sets_is_documented() -> None:
    text = read("docs/data.md")
    records = [Record(Path(name), "a", {"Mass": 1.0}, name, age=414.0) for name in ("here", "there", "here")]
    report = audit([*records, Record(resources.default_bundle() / "golden.png", "a", {})] * 2, workers=1)
    groups = {"here", "there", "not said", "a", "Mass"}
    assert report["problems"]["duplicates"]
    assert {key for key in keys_of(report) if f"`{key}`" not in text} - groups == set()
    assert f"`{report['schema']}`" in text


def test_families_of_the_shortcut_audit_and_its_limits_are_documented() -> None:
    text = read("docs/data.md")
    part = text[text.index("### Shortcuts") : text.index("### The report")]
    rows = [
        cell.strip() for row in re.findall(r"^\| ([^|]+) \|", part, re.MULTILINE) for cell in re.split("[,;] ", row)
    ]
    assert [family for family in FAMILIES if not set(family.split(", ")) <= set(rows)] == []
    assert (LIMIT, TOGETHER) == (0.65, 0.75)
    assert "is above 0.65, all measures together above 0.75" in part
    assert CHANCE == (0.45, 0.55)
    assert "outside of 0.45 to 0.55" in part


def test_the_columns_of_tables_are_documented() -> None:
    text = read("docs/data.md")
    assert [name for names in KNOWN_COLUMNS.values() for name in names if f"`{name}`" not in text] == []
    assert [style.__name__ for style in get_args(LabelStyle) if f"| `{style.__name__}` |" not in text] == []
    assert [name for name in PRESETS if f'"{name}"' not in text] == []


def test_every_figure_is_documented() -> None:
    text = read("docs/metrics.md")
    functions = [name for name in metrics.__all__ if inspect.isfunction(getattr(metrics, name))]
    assert len(functions) > 20
    helpers = {"examples", "known_targets", "mean_over_findings"}
    assert [name for name in functions if f"`{name}`" not in text] == sorted(helpers)


def test_every_number_of_a_calibration_is_documented() -> None:
    text = read("docs/bundle.md")
    assert [name for name in NUMBERS if f"`{name}`" not in text] == []
    assert f"within {TABLE_TOLERANCE:.0e} of".replace("e-0", "e-") in text
    tolerances = {f"{value:.0e}" for value in CALIBRATION_TOLERANCE.values()}
    assert tolerances == {"1e-12", "1e-09"}
    assert "within 1e-12 where interpolated, 1e-9 of temperature and Platt scaling" in read("docs/verify.md")
