"""Shortcuts that are planted are found, and nothing else is: on measures that are given, without a file."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from sitegen.data.audit.shortcuts.controls import shuffled
from sitegen.data.audit.shortcuts.features import one_hot, standardised
from sitegen.data.audit.shortcuts.measures import FAMILIES
from sitegen.data.audit.shortcuts.models import area, boosted, cross_validated, folds_by_patient, too_few
from sitegen.data.audit.shortcuts.study import Part, label_told, labels_told, sources_told
from tests.helpers.shortcut_images import labelled, measured_table

N = 200
CHANCE = {"value": 0.5, "low": 0.5, "high": 0.5}


def halves(seed: int = 0, count: int = N) -> np.ndarray:
    return np.random.default_rng(seed).permutation(np.arange(count) % 2 == 0)


def test_a_planted_measure_is_told_by_its_family_alone() -> None:
    has = halves()
    noise = np.random.default_rng(1).normal(size=(2, N))
    records = labelled(has.astype(float).tolist(), range(N))
    told = label_told(measured_table(records, {"focus": has * 2 + noise[0], "mean": noise[1]}), Part("Mass", ""))
    assert (told["images"], told["positives"], told["patients"], told["unmeasured"]) == (N, 100, N, "")
    assert list(told["families"]) == list(FAMILIES)
    families = told["families"]
    # Two normal distributions two deviations apart: the area is that of the normal one below the square root of two.
    assert families["sharpness"]["value"] == pytest.approx(0.921, abs=0.04)
    assert families["sharpness"]["low"] > 0.85
    assert families["all together"]["low"] > 0.8
    assert families["all together, trees"]["low"] > 0.8
    assert families["mean grey"]["low"] < 0.55
    assert families["surroundings"]["low"] < 0.6
    for family in ("file size", "source", "view", "folder", "patient's images"):
        assert families[family] == CHANCE, family
    assert told["shuffled"]["low"] < 0.5 < told["shuffled"]["high"]


def test_both_ends_of_a_measure_are_told_from_its_middle() -> None:
    has = halves()
    grey = np.where(has, np.random.default_rng(1).choice([-1.0, 1.0], N), np.random.default_rng(2).normal(0, 0.3, N))
    told = label_told(measured_table(labelled(has.astype(float).tolist(), range(N)), {"mean": grey}), Part("Mass", ""))
    assert told["families"]["mean grey"]["low"] > 0.9


def test_images_of_a_patient_do_not_tell_its_others() -> None:
    """A label and a measure that are the patient's: by image, a model could learn them by heart."""
    rng = np.random.default_rng(3)
    patients = np.repeat(np.arange(60), 6)
    has, own = rng.permutation(np.arange(60) % 2 == 0)[patients], rng.normal(size=(4, 60))[:, patients]
    records = labelled(has.astype(float).tolist(), patients.tolist())
    names = ("focus", "mean", "aspect", "deviation")
    told = label_told(measured_table(records, dict(zip(names, own, strict=True))), Part("Mass", ""))
    for family in ("sharpness", "all together", "all together, trees"):
        assert told["families"][family]["low"] < 0.5 < told["families"][family]["high"] + 0.1, family
    folds = folds_by_patient(has, [record.patient for record in records])
    assert all(len(set(folds[patients == patient])) == 1 for patient in range(60))
    by_image = folds_by_patient(has, [str(number) for number in range(len(has))])
    leaking = cross_validated(own.T, has, by_image, boosted)
    assert roc_auc_score(has, leaking) > 0.9  # what the folds by patient prevent


def test_unknown_labels_are_left_out() -> None:
    has = halves()
    values = [None if number % 4 == 3 else float(each) for number, each in enumerate(has)]
    focus = np.where(np.arange(N) % 4 == 3, 100.0, has * 1.0)  # far off where nobody knows the label
    told = label_told(measured_table(labelled(values, range(N)), {"focus": focus}), Part("Mass", ""))
    assert (told["images"], told["positives"]) == (150, sum(value == 1 for value in values))
    assert told["families"]["sharpness"] == {"value": 1.0, "low": 1.0, "high": 1.0}


