"""Operating points by rule: what each promises is kept on every source of the validation images."""

from pathlib import Path

import numpy as np
import pytest

from sitegen.data.records import Record
from sitegen.errors import DataError, SettingsError
from sitegen.evaluation.classifier.scored import Scored
from sitegen.metrics import operating_point
from sitegen.recipe.labels import fit_labels
from sitegen.recipe.operating_points import STEPS, choose_points, without_findings
from sitegen.settings.recipe import FalseAlarms, SpecificityRule, YoudenRule, recipe_of

LABELS = ("Mass", "Nodule", "No finding")


def made(count: int = 600, seed: int = 5, labels: tuple[str, ...] = LABELS) -> Scored:
    """Images of two sources, the second of which has higher scores; of it only the first label and none are known."""
    random = np.random.default_rng(seed)
    present = random.random((count, 2)) < 0.2
    second = np.arange(count) % 3 == 0
    logits = random.normal(2.0 * present - 1.5, 1.0) + 0.7 * second[:, np.newaxis]
    none = ~present.any(axis=1)
    logits = np.column_stack([logits, random.normal(2.0 * none - 1, 1.0)])[:, : len(labels)]
    targets = np.column_stack([present, none]).astype(float)[:, : len(labels)]
    targets[second, 1] = np.nan
    records = tuple(
        Record(
            Path(f"{row}.png"),
            str(row),
            {name: None if np.isnan(value) else float(value) for name, value in zip(labels, values, strict=True)},
            "valid",
            "two" if second[row] else "one",
        )
        for row, values in enumerate(targets)
    )
    probabilities = 1 / (1 + np.exp(-logits))
    return Scored({}, labels, records, logits, probabilities, probabilities, (None,) * len(labels))


def flagged(
    scored: Scored, rule: FalseAlarms | SpecificityRule | YoudenRule
) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    points = choose_points(scored, rule, [None] * len(scored.labels))
    assert points.remarks == ()
    thresholds = [np.inf if point is None else point.threshold for point in points.of]
    return scored.probabilities >= np.array(thresholds)


def sources(scored: Scored) -> list[np.ndarray[tuple[int], np.dtype[np.bool_]]]:
    names = np.array([record.source for record in scored.records])
    return [names == "one", names == "two"]


def test_youdens_points_are_those_of_each_label_alone() -> None:
    scored = made()
    points = choose_points(scored, YoudenRule(), [None] * 3)
    known = ~np.isnan(scored.targets[:, 1])
    assert points.of[1] == operating_point(scored.probabilities[known, 1], scored.targets[known, 1] == 1)


@pytest.mark.parametrize("share", [0.8, 0.9, 0.95])
def test_a_specificity_holds_in_every_source_and_is_not_exceeded_in_all(share: float) -> None:
    scored = made()
    decided = flagged(scored, SpecificityRule(share=share))
    for at in (0, 1):
        kept = []
        for own in sources(scored):
            absent = own & (scored.targets[:, at] == 0)
            if absent.any():
                kept.append(float((~decided[absent, at]).mean()))
                assert kept[-1] >= share
                # The strictest source gives the threshold: one image less of it would not do.
        assert min(kept) - 1 / 100 < share


@pytest.mark.parametrize("share", [0.1, 0.2, 0.4])
def test_false_alarms_are_bounded_in_every_source_by_one_specificity(share: float) -> None:
    scored = made()
    none = without_findings(scored)
    decided = flagged(scored, FalseAlarms(share=share))[:, :2].any(axis=1)
    alarms = [float(decided[none & own].mean()) for own in sources(scored)]
    assert max(alarms) <= share
    each = [flagged(scored, SpecificityRule(share=step))[:, :2].any(axis=1) for step in STEPS]
    # With every lower specificity that is tried, some source has more false alarms than were allowed.
    below = [looser for looser in each if looser.sum() > decided.sum()]
    assert below
    assert all(max(float(looser[none & own].mean()) for own in sources(scored)) > share for looser in below)


def test_the_absence_of_findings_is_asked_by_youden_always() -> None:
    scored = made()
    points = choose_points(scored, FalseAlarms(share=0.2), [None] * 3)
    assert points.of[2] == operating_point(scored.probabilities[:, 2], scored.targets[:, 2] == 1)


def test_images_without_findings_are_told_by_the_label_or_by_all_others() -> None:
    scored = made(30)
    expected = (scored.targets[:, :2] == 0).all(axis=1) | (scored.targets[:, 2] == 1)
    assert without_findings(scored).tolist() == expected.tolist()
    assert without_findings(made(30, labels=LABELS[:2])).sum() == (scored.targets[:, :2] == 0).all(axis=1).sum()


def test_a_bound_needs_images_without_findings() -> None:
    scored = made(40)
    ill = [row for row in range(40) if not without_findings(scored)[row]]
    only = Scored(
        {}, LABELS, tuple(scored.records[row] for row in ill), scored.logits[ill], scored.probabilities[ill],
        scored.probabilities[ill], (None,) * 3,
    )  # fmt: skip
    with pytest.raises(DataError, match="no validation image is known to be without findings"):
        choose_points(only, FalseAlarms(), [None] * 3)


def test_labels_get_the_points_and_decide_as_they_do() -> None:
    scored = made()
    fitted = fit_labels(scored, "platt", balance_sources=False, rule=FalseAlarms(share=0.2))
    decided = scored.probabilities >= np.array([each.label.operating_point for each in fitted])
    assert (decided == flagged(scored, FalseAlarms(share=0.2))).all()


def test_a_label_that_lacks_a_class_has_no_point() -> None:
    scored = made(labels=LABELS[:2])
    absent = [
        Record(record.path, record.patient, {"Mass": 0.0, "Nodule": record.labels["Nodule"]}, "valid", record.source)
        for record in scored.records
    ]
    without = Scored(
        {}, LABELS[:2], tuple(absent), scored.logits, scored.probabilities, scored.probabilities, (None, None)
    )
    points = choose_points(without, SpecificityRule(), [None, None])
    assert points.of[0] is None
    assert points.of[1] is not None


def test_recipes_name_the_rule() -> None:
    given = {"kind": "false-alarms", "share": 0.25}
    assert recipe_of({"name": "r", "export": {"operating_points": given}}, "").export.operating_points == FalseAlarms(
        share=0.25
    )
    with pytest.raises(SettingsError, match="operating_points"):
        recipe_of({"name": "r", "export": {"operating_points": {"kind": "guess"}}}, "")
