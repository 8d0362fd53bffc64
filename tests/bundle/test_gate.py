"""What a bundle says of its gate: what loads, what the runtime reads of it, and what every mistake is told as."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from sitegen.bundle import Bundle, Description, GateSettings, load_bundle, write_description
from sitegen.errors import BundleError
from sitegen_runtime.bundle.gate import Gate, Quantiles, ScoreLimit, read_gate
from tests.helpers.browser.gate_bundle import make_gate_bundle

Change = Callable[[dict[str, Any]], Any]


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A bundle whose gate has scores of both stages, and a table."""
    return make_gate_bundle(tmp_path_factory.mktemp("whole") / "gate-model")


@pytest.fixture
def folder(whole: Bundle, tmp_path: Path) -> Path:
    """A copy of it, to break."""
    return Path(shutil.copytree(whole.folder, tmp_path / "bundle"))


def complaint(folder: Path, change: Change) -> str:
    """Change the fields of `bundle.json`, and return what is said of them."""
    path = folder / "bundle.json"
    fields = json.loads(path.read_text("utf-8"))
    change(fields)
    path.write_text(json.dumps(fields), encoding="utf-8")
    with pytest.raises(BundleError) as caught:
        load_bundle(folder)
    return str(caught.value)


def test_the_runtime_reads_what_the_bundle_says(whole: Bundle) -> None:
    gate = whole.model.gate
    assert gate is not None
    assert (gate.metric, gate.threshold) == ("ssim", 0.8)
    assert gate.scores[0] == ScoreLimit("turned", 0.05, "unlike")
    assert gate.scores[2] == ScoreLimit("ssim-gaussian", -0.9, "alike")
    assert gate.quantiles is not None
    assert (gate.quantiles.of, gate.quantiles.levels) == ("validation", (0.0, 0.05, 0.5, 1.0))
    assert gate.quantiles.values["mahalanobis"] == (0.0, 0.5, 1.0, 4.0)
    assert (gate.combination, gate.vim_alpha) == (None, None)
    assert whole.model.graphs["features"].vectors[0].shape == (1, 2)


def test_every_key_is_read() -> None:
    fields = {
        "metric": "ssim",
        "threshold": 0.5,
        "scores": [{"metric": "combined", "threshold": 0.75, "higher": "unlike"}],
        "quantiles": {"levels": [0, 1], "values": {"ssim": [0, 1], "vim": [-1, 1]}},
        "combination": {"weights": {"ssim": 1.0, "vim": 2.0}, "intercept": -0.5},
        "vim_alpha": 3.0,
    }
    settings = GateSettings.model_validate(fields)
    gate = read_gate(settings.model_dump())
    assert gate.quantiles == Quantiles("validation", (0, 1), {"ssim": (0, 1), "vim": (-1, 1)})
    assert gate.combination is not None
    assert (gate.combination.weights, gate.combination.intercept) == ({"ssim": 1.0, "vim": 2.0}, -0.5)
    assert gate.vim_alpha == 3.0
    assert settings.measured == ("ssim", "vim")


@pytest.mark.parametrize(
    "fields",
    [
        {"metric": "ssim", "threshold": 0.5},
        {"metric": "ssim", "threshold": 0.5, "share": 0.95, "scores": [], "quantiles": None, "combination": None},
    ],
)
def test_a_gate_of_the_ssim_alone_needs_no_more_keys(fields: dict[str, Any]) -> None:
    assert read_gate(fields) == Gate("ssim", 0.5)
    assert read_gate(GateSettings.model_validate(fields).model_dump()) == Gate("ssim", 0.5)


def test_round_trip(whole: Bundle, tmp_path: Path) -> None:
    write_description(tmp_path, whole.description)
    written = (tmp_path / "bundle.json").read_bytes()
    assert Description.model_validate_json(written) == whole.description


def score(metric: str, higher: str = "unlike") -> dict[str, Any]:
    return {"metric": metric, "threshold": 0.5, "higher": higher}


def add(metric: str, **keys: Any) -> Change:
    """Add a score, and other keys of the gate."""

    def change(fields: dict[str, Any]) -> None:
        fields["gate"]["scores"].append(score(metric))
        fields["gate"].update(keys)

    return change


def weigh(**weights: float) -> dict[str, Any]:
    return {"weights": weights, "intercept": 0.0}


def drop_output(role: str, output: str) -> Change:
    def change(fields: dict[str, Any]) -> None:
        outputs = fields["graphs"][role]["outputs"]
        fields["graphs"][role]["outputs"] = [entry for entry in outputs if entry["role"] != output]

    return change


def rename_output(role: str, output: str) -> Change:
    return lambda fields: next(entry for entry in fields["graphs"][role]["outputs"] if entry["role"] == output).update(
        role="other"
    )


def table(fields: dict[str, Any]) -> dict[str, Any]:
    return fields["gate"]["quantiles"]


