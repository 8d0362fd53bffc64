"""The page on how to read a result: every sentence against what its bundle knows, for every kind of bundle."""

import json
import re
from fractions import Fraction
from math import ceil
from pathlib import Path
from typing import Any

import pytest

from sitegen import resources
from sitegen.bundle import Bundle, load_bundle
from sitegen.site.help import help_text
from sitegen.site.options import SiteOptions
from tests.helpers.help_bundles import IMPORTED, METRICS, TRAINED, known, part, rate, related

NOBODY = "Nobody has measured this here: how often it is right is not known."


def text_of(*bundles: Bundle, options: SiteOptions | None = None) -> str:
    """The page in one line, without the backslashes that keep names as they are."""
    return " ".join(help_text(bundles, options).replace("\\", "").split())


def section(text: str, heading: str) -> str:
    """What stands between a heading and the next, in a page of one model."""
    return text[text.index(f"## {heading}") :].split(" ## ")[0]


@pytest.fixture
def measured(tmp_path: Path) -> Bundle:
    return known(tmp_path / "measured", {"metrics": METRICS, "provenance": TRAINED}, explained=True)


@pytest.fixture(scope="module")
def shipped() -> Bundle:
    return load_bundle(resources.default_bundle())


def test_the_headline_is_the_least_favourable_figure(measured: Bundle) -> None:
    assert (
        "At its worst it missed 20 of 100 images with *Pneumonia* (10 to 34; 40 test images of there), and flagged "
        "25 of 100 images without *Pneumonia* (20 to 30; 150 test images of here). It learned from the same "
        "collections: expect more mistakes on images from elsewhere. Where the images of its figures come from, seen "
        "from its training, is not recorded."
    ) in text_of(measured)


def test_a_row_for_every_collection_and_none_for_their_mixture(measured: Bundle) -> None:
    rows = [line for line in help_text([measured]).splitlines() if line.startswith("| test")]
    assert rows == [
        "| test images of here | 10 (2 to 20); 50 images | 25 (20 to 30); 150 images |",
        "| test images of there | 20 (10 to 34); 40 images | 4 (0 to 10); 50 images |",
    ]


def test_what_a_flag_is_worth_is_counted(measured: Bundle) -> None:
    # Of 100 with it 90 are found; of 900 without it a quarter is flagged.
    assert "Then it flags 315 people: 90 who have it, and 225 who do not. And it misses 10." in text_of(measured)


def test_where_the_operating_point_comes_from(measured: Bundle) -> None:
    said = section(text_of(measured), "What 50 % means")
    assert "the mark is at 50 %, where the model's own number is 0.25" in said
    assert "where it told 80 validation images, 30 of them with the finding, apart best" in said
    assert "50 % means: right on the border" in said


def test_how_often_the_gate_refuses(tmp_path: Path) -> None:
    gate = {"metric": "ssim", "threshold": 0.5, "share": 0.9}
    said = section(
        text_of(known(tmp_path, {"metrics": METRICS, "provenance": TRAINED, "gate": gate})), "What it refuses"
    )
    assert "of 100 validation images 90 or more pass" in said
    assert "Of 100 test images of there it refused 7 (0 to 10); 3 of 100 test images of here." in said


def test_no_metrics_no_figures(tmp_path: Path) -> None:
    text = text_of(known(tmp_path))
    assert f"Test model.** {NOBODY}" in text
    assert "of 100" not in text
    assert "**Anything.** Its description holds no figure" in text
    assert "How the gate was set is not told." in text
    assert "nobody has measured here" in section(text, "What it refuses")
    assert "How that was chosen: by whoever made the model; whether it is a good one nobody has measured here" in text
    assert "validation images" not in text


def test_an_imported_model_says_that_nobody_measured_it(tmp_path: Path) -> None:
    text = text_of(known(tmp_path, {"provenance": IMPORTED}, gate=False))
    assert NOBODY in text
    assert (
        "How that was chosen: with the model or in its import; whether it is a good one nobody has measured here"
        in text
    )
    assert "validation" not in text


def test_no_gate_is_said(tmp_path: Path) -> None:
    text = text_of(known(tmp_path, gate=False))
    assert "**This model has no gate.**" in text
    assert "Nothing checks what it shows" in text
    assert "Forced" not in text
    assert "What a refusal means" not in text
    assert "How many images of other kinds it lets pass" not in text


