"""The card: every number from the description, names that are text and no more, the author's words as they are."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

from sitegen.bundle import Calibration, GateSettings, Label, Licence
from sitegen.export.card import render_card
from sitegen.export.card_tables import listed, plain
from sitegen.export.write_bundle import Draft
from sitegen.recipe.bundle_metrics import marked_weak, with_headline
from sitegen_runtime.bundle.model import NetworkInput

GREY = NetworkInput("image", (1, 1, 64, 64), "grey", 1.0, (-1.0, 1.0), (0.0,), (1.0,))
COLOUR = NetworkInput("image", (1, 3, 64, 64), "rgb", 0.9, (0.0, 1.0), (0.5, 0.4, 0.3), (0.2, 0.2, 0.25))
INTERVAL = {"value": 0.9, "low": 0.85, "high": 0.9512}


def figures(**changes: Any) -> dict[str, Any]:
    known = {"images": 40, "patients": 30, "positives": 12, "auc": INTERVAL, "sensitivity": INTERVAL}
    known |= {
        "specificity": None,
        "average_precision": 0.7,
        "calibration_error": 0.0312,
        "calibration_error_by_chance": 0.0208,
        "brier": 0.1,
    }
    return known | {"uncalibrated_error": 0.1, "by_source": {}} | changes


def draft(*labels: str, gate: bool = False, **changes: Any) -> Draft:
    fit = {"images": 40, "positives": 12, "calibration_error_before": 0.1, "calibration_error_after": None}
    provenance = {
        "recipe": {"training": {}},
        "network": {"name": "resnet", "stages": [1, 2], "norm": "group", "labels": 2, "channels": 1},
        "parameters": 1234567,
        "data": {
            "images": {"train": {"": 3, "north|south": 4}, "valid": {"": 2}},
            "patients": {"train": 5, "valid": 2},
            "labels": {label: {split: {"present": 1, "known": 2} for split in ("train", "valid")} for label in labels},
        },
        "fitted": {
            "asked": "beta",
            "balanced_sources": False,
            "labels": {label: fit | {"remarks": [f"{label}: not <well> fitted."]} for label in labels},
        },
        "proof": {"images": 5, "classifier": 1.2e-6, "gradient": 2e-6, "feature_map": None, "tolerance": 1e-5},
        "gate": {"name": "other", "version": "2", "sha256": ""},
        "remarks": [],
    }
    measured = {label: figures() for label in labels}
    return Draft(
        "test",
        "1",
        "A *test*",
        Licence(weights="none", data="none"),
        [Label(name=name, operating_point=0.25, calibration=Calibration(method="piecewise-linear")) for name in labels],
        GateSettings(metric="ssim", threshold=0.5, share=0.95) if gate else None,
        provenance=provenance | changes,
        metrics={"valid": {"images": 40, "patients": 30, "accepted": None, "findings": measured}},
    )


def test_a_row_for_each_finding_and_a_dash_for_what_is_not_defined() -> None:
    card = render_card(draft("Mass", "Nodule"), GREY)
    assert "out come 2 findings, each as a probability: *Mass*, *Nodule*." in card
    for label in ("Mass", "Nodule"):
        intervals = "0.900 (0.850–0.951) | 0.900 (0.850–0.951)"
        assert f"| {label} | 40 (12) | {intervals} | – | 0.700 | 0.031 (0.100) |" in card
        assert f"| {label} | 0.2500 | piecewise-linear | 40 (12) | 0.100 | – |" in card
    assert "| network | resnet: stages 1 2, norm group |" in card
    assert "| weights | 1,234,567 |" in card
    assert "| not said | 3 | 2 |\n| north\\|south | 4 | 0 |\n| patients | 5 | 2 |" in card
    assert "the classifier 1.2e-06, the gradient graph 2.0e-06; 1e-05 was allowed" in " ".join(card.split())
    assert "The checkpoint does not say how it was trained." in card


def test_the_input_is_told_with_its_crop_and_normalisation() -> None:
    row = (
        "64 x 64 rgb, the middle 90 % of the centred square, 0 to 1, less mean 0.5 0.4 0.3, divided by std 0.2 0.2 0.25"
    )
    assert f"| input | {row} |" in render_card(draft("Mass"), COLOUR)
    assert "| input | 64 x 64 grey, the centred square, -1 to 1 |" in render_card(draft("Mass"), GREY)


def test_a_gate_is_told_with_its_origin() -> None:
    card = render_card(draft("Mass", gate=True), GREY)
    assert "| gate | from the bundle other 2; refuses by ssim; 95 % of its validation images pass |" in card
    assert "| `ssim` | structural similarity of the image and its reconstruction | at least 0.5 | before the" in card
    assert "Before that, a gate decides" in card
    without = render_card(draft("Mass"), GREY)
    assert "Before that, a gate decides" not in without
    assert "accepted by the gate" not in without
    assert "## The gate" not in without


def test_a_gate_of_the_bundles_own_is_told_with_its_scores_and_its_training() -> None:
    scores = [{"metric": "turned", "threshold": -0.01, "higher": "unlike"}]
    scores += [{"metric": "max-logit", "threshold": -3.25, "higher": "alike"}]
    gate = GateSettings.model_validate({"metric": "ssim", "threshold": 0.61, "share": 0.95, "scores": scores})
    made = {
        "network": {"name": "ali", "latent": 32},
        "parameters": 4321,
        "training": {"steps": 8000, "network": {"name": "ali", "latent": 32}, "objective": {"kind": "ali"}},
        "last": {"step": 8000.0, "valid_ssim": 0.71},
        "passing": {"nih": 0.96, "": 0.9512},
        "images": {"train": 11624, "valid": 330},
    }
    known = draft("Mass", gate=True)
    told = render_card(replace(known, gate=gate, provenance=known.provenance | {"gate": made}), GREY)
    card = " ".join(told.split())
    assert "ali of 4,321 weights, trained with the bundle; refuses by ssim, turned, max-logit; 95 %" in card
    assert "| `turned` | SSIM gained by turning or inverting the image | at most -0.01 | before the" in card
    assert "| `max-logit` | the largest logit | at least -3.25 | after it, before any finding is shown |" in card
    assert "Of the validation images pass: 96.0 % of nih, 95.1 % of all." in card
    assert "trained on 11,624 images, and watched on 330. It ended at step 8000, valid ssim 0.71." in card
    assert "- objective: ali\n- steps 8000\n" in told


def test_names_are_text_whatever_they_hold() -> None:
    hostile = "<script>*a* | [b](c) {title} `d`\n# e"
    card = render_card(draft(hostile), GREY)
    assert "<" not in card.replace("<well>", "")
    assert "\n# e" not in card
    assert r"&lt;script&gt;\*a\* \| \[b\](c) {title} \`d\` \# e" in card
    assert card.startswith("# A \\*test\\*\n")


def test_the_authors_words_come_last_and_stay_as_they_are() -> None:
    words = "## Limits\n\n\n    {a code block}   \n\nEnd."
    assert render_card(draft("Mass"), GREY, f"\n{words}\n\n").endswith(f"\n\n{words}\n")
    assert "Nobody has looked yet" not in render_card(draft("Mass"), GREY, words)
    assert render_card(draft("Mass"), GREY).count("## What it may have learned instead\nNobody has looked yet.") == 1


def test_prose_is_wrapped_and_tables_are_not() -> None:
    lines = render_card(draft("Mass"), GREY).splitlines()
    assert max(len(line) for line in lines if not line.startswith("|")) <= 120
    assert "" not in [line for line, following in pairwise(lines) if not following]
    assert not any(line != line.rstrip() for line in lines)


def test_remarks_are_on_the_card() -> None:
    card = render_card(draft("Mass", remarks=["2 images could not be used."]), GREY)
    assert "- Mass: not &lt;well&gt; fitted.\n- 2 images could not be used.\n" in card


def test_members_are_told_with_what_they_changed() -> None:
    phase = {"epochs": 4, "best_valid_auc": 0.81249, "last_valid_auc": 0.8}
    members = [{"changes": {"seed": 2}, "phases": [phase]}, {"changes": {"mix": 0.4}, "phases": [phase, phase]}]
    card = render_card(draft("Mass", training={"batch": 8}, phases=[], members=members), GREY)
    assert "the means of those of 2 trainings that began with the same weights" in " ".join(card.split())
    assert "| 1 | seed 2 | 4 | 0.812 | 0.800 |\n| 2 | mix 0.4 | 4, 4 | 0.812, 0.812 | 0.800, 0.800 |\n" in card


def test_settings_are_listed_in_words() -> None:
    settings = {"kind": "one-cycle", "peak_rate": 3e-3, "momentum": (0.95, 0.85), "decoupled": True, "stop": None}
    assert listed(settings) == "one-cycle, peak rate 0.003, momentum 0.95 0.85, decoupled yes, stop none"
    assert listed({"epochs": 1, "head": {"kind": "linear"}}) == "epochs 1, head (kind linear)"


def test_plain_text_is_one_line() -> None:
    assert plain("a_b\n c & d") == r"a\_b c &amp; d"


def interval_of(auc: float) -> dict[str, float]:
    return {"value": auc, "low": 0.65, "high": 0.97}


def measured(relation: str, **aucs: float) -> dict[str, Any]:
    """A split of one source; its findings have these AUCs."""
    interval = interval_of(min(aucs.values()))
    source = {"collection": "ChestX", "hospital": "St. A", "from": relation, "images": 40, "patients": 30}
    return {
        "images": 40,
        "patients": 30,
        "from": relation,
        "sources": {"x": source | {"mean_auc": interval, "measured": len(aucs)}},
        "accepted": {"all": INTERVAL, "by_source": {"x": INTERVAL}},
        "flagged_without_finding": {"images": 147, "patients": 99, "flagged": 61, "share": INTERVAL, "by": {}},
        "findings": {
            label: figures(auc=interval_of(auc), by_source={"x": figures(auc=interval_of(auc)), "y|": figures()})
            for label, auc in aucs.items()
        },
    }


def test_what_was_not_measured_comes_first_and_then_the_least_favourable_figure() -> None:
    aucs = {f"Finding {at}": 0.9 - at / 50 for at in range(12)}
    labels = list(aucs)
    splits = {"valid": measured("chosen-on", **aucs), "test": measured("other-patients", **aucs)}
    card = " ".join(render_card(replace(draft(*labels), metrics=with_headline(splits, labels)), GREY).split())
    first = (
        "**Not measured: another collection of the same hospital and images from elsewhere.** The least favourable "
        "figure: Mean AUC 0.680 (0.650–0.970) over 12 findings on images that things were chosen on (validation) "
        "(ChestX); least for Finding 11, 0.680 (0.650–0.970). **Weak**, told hardly better than chance: *Finding 11*"
    )
    assert first in card
    assert card.index(first) < card.index("## What it is")
    assert "The test images are other patients' of the same collection" in card
    assert "### Validation images" in card
    assert "### Test images" in card
    row = "| ChestX, St. A | images of other patients of a collection that it was trained on | 40 (30) | 0.680 "
    assert row in card
    assert card.count("| Finding 7 | 40 (12) | ") == 6  # both splits, each with two sources
    assert "Of these, y\\|:" in card
    assert "Of 147 images with none of the findings, 61 had at least one at or above its operating point" in card


def test_images_from_elsewhere_are_measured_by_whoever_has_them() -> None:
    splits = {"test": measured("other-patients", Mass=0.9), "far": measured("elsewhere", Mass=0.75)}
    metrics = with_headline(splits, ["Mass"])
    assert metrics["headline"]["findings"]["Mass"]["split"] == "far"
    card = " ".join(render_card(replace(draft("Mass"), metrics=metrics), GREY).split())
    assert "AUC 0.750 (0.650–0.970) on images from elsewhere (ChestX)." in card
    for absent in ("Not measured:", "**Weak**", "other patients' of the same collection", "with none of the findings"):
        assert absent not in card


def test_a_bundle_that_does_not_say_where_its_images_are_from() -> None:
    assert "seen from its training, is not recorded." in " ".join(render_card(draft("Mass"), GREY).split())


def test_weak_findings_say_so_in_words() -> None:
    labels = [Label(name="Mass", operating_point=0.5), Label(name="Nodule", operating_point=0.5)]
    metrics = with_headline({"test": measured("elsewhere", Mass=0.66, Nodule=0.9)}, ["Mass", "Nodule"])
    mass, nodule = marked_weak(labels, metrics)
    assert mass.weak == "AUC 0.660 (0.650–0.970) on images from elsewhere (ChestX)"
    assert nodule.weak is None


def test_an_audit_has_a_section_with_all_that_was_told_and_accepted() -> None:
    auc = {"value": 0.8, "low": 0.75, "high": 0.85}
    told = {"label": "Mass", "images": 90, "positives": 30, "patients": 80, "unmeasured": "", "families": {"text": auc}}
    told |= {"whole_image": None, "shuffled": {"value": 0.5, "low": 0.46, "high": 0.54}}
    failure = {"label": "Mass", "family": "text", "within": "north|south", "auc": auc}
    audit = {
        "images": 1200,
        "limits": {"family": 0.65, "together": 0.75},
        "shared_collections": ["north|south"],
        "told": [
            told | {"within": ""},
            told | {"within": "north|south"},
            told
            | {"label": "Nodule", "within": "", "unmeasured": "3 images with it, and 10 are needed", "families": {}},
        ],
        "failures": [failure | {"accepted": "The *marks* are the machine's."}, failure | {"accepted": ""}],
        "at_fault": [],
        "sources_told": [
            {"source": "", "label": "Mass", "present": False, "images": 60, "measures": auc, "thumbnail": None}
        ],
    }
    card = render_card(draft("Mass", audit=audit), GREY)
    section = card[card.index("## What is told by things that are not anatomy") : card.index("## Training")]
    for line in (
        "| told by | Mass |",
        r"| told by, within north\|south | Mass |",
        "| images (with it) | 90 (30) |",
        "| text | 0.800 (0.750–0.850) |",
        "| *the whole image* | – |",
        "| *shuffled labels, by all together* | 0.500 (0.460–0.540) |",
        "- Not measured: Nodule: 3 images with it, and 10 are needed.",
        r"| Mass: text, within north\|south | 0.800 (0.750–0.850) | The \*marks\* are the machine's. |",
        r"| Mass: text, within north\|south | 0.800 (0.750–0.850) | **nobody accepted it** |",
        "| not said | without Mass | 60 | 0.800 (0.750–0.850) | – |",
    ):
        assert f"\n{line}\n" in section, line
    words = " ".join(section.split())
    assert "on 1,200 training and validation images" in words
    assert r"share a collection: north\|south." in words
    assert "No person has looked yet; the audit above" in card
    fault = render_card(draft("Mass", audit=audit | {"failures": [], "at_fault": ["Mass"]}), GREY)
    assert "Nothing failed." in fault
    assert "tells shuffled labels of Mass: it is itself at fault" in fault
    without = render_card(draft("Mass"), GREY)
    assert "things that are not anatomy" not in without
    assert "Nobody has looked yet." in without
    assert without == render_card(draft("Mass", audit=None), GREY)
