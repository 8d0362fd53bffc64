"""Detectors with known answers; the study through the command, its document, its report, and what bad input gets."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from sitegen.bundle import Bundle
from sitegen.cli import app
from sitegen.errors import SitegenError
from sitegen.evaluation.adversarial.detectors import SIMPLE, features, fitted_scores
from sitegen.evaluation.adversarial.document import adversarial_figures, holds
from sitegen.evaluation.adversarial.document_types import AdversarialDocument
from sitegen.evaluation.adversarial.page import as_html, verdict
from sitegen.evaluation.adversarial.trial import Plan, Trial
from sitegen.metrics.resampling import Resampling
from sitegen.metrics.roc import auc
from sitegen.phantom import write_phantom
from tests.helpers.typed_documents import hold


def test_what_detectors_read() -> None:
    given = np.array([[1.0, -4.0], [3.0, -4.0]])
    assert SIMPLE["effect-spread"](given) == 0.5
    assert SIMPLE["effect-size"](given) == 3.0
    assert features(given).tolist() == pytest.approx([2.0, -4.0, 0.0, np.log(1e-6)], abs=1e-5)


def test_the_fitted_detector_finds_what_is_there_and_nothing_where_nothing_is() -> None:
    rng = np.random.default_rng(0)
    clean, patients = rng.normal(size=(60, 4)), [f"patient {at // 2}" for at in range(60)]
    moved = clean + np.array([3, 0, 0, 0])
    targets = np.repeat([0, 1], 60)
    assert auc(np.concatenate(fitted_scores(clean, moved, moved, patients, 0) or ()), targets) > 0.97
    # Each patient's two images are alike and of one kind each: a fit that had seen the patient would tell them.
    own = np.repeat(rng.normal(size=(30, 40)), 2, axis=0)
    other = np.repeat(rng.normal(size=(30, 40)), 2, axis=0)
    assert auc(np.concatenate(fitted_scores(own, other, other, patients, 0) or ()), targets) < 0.75
    assert fitted_scores(clean, moved, moved, ["one"] * 60, 0) is None


def tried(attacked: float, count: int = 12) -> list[list[Trial]]:
    """Trials whose effects spread by 1 where clean, by `attacked` where not, and by 1 under the adaptive attack."""
    made = []
    for seed in range(count):
        drawn = np.random.default_rng(seed).normal(size=(16, 2))
        made.append(
            [
                Trial(
                    attack,
                    strength,
                    [0.5, -1.0],
                    spread * drawn,
                    (1.0, 2.0),
                    attack != "none",
                    {"max-logit": -0.5},
                    None,
                )
                for attack, strength, spread in [("none", 0.0, 1.0), ("pgd", 0.3, attacked), ("adaptive", 0.3, 1.0)]
            ]
        )
    return made


def test_figures_of_known_scores() -> None:
    plan = Plan(("pgd", "adaptive"), (0.3,), masks=16)
    document: dict[str, Any] = dict(
        adversarial_figures(tried(9.0), [str(at) for at in range(12)], plan, Resampling(resamples=50))
    )
    found = {
        each["name"]: {part["attack"]: part["auroc"] for part in each["attacks"]} for each in document["detectors"]
    }
    assert found["effect-spread"]["pgd"] == {"value": 1.0, "low": 1.0, "high": 1.0}
    assert found["effect-spread"]["adaptive"]["value"] == 0.5
    assert found["max-logit"]["pgd"]["value"] == 0.5
    assert [each["changed"]["value"] for each in document["conditions"]] == [0.0, 1.0, 1.0]
    assert [each["loss"]["value"] for each in document["conditions"]] == [2.0, 2.0, 2.0]
    assert document["conditions"][0]["refused"] is None
    assert document["holds"] is False
    assert "no ground for a warning" in verdict(document)


def test_when_a_detector_holds() -> None:
    def detector(kind: str, *lows: float) -> Any:
        areas = [{"value": 0.95, "low": low, "high": 1.0} for low in lows]
        return {
            "name": kind,
            "kind": kind,
            "attacks": [{"attack": "adaptive", "strength": 0.1, "auroc": each} for each in areas],
        }

    assert holds([detector("effects", 0.9, 0.85)]) is True
    assert holds([detector("effects", 0.9, 0.7), detector("gate", 0.9, 0.9)]) is False
    assert holds([detector("effects")]) is None


@pytest.fixture(scope="module")
def made(gradient_bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("adversarial")
    for seed in range(4):
        write_phantom(folder / f"{seed}.png", seed, 96)
    (folder / "broken.png").write_bytes(b"nothing")
    done = CliRunner().invoke(app, [*arguments(folder, gradient_bundle), "--csv", str(folder / "a.csv")])
    assert done.exit_code == 0, done.output
    assert "broken.png" in done.output
    words = done.output.split()
    assert words[words.index("detector") :][:6] == ["detector", "fgsm", "bim", "pgd", "jsma", "adaptive"]
    assert "strength 0.01" in " ".join(words)
    return folder, json.loads((folder / "a.json").read_text("utf-8"))


def arguments(folder: Path, bundle: Bundle, **changed: str) -> list[str]:
    options = {"bundle": str(bundle.folder), "strengths": "0.2,0.01", "steps": "3", "masks": "4", "resamples": "20"}
    options |= {"out": str(folder / "a.html"), "json": str(folder / "a.json"), "workers": "1"} | changed
    return [
        "evaluate",
        "adversarial",
        str(folder),
        "--force",
        *(f"--{name}={value}" for name, value in options.items()),
    ]


def test_the_document_is_as_its_type_says(made: tuple[Path, dict[str, Any]]) -> None:
    _, document = made
    hold(AdversarialDocument, [document])
    assert (document["images"], len(document["unreadable"])) == (4, 1)
    assert len(document["conditions"]) == 1 + 5 * 2
    clean, *attacked = document["conditions"]
    assert clean["attack"] == "none"
    assert all(each["loss"]["value"] > clean["loss"]["value"] for each in attacked if each["attack"] != "adaptive")
    names = [each["name"] for each in document["detectors"]]
    assert names[:3] == ["effect-spread", "effect-size", "effects-fitted"]
    assert {"ssim", "max-logit", "energy"} <= set(names)


def test_the_table_has_a_row_for_each_image_and_attack(made: tuple[Path, dict[str, Any]]) -> None:
    folder, document = made
    rows = list(csv.DictReader((folder / "a.csv").read_text("utf-8").splitlines()))
    assert len(rows) == 4 * 11
    mean = np.mean([float(row["loss"]) for row in rows if row["attack"] == "bim" and row["strength"] == "0.2"])
    (bim,) = [each for each in document["conditions"] if (each["attack"], each["strength"]) == ("bim", 0.2)]
    assert mean == pytest.approx(bim["loss"]["value"])


def test_the_report_loads_nothing_and_escapes(made: tuple[Path, dict[str, Any]]) -> None:
    folder, document = made
    page = (folder / "a.html").read_text("utf-8")
    assert page == as_html(document)
    assert "default-src 'none'" in page and "<script" not in page
    assert page.count("<svg") == 10
    hostile = as_html({**document, "unreadable": [{"file": "<script>", "problem": "&"}]})
    assert "<script>" not in hostile


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"attacks": "fgsm,cw"}, "There is no attack 'cw'. There are 'fgsm', 'bim', 'pgd', 'jsma', 'adaptive'."),
        ({"attacks": ","}, "Name an attack"),
        ({"strengths": "2"}, "0 < ε ≤ 1"),
        ({"strengths": "much"}, "--strengths takes numbers"),
        ({"finding": "Hernia"}, "The model has no finding 'Hernia'."),
        ({"filling": "reconstruction"}, "choose of black, mean, blur"),
        ({"share": "1"}, "at most 0.5 of the image, not 1.0"),
        ({"split": "test"}, "the splits are: none"),
    ],
)
def test_what_there_is_not_is_wrong_use(
    made: tuple[Path, dict[str, Any]], gradient_bundle: Bundle, changed: dict[str, str], words: str
) -> None:
    done = CliRunner().invoke(app, arguments(made[0], gradient_bundle, **changed))
    assert isinstance(done.exception, SitegenError)
    assert done.exception.exit_code == 2
    assert words in str(done.exception)


def test_a_bundle_without_gradient_is_wrong_use(made: tuple[Path, dict[str, Any]], bundle: Bundle) -> None:
    done = CliRunner().invoke(app, arguments(made[0], bundle))
    assert isinstance(done.exception, SitegenError)
    assert done.exception.exit_code == 2
    assert "no network of the role 'gradient'" in str(done.exception)