def test_a_borrowed_gate_is_not_the_models_own(tmp_path: Path) -> None:
    gate = {"metric": "ssim", "threshold": 0.5, "share": 0.9}
    made = IMPORTED | {"gate": {"name": "chest", "version": "0.3", "sha256": "0" * 64}}
    said = section(text_of(known(tmp_path, {"provenance": made, "gate": gate})), "What it refuses")
    assert "taken over from another model, *chest 0.3*" in said
    assert "How often it refuses images that are right for this model nobody has measured here." in said
    assert "90" not in said


@pytest.mark.parametrize(
    ("calibration", "fitted", "words"),
    [
        (None, True, "50 % is half of its scale, and no more"),
        (
            {"method": "platt", "slope": 1.0, "intercept": 0.0},
            True,
            "fitted on validation images (by the method *platt*)",
        ),
        (
            {"method": "platt", "slope": 1.0, "intercept": 0.0},
            False,
            "fitted (by the method *platt*). **On which images is not told",
        ),
    ],
)
def test_what_a_percentage_means(tmp_path: Path, calibration: Any, fitted: bool, words: str) -> None:
    label = {"name": "Pneumonia", "operating_point": 0.25, "calibration": calibration}
    text = text_of(known(tmp_path, {"labels": [label], "provenance": TRAINED if fitted else {}}))
    assert words in text
    assert "right on the border" not in text
    assert "the mark is at 25 %, where the model's own number is 0.25" in text


def test_labels_that_differ_are_told_apart(tmp_path: Path) -> None:
    labels = [
        {"name": name, "operating_point": 0.4, "calibration": {"method": method} if method else None}
        for name, method in (("Mass", "piecewise-linear"), ("Nodule", None))
    ]
    text = text_of(known(tmp_path, {"labels": labels}, labels=("Mass", "Nodule")))
    assert "For *Mass*: the bar shows the model's own number, stretched" in text
    assert "For *Nodule*: the bar shows the model's own number. **50 %" in text
    assert "| Mass | 50 % | 0.4 | by whoever" in text
    assert "| Nodule | 40 % | 0.4 | by whoever" in text


def test_a_point_that_could_not_be_chosen(tmp_path: Path) -> None:
    made = {"fitted": {"labels": {"Pneumonia": {"images": 80, "positives": 0}}}}
    label = {"name": "Pneumonia", "operating_point": 0.5}
    text = text_of(known(tmp_path, {"labels": [label], "provenance": made}))
    assert "at 0.5, because 0 of 80 validation images have it" in text


def test_findings_without_figures_are_named(tmp_path: Path) -> None:
    text = text_of(known(tmp_path, {"metrics": METRICS, "provenance": TRAINED}, labels=("Pneumonia", "Mass")))
    assert "**How well it finds *Mass*.** No row above is about that." in text
    assert "| Pneumonia | test images of here |" in text


def test_figures_of_strangers_and_of_untold_training(tmp_path: Path) -> None:
    made = TRAINED | {"data": {"images": {"train": {"here": 500}}}}
    text = text_of(known(tmp_path / "a", {"metrics": METRICS, "provenance": made}))
    assert "Of the collections below, it did not learn from there." in text
    assert "look at those rows first" in text
    untold = text_of(known(tmp_path / "b", {"metrics": METRICS}))
    assert "Whether it learned from the same collections is not told." in untold
    assert "It learned from the same" not in untold


def test_figures_in_another_form_are_not_guessed_at(tmp_path: Path) -> None:
    text = text_of(known(tmp_path, {"metrics": {"auc": 0.99, "test": {"findings": {"Pneumonia": {"auc": 0.98}}}}}))
    assert f"figures in a form that this page does not know. {NOBODY}" in text
    assert "0.99" not in text
    assert "0.98" not in text


def test_figures_of_training_images_do_not_count(tmp_path: Path) -> None:
    assert NOBODY in text_of(known(tmp_path, {"metrics": {"train": METRICS["test"]}}))


def test_a_class_that_is_missing_leaves_its_cell_open(tmp_path: Path) -> None:
    split = {"findings": {"Pneumonia": part(12, 0, None, rate(0.5, 0.25, 0.75))}}
    text = text_of(known(tmp_path, {"metrics": {"valid": split, "elsewhere": split}}))
    assert "At its worst it flagged 50 of 100 images without *Pneumonia* (25 to 75; 12 validation images)." in text
    assert "| validation images | not measured | 50 (25 to 75); 12 images |" in text
    assert "| elsewhere images | not measured |" in text
    assert "Where a row has fewer than 30 images, its range is hardly to be trusted." in text
    assert "What a flag is worth" not in text


