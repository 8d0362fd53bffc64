"""`sitegen evaluate gate`: bundles and trained gates on images that the tests draw."""

import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from typer.main import get_command
from typer.testing import CliRunner, Result

from sitegen.cli.evaluate import evaluate
from sitegen.data.audit.document_types import ProblemDocument
from sitegen.data.dataset import read_records
from sitegen.data.records import select
from sitegen.errors import CheckpointError, DataError, SettingsError, SitegenError
from sitegen.evaluation.gate.document_types import GateStudyDocument
from sitegen.evaluation.gate.page import as_html
from sitegen.evaluation.gate.study import model_names
from sitegen.prediction import Predictor
from sitegen.settings.recipe import read_recipe_file
from tests.helpers.bundles import make_bundle
from tests.helpers.gates import write_gate
from tests.helpers.json_keys import keys_of
from tests.helpers.outside_images import write_outside
from tests.helpers.radiographs import write_radiographs, write_recipe
from tests.helpers.typed_documents import all_keys, hold

ROOT = Path(__file__).parents[2]


class Page(HTMLParser):
    """The elements of a page in their order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, Any]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attributes)))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("evaluate-gate")
    write_radiographs(folder / "data", {"valid": 63, "test": 14}, side=48)
    write_recipe(folder / "recipe.json", folder / "data")
    write_outside(folder / "outside", ["test-63.png", "test-64.png"])
    make_bundle(folder / "bundle", labels=("Opacity", "Effusion"))
    write_gate(folder / "ae" / "gate.pt")
    write_gate(folder / "other.pt", seed=1)
    return folder


def run(
    place: Path,
    *arguments: Any,
    models: tuple[str, ...] = ("bundle", "ae/gate.pt"),
    fails: type[SitegenError] | None = None,
    code: int = 0,
) -> Result:
    named = [str(place / model) for model in models]
    fixed = ["--work", place / "work", "--resamples", 25, "--permutations", 100, "--workers", 1, "-o", place / "o.html"]
    data = [] if "--recipe" in arguments or "--data" in arguments else ["--data", place / "data"]
    outside = [] if "--outside" in arguments else ["--outside", place / "outside"]
    asked = ["gate", *named, *map(str, [*data, *outside, *fixed, *arguments])]
    result = CliRunner().invoke(evaluate, asked, env={"COLUMNS": "100"})
    if fails:
        assert isinstance(result.exception, fails), result.output
        assert result.exception.exit_code == 2
    else:
        assert result.exit_code == code, result.output + str(result.exception)
    return result


@pytest.fixture(scope="module")
def document(place: Path) -> Any:
    run(place, "--recipe", place / "recipe.json", "--json", place / "one.json")
    shutil.copy(place / "o.html", place / "one.html")
    return json.loads((place / "one.json").read_text("utf-8"))


def test_every_detector_is_there_in_order(document: Any) -> None:
    names = [each["name"] for each in document["detectors"]]
    of_bundle = ["gate", "ssim", "ssim-gaussian", "l1", "l2", "turned", "energy", "max-logit"]
    of_network = ["ssim", "ssim-gaussian", "l1", "l2", "latent", "turned"]
    assert names == [f"bundle {each}" for each in of_bundle] + [f"ae {each}" for each in of_network]
    assert [each["threshold_from"] for each in document["detectors"][:3]] == ["bundle", "bundle", "validation"]


def test_projections_stand_beside_gates(place: Path) -> None:
    """Distances that tell what is outside from what is inside without a mistake."""
    paths = [*(place / "data").rglob("*.png"), *(place / "outside").rglob("*.png")]
    rows = [f"{path.with_suffix('').relative_to(place).as_posix()},{int('outside' in path.parts)}" for path in paths]
    (place / "projected").mkdir()
    table = place / "projected" / "distances.csv"
    table.write_text("\n".join(["image,mse", *rows]) + "\n", "utf-8")
    run(place, "--projections", table, "--json", place / "two.json", models=("bundle",))
    found = json.loads((place / "two.json").read_text("utf-8"))["detectors"][-1]
    assert found["name"] == "projected mse" and found["threshold_from"] == "validation"
    assert found["far"]["auroc"]["value"] == 1.0
    table.write_text("image,mse\nnobody,1\n", "utf-8")
    run(place, "--projections", table, models=("bundle",), fails=DataError)


def test_originals_are_left_out_and_the_half_is_kept(document: Any, place: Path) -> None:
    assert document["data"]["images"] == 12
    assert document["data"]["left_out"] == 2
    assert document["data"]["validation"] == 63
    assert document["data"]["half"] == "development"
    rows = [line.split(",") for line in (place / "outside" / "manifest.csv").read_text().splitlines()[1:]]
    assert document["data"]["outside_images"] == sum(row[2][0] in "01234567" for row in rows)


def test_figures_are_those_of_the_bundles_own_documents(document: Any, place: Path) -> None:
    """AUROC by scikit-learn, of scores that `sitegen predict` gives."""
    from sitegen.bundle import load_bundle

    predictor = Predictor(load_bundle(place / "bundle"))
    records = select(read_records(read_recipe_file(place / "recipe.json")), "test")[2:]
    rows = [line.split(",") for line in (place / "outside" / "manifest.csv").read_text().splitlines()[1:]]
    files = [place / "outside" / row[0] for row in rows if row[2][0] in "01234567" and row[1] == "noise"]
    documents = [predictor.predict(path, force=True) for path in [*(record.path for record in records), *files]]
    scores = np.array([-each["gate"]["score"] for each in documents])
    targets = np.arange(len(documents)) >= len(records)
    found = next(each for each in document["detectors"] if each["name"] == "bundle ssim")
    assert found["categories"]["noise"]["auroc"]["value"] == pytest.approx(roc_auc_score(targets, scores), abs=1e-12)
    accepted = np.mean([each["gate"]["accepted"] for each in documents[: len(records)]])
    decision = document["detectors"][0]
    assert decision["accepted"]["value"] == pytest.approx(accepted)
    refused = np.mean([not each["gate"]["accepted"] for each in documents[len(records) :]])
    assert decision["categories"]["noise"]["refused"]["value"] == pytest.approx(refused)


def test_stringency_is_measured_where_the_labels_are_known(document: Any) -> None:
    (found,) = document["stringency"]
    assert (found["model"], found["labels"]) == ("bundle", ["Opacity"])
    assert [curve["detector"] for curve in found["curves"]] == [each["name"] for each in document["detectors"]]
    assert all(curve["images"][0] == 12 and curve["retained"][0] == 1 for curve in found["curves"])
    assert len({curve["auc"][0] for curve in found["curves"]}) == 1


def test_every_key_is_documented(document: Any) -> None:
    text = (ROOT / "docs" / "gate-evaluation.md").read_text("utf-8")
    names = {each["category"] for each in document["categories"]} | {"one", "two"} | {"step", "loss", "note"}
    assert {key for key in keys_of(document) if f"`{key}`" not in text} - names == set()
    assert document["schema"] == "sitegen.gate-evaluation/1"
    assert f"`{document['schema']}`" in text


def test_the_document_is_as_its_type_says(document: Any) -> None:
    hold(GateStudyDocument, [document], all_keys(ProblemDocument))  # every image could be read


def test_every_option_is_documented() -> None:
    text = (ROOT / "docs" / "gate-evaluation.md").read_text("utf-8")
    verbs: Any = get_command(evaluate)
    command = verbs.commands["gate"]
    options = {option for parameter in command.params for option in parameter.opts if option.startswith("-")}
    assert len(options) == 17
    assert [option for option in options if f"`{option}" not in text] == []


def test_the_same_command_gives_the_same_bytes(document: Any, place: Path) -> None:
    run(place, "--recipe", place / "recipe.json", "--json", place / "two.json")
    assert (place / "two.json").read_bytes() == (place / "one.json").read_bytes()
    assert (place / "o.html").read_bytes() == (place / "one.html").read_bytes()


def test_the_report_loads_nothing_and_shows_no_image(document: Any, place: Path) -> None:
    html = (place / "one.html").read_text("utf-8")
    page = Page(html)
    tags = {tag for tag, _ in page.elements}
    assert not {"script", "img", "link", "iframe"} & tags
    assert "img-src" not in html
    assert "http" not in html.replace("http-equiv", "")
    references = [attributes["href"] for tag, attributes in page.elements if tag == "a"]
    identities = {attributes.get("id") for _, attributes in page.elements}
    assert all(reference.startswith("#") and reference[1:] in identities for reference in references)
    for told in ("out of distribution", "Not for diagnostic use", "2 more were left out", "Is one better"):
        assert told in page.text
    assert len([tag for tag, _ in page.elements if tag == "svg"]) == 2 + 14 + 1 + 2  # forests, scores, loss, stringency


def test_texts_of_the_document_are_escaped(document: Any) -> None:
    html = as_html(json.loads(json.dumps(document).replace("noise", "<b>noise & {{ 7 * 7 }}")))
    assert "<b>" not in html
    assert "&lt;b&gt;noise &amp; {{ 7 * 7 }}" in html


def test_a_gallery_shows_images_and_says_so(place: Path) -> None:
    result = run(place, "--gallery", "--half", "all", models=("ae/gate.pt",))
    html = (place / "o.html").read_text("utf-8")
    assert "This file contains images of the data that was measured." in html
    assert "contains images of the data" in result.output
    assert "img-src data:" in html
    sources = [attributes for tag, attributes in Page(html).elements if tag == "img"]
    assert all(attributes["src"].startswith("data:image/jpeg;base64,/9j/") for attributes in sources)
    # By SSIM and by L2, of each set three alike and three unlike; the source "two" has four images.
    assert len(sources) == 2 * (6 + 4 + 4 * 6)
    assert {"ae, by SSIM", "ae, by L2"} <= set(re.findall(r"<h3>(.*?)</h3>", html))
    assert all("its reconstruction" in attributes["alt"] for attributes in sources)


def test_detectors_are_tested_against_the_named_one(place: Path) -> None:
    result = run(place, "--against", "ae l2", "--json", place / "against.json")
    document = json.loads((place / "against.json").read_text("utf-8"))
    assert {each["first"] for each in document["comparisons"]} == {"ae l2"}
    assert len(document["comparisons"]) == 2 * 13
    assert "ae l2 less" in re.sub(r"\s+", " ", result.output)


def test_damaged_images_are_left_out_for_all_and_named(place: Path, tmp_path: Path) -> None:
    outside = shutil.copytree(place / "outside", tmp_path / "outside")
    shutil.rmtree(outside / "stripes")
    (outside / "manifest.csv").unlink()
    (outside / "noise" / "0.png").write_bytes(b"no image")
    result = run(place, "--outside", outside, "--half", "all", "--json", place / "damaged.json")
    document = json.loads((place / "damaged.json").read_text("utf-8"))
    assert [each["file"] for each in document["unreadable"]] == [str(outside / "noise" / "0.png")]
    assert document["data"]["outside_images"] == 23
    assert "left out:" in result.stderr
    assert document["data"]["left_out"] == 0  # without a manifest nothing is known of originals


def test_few_validation_images_are_told(place: Path, tmp_path: Path) -> None:
    write_radiographs(tmp_path / "data", {"valid": 5, "test": 8}, side=48)
    result = run(place, "--data", tmp_path / "data", "--json", place / "few.json", models=("other.pt",))
    document = json.loads((place / "few.json").read_text("utf-8"))
    assert document["detectors"][0]["accepted"] is None
    assert document["stringency"] == []
    assert "other has scores without a threshold" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "models", "error"),
    [
        (["--half", "third"], ("ae/gate.pt",), SettingsError),
        (["--split", "holdout"], ("ae/gate.pt",), DataError),
        (["--outside", "nowhere"], ("ae/gate.pt",), DataError),
        (["--against", "ae vim"], ("ae/gate.pt",), DataError),
        ([], ("nowhere.pt",), SettingsError),
        ([], ("data",), SettingsError),
        ([], ("recipe.json",), CheckpointError),
        ([], ("ae/gate.pt", "ae/gate.pt"), SettingsError),
        (["-o", "nowhere/report.html"], ("ae/gate.pt",), DataError),
    ],
)
def test_wrong_use_is_exit_code_2(
    place: Path,
    arguments: tuple[str, ...],
    models: tuple[str, ...],
    error: type[SitegenError],
) -> None:
    run(place, *arguments, models=models, fails=error)


def test_models_and_outside_have_to_be_named() -> None:
    assert CliRunner().invoke(evaluate, ["gate", "--outside", "x", "-o", "y"]).exit_code == 2
    assert CliRunner().invoke(evaluate, ["gate", "model", "-o", "y"]).exit_code == 2


def test_names_are_short_and_tell_models_apart(tmp_path: Path) -> None:
    paths = [tmp_path / "ae" / "gate.pt", tmp_path / "ali" / "gate.pt", tmp_path / "vae.pt"]
    assert model_names(paths) == ["ae", "ali", "vae"]
    assert model_names([tmp_path / "a" / "x" / "gate.pt", tmp_path / "b" / "x" / "gate.pt"]) == ["a/x", "b/x"]