def test_within_each_source_and_by_source() -> None:
    """The two sources have the label equally often; in one of them alone it is told by sharpness."""
    has = halves()
    sources = np.random.default_rng(5).permutation(np.arange(N) % 2)
    noise = np.random.default_rng(6).normal(size=N)
    focus = noise + 4 * has * (sources == 1)
    names = ["ab"[source] for source in sources]
    table = measured_table(
        labelled(has.astype(float).tolist(), range(N), names), {"focus": focus, "width": sources * 1.0}
    )
    by_part = {told["within"]: told["families"] for told in labels_told(table, workers=1)}
    assert list(by_part) == ["", "a", "b"]
    assert by_part["a"]["sharpness"]["low"] < 0.6
    assert by_part["b"]["sharpness"]["low"] > 0.9
    assert by_part["b"]["source"] == CHANCE
    entries = sources_told(table)
    assert [(entry["source"], entry["label"], entry["present"]) for entry in entries] == [
        (source, "Mass", present) for source in "ab" for present in (True, False)
    ]
    assert all(entry["measures"]["low"] > 0.95 for entry in entries)  # by the width
    assert all(entry["thumbnail"]["low"] < 0.6 for entry in entries)
    assert sources_told(measured_table(labelled([0.0, 1.0], [0, 1]), {})) == []


def test_a_label_that_one_source_alone_knows_is_measured_once() -> None:
    records = [
        replace(record, labels={**record.labels, "Nodule": 0.0 if record.source == "a" else None})
        for record in labelled([0.0] * 4, range(4), "aabb")
    ]
    parts = [(told["label"], told["within"]) for told in labels_told(measured_table(records, {}), workers=1)]
    assert parts == [("Mass", ""), ("Nodule", ""), ("Mass", "a"), ("Mass", "b")]


def test_what_is_too_few_is_said() -> None:
    has = np.arange(N) < 9
    told = label_told(measured_table(labelled(has.astype(float).tolist(), range(N)), {}), Part("Mass", ""))
    assert told["unmeasured"] == "9 images with it, and 10 are needed"
    assert (told["families"], told["shuffled"]) == ({}, None)
    assert too_few(~has, [str(each) for each in range(N)]) == "9 images without it, and 10 are needed"
    few = ["p" + str(number % 4) for number in range(N)]
    assert too_few(halves(), few) == "images with it are of 4 patients, and 5 are needed"
    assert too_few(halves(), [str(each) for each in range(N)]) == ""


def test_the_area_is_counted_within_folds() -> None:
    rng = np.random.default_rng(0)
    scores, targets, folds = rng.random(300), rng.random(300) < 0.4, rng.integers(0, 5, 300)
    pairs = np.array([(targets[folds == k].sum() * (~targets[folds == k]).sum()) for k in range(5)])
    each = [roc_auc_score(targets[folds == k], scores[folds == k]) for k in range(5)]
    shifted = scores + 10 * folds
    assert area(shifted, targets, folds, np.ones((2, 300))) == pytest.approx([np.average(each, weights=pairs)] * 2)
    assert np.isnan(area(scores, np.ones(300, bool), folds, np.ones((1, 300))))[0]


def test_shuffled_labels_are_the_patients_own_in_order() -> None:
    targets = np.array([True, True, False, False, True])
    patients = ["a", "a", "b", "c", "c"]
    seen = {tuple(shuffled(targets, patients, seed).tolist()) for seed in range(40)}
    own = {"a": [True, True], "b": [False, False], "c": [False, True]}
    for given in seen:
        assert [list(given[:2]), list(given[3:])] in [
            [first, second] for first in own.values() for second in own.values()
        ]
    assert len(seen) == 6


def test_features_of_constants_and_rare_categories() -> None:
    assert standardised(np.full(5, 0.1)).shape == (5, 0)
    assert standardised(np.array([-1.0, 1.0]))[:, 0].tolist() == [-1, 1]
    assert one_hot(["a"] * 9).shape == (9, 0)
    assert one_hot(["a"] * 5 + ["b"] * 5).tolist() == [[0]] * 5 + [[1]] * 5
    assert one_hot(["a"] * 5 + ["b", "c"]).tolist() == [[1]] * 5 + [[0]] * 2