def test_maps_are_those_that_the_model_can_give(tmp_path: Path, measured: Bundle) -> None:
    assert "**Guided Grad-CAM.**" in text_of(measured)
    assert "**Maps.**" in text_of(measured)
    without = text_of(known(tmp_path / "other"))
    assert "**Causal effect map.**" in without  # which needs no gradients
    assert "**Guided Grad-CAM.**" not in without


def test_several_models_each_have_their_section(tmp_path: Path, measured: Bundle) -> None:
    other = known(tmp_path / "other", {"name": "other", "title": "A *second* <b>"}, gate=False)
    text = help_text([measured, other])
    first, second = text[text.index("## Test model") :].split(r"## A \*second\* \<b\>")
    assert "(card.html)" in first
    assert "At its worst" not in second.split("## What happens")[0]
    assert "This model has no gate" in second
    assert "This model has no gate" not in first
    assert second.count("### What 50 % means") == 1
    assert text.count("## What a refusal means") == text.count("## What a map means") == 1
    assert "- Test model can show Saliency, CAM, " in text.replace("\\", "")
    assert r"- A \*second\* \<b\> can show Causal effect map" in text
    assert "(card.other.html)" in second
    assert "models of this folder bring along" in " ".join(text.split())


def test_what_is_said_of_images_and_whom_to_ask(tmp_path: Path, measured: Bundle) -> None:
    assert "`service_worker.js`" in text_of(measured)
    alone = text_of(measured, options=SiteOptions(service_worker=False, contact="Ask **radiology**."))
    assert "service_worker" not in alone
    assert "Ask **radiology**." in alone


def test_the_warning_comes_first(tmp_path: Path) -> None:
    lines = [line for line in help_text([known(tmp_path)]).splitlines() if line]
    assert lines[1].startswith("> **Not for diagnostic use.**")


def test_what_was_not_measured_is_said_first_and_rows_say_where_they_are_from(tmp_path: Path) -> None:
    metrics = related("Not measured: images from elsewhere.", "same-hospital")
    bundle = known(tmp_path, {"metrics": metrics, "provenance": TRAINED}, labels=("Pneumonia", "Mass"))
    text = text_of(bundle)
    begun = (
        "**Not measured: images from elsewhere.** The least favourable figure: AUC 0.660 (0.600–0.710) on there. "
        "At its worst it missed 20 of 100"
    )
    assert f"Test model.** {begun}" in text
    assert "| test images of Here X-rays, other patients |" in text
    assert "| test images of there, same hospital |" in text
    assert "- **Not measured: images from elsewhere.** Do not expect the rows above to hold there" in text
    assert "Of 147 test images without a finding, 61 had at least one finding at or above its operating point." in text
    assert "not recorded" not in text
    assert "same collections" not in text


def test_images_from_elsewhere_are_rows_to_look_at_first(tmp_path: Path) -> None:
    text = text_of(known(tmp_path, {"metrics": related("", "elsewhere"), "provenance": TRAINED}))
    assert "Test model.** The least favourable figure: AUC 0.660" in text
    assert "| test images of there, elsewhere |" in text
    assert "look at those first" in text
    assert "had at least one finding" not in text  # of one finding the rows say it


def test_weak_findings_are_named(tmp_path: Path) -> None:
    label = {"name": "Pneumonia", "operating_point": 0.5, "weak": "AUC 0.660 (0.600–0.710) on images from elsewhere"}
    text = text_of(known(tmp_path, {"labels": [label], "metrics": METRICS}))
    assert "*Pneumonia* (AUC 0.660 (0.600–0.710) on images from elsewhere). Do not rely on these." in text


def counts_of(fields: Any) -> set[int]:
    """All shares of a bundle's metrics and their complements, of 100, rounded up; and all counts."""
    if isinstance(fields, dict):
        return set().union(*(counts_of(each) for each in fields.values()))
    if isinstance(fields, int):
        return {fields}
    share = Fraction(str(fields)) if isinstance(fields, float) else Fraction(0)
    return {ceil(100 * (1 - share))} if 0 <= share <= 1 else set()


