"""From files to a verdict, and to tables for people."""

import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from sitegen.data.audit.audit import audit
from sitegen.data.audit.shortcuts.document_types import IntervalDocument, ShortcutsDocument, ToldDocument
from sitegen.data.audit.shortcuts.report import ShortcutQuestion
from sitegen.data.audit.shortcuts.tables import failure_count, shortcut_tables
from sitegen.data.audit.shortcuts.verdict import check, judged, passes
from sitegen.data.records import Record
from sitegen.errors import AuditError, SettingsError
from sitegen.settings.audit import AuditSettings
from tests.helpers.shortcut_images import write_images


def audited(records: Sequence[Record], workers: int = 1) -> ShortcutsDocument:
    shortcuts = audit(records, workers, ShortcutQuestion())["shortcuts"]
    assert shortcuts is not None
    return shortcuts


HAS = np.random.default_rng(0).permutation(np.arange(60) % 2 == 0).tolist()


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> ShortcutsDocument:
    """Images of which those with the label are blurred, one file damaged, and test images that say the opposite."""
    folder = tmp_path_factory.mktemp("planted")
    records = write_images(folder, HAS, blurred=HAS)
    records[0].path.write_bytes(b"damaged")
    opposite = write_images(folder / "test", HAS[:20], blurred=[not has for has in HAS[:20]])
    records += [replace(record, split="test", patient=f"t{record.patient}") for record in opposite]
    report = audit(records, 1, ShortcutQuestion())
    assert report["problems"]["unreadable"][0]["file"] == str(records[0].path)
    assert report["shared_collections"] == ["here"]
    assert report["shortcuts"] is not None
    return report["shortcuts"]


def printed(shortcuts: ShortcutsDocument) -> str:
    text = io.StringIO()
    console = Console(file=text, width=160, markup=False)
    for part in shortcut_tables(shortcuts):
        console.print(part)
    return text.getvalue()


def test_a_planted_shortcut_fails(planted: ShortcutsDocument) -> None:
    assert (planted["images"], planted["left_out"], planted["splits"]) == (59, 1, ["train"])
    failed = {failure["family"]: failure["auc"] for failure in planted["failures"]}
    assert {"sharpness", "all together"} <= set(failed)
    assert failed["sharpness"] == {"value": 1.0, "low": 1.0, "high": 1.0}
    assert not passes(planted)
    with pytest.raises(
        AuditError, match=r"Mass by [a-z ]+, AUC 1\.000 \(1\.000–1\.000\).*x\.json.*\[audit\] accepted"
    ) as error:
        check(planted, Path("x.json"))
    assert error.value.exit_code == 1
    text = printed(planted)
    assert "1.00!" in text
    assert "Mass: sharpness" in text
    assert failure_count(planted) == len(planted["failures"])


def test_what_is_accepted_passes_and_says_why(planted: ShortcutsDocument) -> None:
    families = dict.fromkeys(failure["family"] for failure in planted["failures"])
    accepted = {f"Mass: {family}": "Two machines; looked at." for family in families}
    given = judged(planted, AuditSettings(accepted=accepted | {"Mass: view": "Not needed."}))
    assert passes(given)
    check(given, Path("x.json"))
    assert {failure["accepted"] for failure in given["failures"]} == {"Two machines; looked at."}
    assert given["remarks"] == ["Mass: view is accepted, and does not fail: take it out of accepted."]
    text = printed(given)
    assert "1.00+" in text
    assert "Two machines; looked at." in text
    assert "take it out" in text
    assert failure_count(given) == 0
    with pytest.raises(SettingsError, match=r"'Mass: sharpnes', which is no label.*the labels are Mass, the families"):
        judged(planted, AuditSettings(accepted={"Mass: sharpnes": "?"}))


def test_limits(planted: ShortcutsDocument) -> None:
    families: dict[str, IntervalDocument | None] = {
        "sharpness": {"value": 0.75, "low": 0.66, "high": 0.9},
        "contrast": {"value": 0.75, "low": 0.65, "high": 0.9},
        "all together": {"value": 0.8, "low": 0.75, "high": 0.9},
        "all together, trees": {"value": 0.8, "low": 0.76, "high": 0.9},
    }
    told: ShortcutsDocument = {**planted, "told": [{**planted["told"][0], "families": families}]}
    names = [failure["family"] for failure in judged(told, AuditSettings())["failures"]]
    assert names == ["sharpness", "all together, trees"]
    strict = judged(told, AuditSettings(limit=0.6, together=0.9))
    assert [failure["family"] for failure in strict["failures"]] == ["sharpness", "contrast"]
    assert strict["limits"] == {"family": 0.6, "together": 0.9}


def test_an_audit_that_tells_shuffled_labels_is_at_fault(planted: ShortcutsDocument) -> None:
    for low, high, fault in ((0.56, 0.7, True), (0.3, 0.44, True), (0.54, 0.7, False)):
        part: ToldDocument = {
            **planted["told"][0],
            "families": {},
            "shuffled": {"value": 0.5, "low": low, "high": high},
        }
        given = judged({**planted, "told": [part]}, AuditSettings())
        assert (given["at_fault"] == ["Mass"]) is fault
        assert passes(given) is not fault
        if fault:
            with pytest.raises(AuditError, match="is at fault: it tells shuffled labels of Mass"):
                check(given, Path("x.json"))
            assert "The audit itself is at fault" in printed(given)


def test_clean_data_passes(tmp_path: Path) -> None:
    soft = np.random.default_rng(7).permutation(HAS).tolist()
    shortcuts = audited(write_images(tmp_path, HAS, blurred=soft))
    assert shortcuts["failures"] == []
    assert passes(shortcuts)
    assert shortcuts["told"][0]["families"]["compression"] == {"value": 0.5, "low": 0.5, "high": 0.5}


@pytest.mark.slow
def test_processes_change_nothing(tmp_path: Path) -> None:
    records = write_images(tmp_path, HAS[:30], blurred=HAS[:30])
    both = [
        replace(record, labels={"Mass": record.labels["Mass"], "Other": number % 2})
        for number, record in enumerate(records)
    ]
    assert audited(both, 1) == audited(both, 2)


def test_which_images_are_measured() -> None:
    def taken(question: ShortcutQuestion, *splits: str) -> list[bool]:
        return question.takes([Record(Path("a"), "a", {}, split) for split in splits])

    assert taken(ShortcutQuestion(), "train", "valid", "test", "") == [True, True, False, True]
    assert taken(ShortcutQuestion(), "test", "") == [True, True]
    assert taken(ShortcutQuestion(splits=("train", "valid")), "train", "valid", "test", "") == [
        True,
        True,
        False,
        False,
    ]


def test_nothing_at_all() -> None:
    shortcuts = audited([])
    assert (shortcuts["images"], shortcuts["told"], shortcuts["failures"]) == (0, [], [])
    printed(shortcuts)
