"""An audit's report as tables for a terminal."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.table import Table

from sitegen.data.audit.document_types import AuditDocument, GroupCounts, LabelCounts
from sitegen.data.records import Record, label_names

_SHOWN = 10
_GROUPS = 8
_BY = {"body_part": "body part"}


def as_tables(report: AuditDocument) -> list[Table]:
    """Return the tables of a report: what it is of, its problems if any, prevalence by whatever is said at all."""
    tables = [_facts(report)]
    if not report["clean"]:
        tables.append(_problems(report["problems"]))
    tables += [
        prevalence_table(_BY.get(name, name), groups, report["labels"])
        for name, groups in report["prevalence"].items()
        if name == "split" or list(groups) != ["not said"]
    ]
    return tables


def shared_in_words(report: AuditDocument) -> str:
    """Return a sentence on sources that are on both sides of the test, "" where there are none."""
    shared = ", ".join(report["shared_collections"])
    return f"Training and test images share a collection: {shared}. Figures say nothing of others." if shared else ""


def labels_in_words(records: Sequence[Record]) -> str:
    """Return a sentence that names the labels, and says where they are from: names of folders, or a table."""
    names = label_names(records)
    if not names:
        return "No labels: nothing says what is in the images."
    present = [(record, name) for record in records for name, value in record.labels.items() if value == 1.0]
    folders = all(name in record.path.parts[:-1] for record, name in present)
    source = "the names of the folders that the images lie in" if folders else "what the data set's table says"
    return f"Labels: {', '.join(names)} ({source})."


def problem_count(report: AuditDocument) -> int:
    """Return how many problems there are, a group of duplicates and a patient counting as one each."""
    problems: Mapping[str, Any] = report["problems"]
    return sum(len(found) for found in problems.values())


def prevalence_table(by: str, groups: Mapping[str, GroupCounts], labels: list[str]) -> Table:
    """Return how many images and patients are in each of the groups of `audit.prevalence`, and who has each label."""
    largest = sorted(groups, key=lambda name: -groups[name]["images"])[:_GROUPS]
    shown = {name: group for name, group in groups.items() if name in largest}
    table = Table("", *shown, title=f"By {by}: images, share of judged", title_justify="left")
    table.columns[0].no_wrap = True
    if len(groups) > len(shown):
        table.caption = f"The {_GROUPS} largest of {len(groups)}; all are in --json FILE"
    for name in ("images", "patients"):
        table.add_row(name, *(str(group[name]) for group in shown.values()))
    for label in labels:
        table.add_row(label, *(_share(group["labels"].get(label)) for group in shown.values()))
    return table


def _facts(report: AuditDocument) -> Table:
    title = f"{report['images']} images of {report['patients']} patients, in {report['sizes']['different']} sizes"
    table = Table("", "least", "median", "most", title=title, title_justify="left")
    spreads = {"images of a patient": report["images_of_a_patient"]}
    spreads |= {name: report["sizes"][name] or {} for name in ("width", "height", "aspect")}
    for name, spread in spreads.items():
        if spread:
            table.add_row(name, *(f"{spread[part]:g}" for part in ("least", "median", "most")))
    return table


def _problems(problems: Mapping[str, Any]) -> Table:
    table = Table("problem", "where", "what", title="Problems", title_justify="left")
    for name, found in problems.items():
        lines = list(_lines(name, found))
        for where, what in lines[:_SHOWN]:
            table.add_row(name.replace("_", " "), where, what)
        if len(lines) > _SHOWN:
            table.add_row(name.replace("_", " "), f"… and {len(lines) - _SHOWN} more", "all are in --json FILE")
    return table


def _lines(name: str, found: Any) -> Iterator[tuple[str, str]]:
    if name == "duplicates":
        for group in found:
            yield "\n".join(group["files"]), _remarks(group)
    elif name == "patients_in_several_splits":
        for patient, splits in found.items():
            yield patient, ", ".join(splits)
    else:
        for entry in found:
            yield entry["file"], str(entry.get("problem") or f"{entry['age']:g} years")


def _remarks(group: Mapping[str, Any]) -> str:
    remarks = {
        "several_splits": "in several splits",
        "several_patients": "under several patients",
        "labels_differ": "with different labels",
    }
    return ", ".join(text for name, text in remarks.items() if group[name]) or "same split, patient and labels"


def _share(counts: LabelCounts | None) -> str:
    if counts is None or not (judged := counts["present"] + counts["absent"]):
        return "unknown"
    return f"{counts['present']}\n{100 * counts['present'] / judged:.1f} %"
