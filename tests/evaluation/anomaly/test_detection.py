"""`sitegen evaluate anomaly`: AUROC of sets, its resamples, its tests, and what cannot be measured."""

import csv
import json
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from typer.testing import CliRunner, Result

from sitegen.cli.evaluate import evaluate
from sitegen.errors import DataError, SettingsError, SitegenError
from sitegen.evaluation.anomaly.detection import Detection, detect, subsamples
from sitegen.evaluation.anomaly.document_types import AnomalyDocument
from sitegen.evaluation.anomaly.page import as_html
from tests.helpers.typed_documents import hold

RNG = np.random.default_rng(5)
BASELINE, NEEDLES, FLUID = RNG.normal(0, 1, 60), RNG.normal(1.5, 1, 25), RNG.normal(0.3, 1, 60)


def write(path: Path, **columns: object) -> Path:
    values = {name: list(column) for name, column in columns.items()}  # type: ignore[call-overload]
    rows = zip(*values.values(), strict=True)
    lines = [",".join(["image", *values]), *(",".join([f"i{at}", *map(str, row)]) for at, row in enumerate(rows))]
    path.write_text("\n".join(lines) + "\n")
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(evaluate, ["anomaly", *map(str, arguments)])


@pytest.fixture
def place(tmp_path: Path) -> Path:
    rng = np.random.default_rng(6)
    for name, values in (("baseline", BASELINE), ("needles", NEEDLES), ("fluid", FLUID)):
        write(tmp_path / f"{name}.csv", mse=values, ssim=-values, patch_mse=rng.permutation(values))
    return tmp_path


def asked(place: Path, **more: object) -> Detection:
    return Detection(place / "baseline.csv", [place / "needles.csv", place / "fluid.csv"], **more)  # type: ignore[arg-type]


def test_figures_of_sets_and_distances(place: Path) -> None:
    found = detect(asked(place, resamples=200, against="mse", permutations=200))
    document = found.document
    hold(AnomalyDocument, [document])
    first, second = document["detected"][:2]
    assert (first["anomaly"], first["distance"], first["baseline_images"], first["anomaly_images"]) == (
        "needles",
        "mse",
        60,
        25,
    )
    truth = [0] * 60 + [1] * 25
    assert first["auroc"] is not None
    assert first["auroc"]["value"] == pytest.approx(roc_auc_score(truth, np.concatenate([BASELINE, NEEDLES])))
    assert first["auroc"]["low"] < first["auroc"]["value"] < first["auroc"]["high"]
    assert first["subsampled"] is not None
    assert (first["subsampled"]["draws"], first["subsampled"]["size"]) == (50, 25)
    assert second["subsampled"]["deviation"] == pytest.approx(0, abs=1e-12)
    assert "both sides have as many images" in second["note"]
    mean = document["means"][0]
    parts = [each["auroc"]["value"] for each in document["detected"] if each["distance"] == "mse"]
    assert mean["auroc"]["value"] == pytest.approx(np.mean(parts))
    assert mean["between_sets"] == pytest.approx(np.std(parts, ddof=1))
    alike = next(each for each in document["compared"] if each["distance"] == "ssim")
    assert (alike["difference"], alike["p"]) == (0, 1)  # the same order of images
    assert all(each["holm"] >= each["p"] for each in document["compared"])
    assert found.bootstrap["needles mse"].shape == (201,)


def test_the_bootstrap_draws_with_replacement_and_its_interval_covers() -> None:
    """Normal values, one apart: AUROC is known, and 95 % of intervals should hold it."""
    from scipy.stats import norm

    from sitegen.evaluation.gate.resampling import draws_by_patient, interval_of
    from sitegen.metrics.roc import auc_of_draws

    rng = np.random.default_rng(0)
    truth = norm.cdf(1 / np.sqrt(2))
    targets = np.arange(90) >= 50
    held = held_by_subsampling = 0
    for trial in range(300):
        scores = rng.normal(0, 1, 90) + targets
        draws = draws_by_patient([str(at) for at in range(90)], ["a"] * 50 + ["b"] * 40, 300, trial)
        assert draws.max() > 1
        interval = interval_of(auc_of_draws(scores, targets, draws))
        held += interval["low"] <= truth <= interval["high"]
        published = auc_of_draws(scores, targets, subsamples(targets, 50, trial))
        held_by_subsampling += abs(published.mean() - truth) <= 1.96 * published.std(ddof=1)
    assert 0.91 <= held / 300 <= 0.98
    assert 0.4 <= held_by_subsampling / 300 <= 0.6  # it says nothing of the smaller side