def features_input(fields: dict[str, Any]) -> dict[str, Any]:
    return fields["graphs"]["features"]["inputs"][0]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (add("sharpness"), "gate.scores.6.metric: Input should be"),
        (add("ssim"), "gate.scores.6: Value error, the SSIM has its threshold in gate.threshold"),
        (add("energy"), "gate: Value error, scores repeat: ['energy']"),
        (lambda fields: fields["gate"]["scores"][1].update(higher="alike"), "higher of 'l1' is 'unlike', not 'alike'"),
        (lambda fields: fields["gate"]["scores"][1].update(threshold=float("nan")), "gate.scores.1.threshold"),
        (lambda fields: fields["gate"]["scores"][1].pop("higher"), "gate.scores.1.higher: Field required"),
        (add("combined"), "scores list 'combined', but combination is missing"),
        (add("vim"), "the score 'vim' is used, but vim_alpha is missing"),
        (add("vim", vim_alpha=0), "gate.vim_alpha"),
        (
            add("vim", vim_alpha=1.0),
            "gate uses the score 'vim', which needs an output of graphs.features with the role 'residual'",
        ),
        (
            add("combined", combination=weigh(ssim=1.0, l2=1.0)),
            "combination.weights need quantiles.values of the same metrics; missing are ['l2']",
        ),
        (add("combined", combination=weigh(combined=1.0)), "weights cannot hold 'combined' itself"),
        (add("combined", combination=weigh()), "gate.combination.weights"),
        (add("combined", combination=weigh(sharpness=1.0)), "gate.combination.weights.sharpness"),
        (
            lambda fields: table(fields).update(levels=[0, 0.5, 0.05, 1]),
            "gate.quantiles: Value error, levels must rise",
        ),
        (lambda fields: table(fields).update(levels=[0.1, 0.2, 0.5, 1]), "levels must rise from 0 to 1"),
        (lambda fields: table(fields).update(levels=[0, 0.5, 0.5, 1]), "levels must rise from 0 to 1"),
        (lambda fields: table(fields).update(levels=[0]), "gate.quantiles.levels"),
        (lambda fields: table(fields)["values"]["ssim"].pop(), "values of 'ssim' are 3, and there are 4 levels"),
        (lambda fields: table(fields)["values"].update(l1=[0, 2, 1, 3]), "values of 'l1' must rise with the levels"),
        (lambda fields: table(fields)["values"].update(sharpness=[0, 1, 2, 3]), "gate.quantiles.values.sharpness"),
        (lambda fields: table(fields)["values"].update(l1=[0, 1, 2, float("inf")]), "gate.quantiles.values.l1.3"),
        (rename_output("gate", "latent"), "'latent', which needs an output of graphs.gate with the role 'latent'"),
        (
            rename_output("classifier", "features"),
            "'mahalanobis', which needs an output of graphs.classifier with the role 'features'",
        ),
        (
            rename_output("features", "whitened"),
            "'mahalanobis', which needs an output of graphs.features with the role 'whitened'",
        ),
        (lambda fields: fields["graphs"].pop("features"), "the score 'mahalanobis', which needs graphs.features"),
        (
            lambda fields: features_input(fields).update(name="pooled"),
            "graphs.features must have one input, 'features', which is no image",
        ),
        (
            lambda fields: features_input(fields).update(colour="grey", shape=[1, 1, 2, 2]),
            "graphs.features must have one input, 'features', which is no image",
        ),
        (
            lambda fields: features_input(fields).update(shape=[1, 3]),
            "graphs.features takes the shape [1, 3], but graphs.classifier gives [1, 2]",
        ),
        (
            lambda fields: fields["graphs"]["gate"]["outputs"][1].update(shape=[1, 4, 4]),
            "graphs.gate: the shape of the output 'latent' must be [1, length], not [1, 4, 4]",
        ),
        (
            lambda fields: fields["graphs"]["classifier"]["outputs"][1].update(shape=None),
            "graphs.classifier: the shape of the output 'features' must be [1, length], not None",
        ),
        (
            lambda fields: fields["graphs"]["gate"]["outputs"][1].update(shape=[1, 15]),
            "graphs.gate: output 'latent' has the shape [1, 16] in gate.onnx, not [1, 15]",
        ),
    ],
)
def test_a_wrong_gate(folder: Path, change: Change, named: str) -> None:
    assert named in complaint(folder, change)


@pytest.mark.parametrize(("role", "output"), [("gate", "latent"), ("features", "whitened")])
def test_what_no_score_needs_may_be_missing(folder: Path, role: str, output: str) -> None:
    path = folder / "bundle.json"
    fields = json.loads(path.read_text("utf-8"))
    fields["gate"] = {"metric": "ssim", "threshold": 0.5}
    if role == "features":
        del fields["graphs"]["features"]
    else:
        drop_output(role, output)(fields)
    path.write_text(json.dumps(fields), encoding="utf-8")
    assert load_bundle(folder).model.gate == Gate("ssim", 0.5)


def test_a_combination_that_no_score_uses_needs_no_graph(whole: Bundle) -> None:
    values = {"ssim": [0, 0.5, 0.7, 1], "vim": [0, 1, 2, 3]}
    fields = {
        "metric": "ssim",
        "threshold": 0.5,
        "quantiles": {"levels": [0, 0.1, 0.5, 1], "values": values},
        "combination": weigh(ssim=1.0, vim=1.0),
    }
    assert GateSettings.model_validate(fields).measured == ("ssim",)
    used = fields | {"scores": [score("combined")]}
    with pytest.raises(ValidationError, match="'vim' is used, but vim_alpha is missing"):
        GateSettings.model_validate(used)
