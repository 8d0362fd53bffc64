"""An evaluation document as tables for a terminal."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.table import Table

from sitegen.evaluation.report.page import NOTHING, number, percent
from sitegen.evaluation.report.terminal import table as table_of
from sitegen_runtime.bundle.relations import RELATIONS, SHORT

Part = Mapping[str, Any]
FIGURES = ("with it", "AUC", "AP", "sensitivity", "specificity", "ECE")


def as_tables(document: Part) -> list[Table]:
    """Return the tables of a document: all findings, the averages, each finding by group, and the second model."""
    tables = [_sources(document), _findings(document)]
    if any(entry["predictive_values"] for entry in document["findings"]):
        tables.append(_predictive_values(document["findings"]))
    if document["averages"]:
        tables.append(_averages(document["averages"]))
    tables += [_groups(entry) for entry in document["findings"] if entry["by"]]
    return [*tables, _against(document["against"])] if "against" in document else tables


def heading(document: Part) -> str:
    """Return in a few sentences what was not measured, the least favourable figure, and what was measured."""
    data, model = document["data"], document["model"]
    splits = ", ".join(split for split in data["splits"] if split) or "no split"
    lines = [*first_words(document), *document["remarks"]]
    lines.append(f"{model['kind']} {model['name']}: {data['images']} images of {data['patients']} patients, {splits}.")
    lines.append(
        f"Operating points {document['operating_points']}."
        if document["operating_points"]
        else "There are no operating points: sensitivity and what follows from it are not measured."
    )
    if document["accepted"]:
        lines.append(f"The gate accepts {_interval(document['accepted'])} of the images.")
    if document["flagged_without_finding"]:
        lines.append(flagged_words(document["flagged_without_finding"]))
    return " ".join(lines)


def first_words(document: Part) -> list[str]:
    """Return what is said before every figure: what was not measured, and the least favourable figure."""
    headline = document["headline"]
    figure = f"Least favourable: {headline['words']}" if headline else "No AUC could be measured."
    return [*filter(None, [document["not_measured"]]), figure]


def flagged_words(flagged: Part) -> str:
    """Return in a sentence how many images without any finding were flagged."""
    return (
        f"Of {flagged['images']} images with none of the findings, {flagged['flagged']} had at least one at or above "
        f"its operating point: {_interval(flagged['share'])}."
    )


def _sources(document: Part) -> Table:
    """Where the images are from, what flatters least last, and the mean AUC over findings."""
    table = table_of("Where the images are from, seen from the training", "source", "from", "images", "mean AUC")
    order = list(RELATIONS)
    for each in sorted(document["sources"], key=lambda source: order.index(source["from"])):
        name = each["collection"] or each["source"] or "not said"
        place = f"{name}, {each['hospital']}" if each["hospital"] else name
        table.add_row(place, SHORT[each["from"]], str(each["images"]), _stacked(each["mean_auc"]))
    return table


def _findings(document: Part) -> Table:
    title = "Findings: AUC ± deviation over halves; below, intervals of 95 % by patient"
    table = table_of(title, "finding", *FIGURES)
    for entry in document["findings"]:
        table.add_row(entry["label"], *_figures(entry))
    return table


def _groups(entry: Part) -> Table:
    table = table_of(f"{entry['label']}, by group", "group", *FIGURES)
    for kind, groups in entry["by"].items():
        table.add_row(f"{kind}:")
        for name, figures in groups.items():
            table.add_row(f"  {name}", *_figures(figures))
    return table


def _figures(entry: Part) -> Iterator[str]:
    """Cells of two lines at most, so that a row fits into 80 columns; the AUC has its deviation over halves."""
    yield f"{entry['positives']}\nof {entry['images']}"
    deviation = "" if entry["half_splits"] is None else f" ± {entry['half_splits']:.3f}"
    yield _stacked(entry["auc"], deviation)
    yield number(entry["average_precision"])
    yield from (_stacked(entry["sensitivity"]), _stacked(entry["specificity"]))
    yield number(entry["calibration_error"])


def _predictive_values(entries: Sequence[Part]) -> Table:
    table = table_of("Predictive values", "finding", "prevalence", "found: has it", "not found: has it not")
    for entry in entries:
        for row in entry["predictive_values"]:
            table.add_row(
                entry["label"],
                percent(row["prevalence"]),
                percent(row["positive"]),
                percent(row["negative"]),
            )
    return table


def _averages(averages: Part) -> Table:
    table = table_of("Decisions at the operating points", "average", "accuracy", "precision", "recall", "F1")
    for weights, told in (("plain", ""), ("balanced", ", classes balanced")):
        for name, ratios in averages[weights].items():
            values = (ratios[each] for each in ("accuracy", "precision", "recall", "f1"))
            table.add_row(f"{name}{told}", *(number(value) for value in values))
        table.add_section()
    return table


def _against(against: Part) -> Table:
    model = against["model"]
    title = (
        f"Against {model['kind']} {model['name']}, on {against['images']} images ({RELATIONS[against['from']]}, seen "
        "from the second): first less second"
    )
    table = table_of(title, "finding", "AUC", "second", "difference", "AP", "second", "difference")
    for entry in against["findings"]:
        cells: list[str] = []
        for name in ("auc", "average_precision"):
            pair = entry[name] or {"first": None, "second": None, "difference": None}
            cells += [number(pair["first"]), number(pair["second"]), _stacked(pair["difference"], between=" to ")]
        table.add_row(entry["label"], *cells)
    return table


def _stacked(value: Part | None, deviation: str = "", between: str = "–") -> str:
    if value is None:
        return NOTHING
    return f"{value['value']:.3f}{deviation}\n{value['low']:.3f}{between}{value['high']:.3f}"


def _interval(value: Part | None) -> str:
    return NOTHING if value is None else f"{value['value']:.3f} ({value['low']:.3f}–{value['high']:.3f})"