def test_the_verb_writes_all_it_is_asked_for(place: Path) -> None:
    files = {name: place / name for name in ("report.html", "all.json", "boot.csv", "sub.csv")}
    sets = ["--baseline", place / "baseline.csv", "--anomaly", place / "needles.csv", "--anomaly", place / "fluid.csv"]
    given = ["--json", files["all.json"], "--bootstrap-csv", files["boot.csv"], "--subsamples-csv", files["sub.csv"]]
    result = run(
        *sets, *given, "-o", files["report.html"], "--resamples", 30, "--against", "mse", "--permutations", 100
    )
    assert result.exit_code == 0, result.output
    document = json.loads(files["all.json"].read_text())
    assert files["report.html"].read_text() == as_html(document)
    HTMLParser().feed(as_html(document))
    assert "<script" not in as_html(document)
    with files["boot.csv"].open() as file:
        drawn = list(csv.DictReader(file))
    assert len(drawn) == 30
    needles = np.array([float(row["needles mse"]) for row in drawn])
    assert needles.mean() == pytest.approx(document["detected"][0]["bootstrap_mean"])
    assert needles.std(ddof=1) == pytest.approx(document["detected"][0]["bootstrap_deviation"])
    assert len(files["sub.csv"].read_text().splitlines()) == 51
    assert "needles" in result.output


def test_what_cannot_be_measured_is_empty_and_said(place: Path) -> None:
    write(place / "one.csv", mse=[3.0], ssim=[""], patch_mse=[""])
    write(place / "flat.csv", mse=[2.0, 2.0, 2.0], ssim=["", 0.5, 0.7], patch_mse=["", "", ""])
    found = detect(Detection(place / "flat.csv", [place / "one.csv", place / "needles.csv"], resamples=20)).document
    one = found["detected"][0]
    assert (one["anomaly"], one["auroc"], one["subsampled"]) == ("one", None, None)
    assert "one has 1 image(s) with this distance, and two are needed" in found["notes"][0]
    ssim = next(each for each in found["detected"] if each["distance"] == "ssim" and each["anomaly"] == "needles")
    assert ssim["baseline_images"] == 2
    write(place / "flat2.csv", mse=[2.0, 2.0], ssim=[1, 2], patch_mse=[1, 2])
    constant = detect(Detection(place / "flat.csv", [place / "flat2.csv"], ["mse"], resamples=20)).document
    assert constant["detected"][0]["auroc"]["value"] == 0.5
    assert constant["detected"][0]["note"] == "every distance is 2, so that it tells nothing"


def test_patients_are_drawn_whole(place: Path) -> None:
    lines = (place / "needles.csv").read_text().splitlines()
    for name, patients in (("same", ["p"] * 25), ("own", [f"p{at}" for at in range(25)])):
        rows = [f"{line},{patient}" for line, patient in zip(lines[1:], patients, strict=True)]
        (place / f"{name}.csv").write_text("\n".join([f"{lines[0]},patient", *rows]))
    found = detect(Detection(place / "baseline.csv", [place / "same.csv", place / "own.csv"], ["mse"], resamples=100))
    same, own = (float(each["bootstrap_deviation"] or 0) for each in found.document["detected"])
    assert 0 < same < own  # all images of one patient are in every draw


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("", DataError, "is empty"),
        ("image,mse\n", DataError, "has no rows"),
        ("image,mse\na,inf\n", DataError, "row 1 after the header: mse is 'inf'"),
        ("image,mse\na,\n", DataError, "has no distances"),
        ("image,other\na,1\n", DataError, "has no distances"),
        ("image,body_mse\na,1\nb,2\n", DataError, "do not share any distance"),
    ],
)
def test_tables_that_cannot_be_used_are_named(place: Path, text: str, error: type[SitegenError], message: str) -> None:
    (place / "bad.csv").write_text(text)
    result = run("--baseline", place / "baseline.csv", "--anomaly", place / "bad.csv", "-o", place / "r.html")
    assert isinstance(result.exception, error)
    assert message in str(result.exception)
    assert result.exception.exit_code == 2


def test_two_tables_of_one_name_are_refused(place: Path) -> None:
    with pytest.raises(SettingsError, match="Several tables are called 'needles'"):
        detect(Detection(place / "baseline.csv", [place / "needles.csv"] * 2))
