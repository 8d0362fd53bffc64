"""The audit of exactly what a recipe trains on, and what an export asks of it before test images are opened."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sitegen.data.audit.audit import audit
from sitegen.data.audit.document_types import AuditDocument
from sitegen.data.audit.places import records_digest
from sitegen.data.audit.shortcuts.report import ShortcutQuestion
from sitegen.data.audit.shortcuts.verdict import check, judged
from sitegen.data.records import TRAIN, VALID, Record
from sitegen.errors import DataError
from sitegen.settings.recipe import RecipeFile

AUDIT = "audit.json"
"""In the work folder."""

_COMMAND = "sitegen data audit --recipe RECIPE --json {place}"


def audit_recipe(
    file: RecipeFile, records: Sequence[Record], workers: int | None = None, *, shortcuts: bool = True
) -> AuditDocument:
    """Return the audit of a recipe's images, as `sitegen.data.dataset.read_records` gives them.

    All are looked at; for shortcuts, training and validation images alone are measured, never test images.
    """
    question = ShortcutQuestion(file.audit, (TRAIN, VALID), _own_names(file))
    return audit(records, workers, question if shortcuts else None)


def _own_names(file: RecipeFile) -> tuple[str, ...]:
    """What the data itself calls the labels, after which its folders may be called."""
    named = [each.labels for each in (file.data, *file.data.parts)]
    own = [name for labels in named for name in (labels.values() if isinstance(labels, dict) else labels)]
    return tuple(dict.fromkeys(part for name in own for part in name.split("|")))


def write_audit(report: AuditDocument, place: Path) -> None:
    """Write an audit as JSON, its folder too where it is missing."""
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(json.dumps(report, indent=1), encoding="utf-8")


def read_audit(place: Path) -> AuditDocument | None:
    """Return an audit from its file; None where there is none, or none that can be read."""
    try:
        report: AuditDocument = json.loads(place.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return report if isinstance(report, dict) and "records" in report and report.get("shortcuts") else None


def rejudged(file: RecipeFile, place: Path) -> None:
    """Give the audit in a file the verdict of the recipe's `[audit]`, and raise AuditError where it does not pass."""
    report = read_audit(place)
    if report and report["shortcuts"]:
        report["shortcuts"] = judged(report["shortcuts"], file.audit)
        write_audit(report, place)
        check(report["shortcuts"], place)


def audit_of(records: Sequence[Record], work: Path) -> dict[str, Any] | None:
    """Return what a bundle says of the audit of its data, with the audit's verdict; None where there is none of it."""
    report = read_audit(work / AUDIT)
    if report is None or not report["shortcuts"] or report["records"] != records_digest(records):
        return None
    facts = {
        "records": report["records"],
        "shared_collections": report["shared_collections"],
        "aspect": report["sizes"]["aspect"],
    }
    return {**facts, **report["shortcuts"]}


def require_audit(records: Sequence[Record], work: Path) -> None:
    """Refuse to go on to test images without an audit of the same data that passes.

    Raises DataError where there is none, or one of other images or labels; AuditError where something in it fails that
    was not accepted. The verdict is the audit's own: a checkpoint may record a recipe from before a person looked.
    """
    place = work / AUDIT
    command = f"Run: {_COMMAND.format(place=place)}"
    report = read_audit(place)
    if report is None or not report["shortcuts"]:
        raise DataError(f"Test images are opened after an audit of the data alone, and {place} is none. {command}")
    if report["records"] != records_digest(records):
        raise DataError(
            f"{place} is an audit of other data: its files, patients, splits or labels are not those of this export. "
            f"Test images are opened after an audit of the same data alone. {command}"
        )
    check(report["shortcuts"], place)