def measured_parts(metrics: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """The figures of each finding on each collection of which anything is known, and the finding."""
    return [
        (label, part)
        for name, split in metrics.items()
        if name != "headline"
        for label, finding in split["findings"].items()
        for part in (finding["by_source"] or {"": finding}).values()
        if part["sensitivity"] or part["specificity"]
    ]


def test_the_shipped_models_numbers_are_all_in_its_bundle(shipped: Bundle) -> None:
    fields = json.loads(shipped.description_bytes)
    text = help_text([shipped]).replace("\\", "")
    rows = [line for line in text.splitlines() if line.startswith("| ") and "images of" in line]
    parts = [part for _, part in measured_parts(fields["metrics"])]
    assert len(rows) == len(parts) >= 1
    known_numbers = counts_of(fields["metrics"]) | {each["images"] - each["positives"] for each in parts}
    known_numbers |= {100}
    told = [*rows, next(line for line in text.splitlines() if "At its worst" in line)]
    names = [each["collection"] for each in fields["provenance"]["data"]["collections"].values()]
    words = [re.sub("|".join([r"\d+\.\d+", *map(re.escape, names)]), "", line) for line in told]
    assert {int(number) for line in words for number in re.findall(r"\d+", line)} <= known_numbers


def test_the_shipped_models_headline_is_its_worst(shipped: Bundle) -> None:
    parts = [
        part
        for label, part in measured_parts(json.loads(shipped.description_bytes)["metrics"])
        if label != "No finding"
    ]
    missed, flagged = (
        max(ceil(100 * (1 - Fraction(str(each[name]["value"])))) for each in parts if each[name])
        for name in ("sensitivity", "specificity")
    )
    text = text_of(shipped)
    assert f"At its worst it missed {missed} of 100 images" in text
    assert f"and flagged {flagged} of 100 images" in text


def test_it_says_what_maps_are_worth_where_boxes_were_drawn(tmp_path: Path) -> None:
    interval = {"low": 0.0, "high": 1.0}
    found = {
        "cases": 39,
        "patients": 34,
        "pointing": {"value": 0.31, **interval},
        "usual": {"value": 0.45, **interval},
        "difference": {"value": -0.14, "low": -0.3, "high": -0.01},
        "verdict": "worse",
    }
    known_of = {
        "split": "test",
        "boxes": 39,
        "images": 36,
        "patients": 34,
        "training_boxes": 100,
        "methods": [{"method": "saliency", **found, "findings": []}],
    }
    text = text_of(known(tmp_path / "told", {"localisation": known_of}, gradient=True))
    assert "What its maps are worth" in text
    assert "- **Saliency.** On test images with boxes drawn by radiologists (of all findings, 39 cases)" in text
    assert "in 31 of 100; the place where such boxes usually lie did so in 45 of 100" in text
    assert "holds no figure on whether its maps point" not in text
    untold = text_of(known(tmp_path / "untold", gradient=True))
    assert "What its maps are worth" not in untold
    assert "holds no figure on whether its maps point" in untold


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (
            {"kind": "false-alarms", "share": 0.3},
            "so that with all others together it flags at most 30 of 100 images without any finding; on 80 validation "
            "images, 20 of them with the finding",
        ),
        (
            {"kind": "specificity", "share": 0.9},
            "so that of 100 images without it 90 stay below; on 80 validation images, 20 of them with the finding",
        ),
        ({"kind": "youden"}, "where it told 80 validation images, 20 of them with the finding, apart best"),
        (None, "where it told 80 validation images, 20 of them with the finding, apart best"),
    ],
)
def test_it_says_by_which_rule_an_operating_point_was_chosen(
    tmp_path: Path, rule: dict[str, Any] | None, words: str
) -> None:
    counts = {"images": 80, "positives": 20}
    made = {"fitted": {"labels": {"Mass": counts, "No finding": counts}} | ({"rule": rule} if rule else {})}
    text = text_of(known(tmp_path, {"provenance": made}, labels=("Mass", "No finding")))
    assert f"| {words} |" in text
    # Whether there is any finding is asked by the point that tells best, whatever the rule of the findings.
    assert "| where it told 80 validation images, 20 of them with the finding, apart best |" in text


def test_the_absence_of_findings_is_no_finding_that_is_missed_or_flagged(tmp_path: Path) -> None:
    split = {
        "findings": {
            "Mass": part(50, 20, rate(0.8, 0.7, 0.9), rate(0.9, 0.8, 1.0)),
            "No finding": part(50, 20, rate(0.1, 0.0, 0.2), rate(0.2, 0.1, 0.3)),
        }
    }
    text = text_of(known(tmp_path, {"metrics": {"test": split}}, labels=("Mass", "No finding")))
    assert "At its worst it missed 20 of 100 images with *Mass*" in text
    assert "of 1,000 people have *Mass*" in text
    assert "| No finding | test images |" in text
