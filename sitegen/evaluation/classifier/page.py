"""The evaluation document as one HTML file for people: its figures and styles are in it, and it loads nothing.

    as_html(document)      the same document gives the same bytes

The page runs no script and its policy allows none; every text of the document is escaped. It wears the style of the
sites that sitegen builds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from sitegen.evaluation.classifier.curve_figures import precision_recall_figure, reliability_figure, roc_figure
from sitegen.evaluation.classifier.tables import first_words, flagged_words
from sitegen.evaluation.report.forest import Row, forest_figure
from sitegen.evaluation.report.page import drawn, render
from sitegen_runtime.bundle.relations import RELATIONS

Part = Mapping[str, Any]
_HERE = Path(__file__).parent


def as_html(document: Part) -> str:
    """Return the report of a document that `document.evaluation_document` made, in UTF-8 with LF line ends."""
    return render(
        _HERE,
        document=document,
        title=_title(document),
        first=first_words(document),
        flagged=flagged_words(flagged) if (flagged := document["flagged_without_finding"]) else "",
        relations=RELATIONS,
        overview=_overview(document),
        sections=[
            {"entry": entry, "figures": _figures(f"finding-{at}", entry)}
            for at, entry in enumerate(document["findings"])
        ],
        against=_against(document),
    )


def _title(document: Part) -> str:
    model = document["model"]
    return f"Evaluation of {model.get('name') or model.get('file') or model['kind']}"


@dataclass(frozen=True)
class Shown:
    """A figure on the page, in a row of its own where it is wide."""

    svg: Markup
    wide: bool = False


def _drawn(svg: str, wide: bool = False) -> Shown:
    return Shown(drawn(svg), wide)


def _figures(name: str, entry: Part) -> list[Shown]:
    """The figures of a finding, those that can be drawn."""
    figures = _curves(name, entry["label"], [("AUC", "AP", entry)], entry)
    if entry["reliability"]["calibrated"]:
        figures.append(_drawn(reliability_figure(f"{name}-reliability", entry["label"], entry["reliability"])))
    rows = [Row("all images", entry["auc"])]
    for kind, groups in entry["by"].items():
        rows += [Row(kind, heading=True), *(Row(group, figures_of["auc"]) for group, figures_of in groups.items())]
    if entry["auc"] and len(rows) > 1:
        told = f"AUC of {entry['label']} by group, with intervals of 95 %."
        figures.append(_drawn(forest_figure(f"{name}-groups", told, rows, "AUC", entry["auc"]["value"]), wide=True))
    return figures


def _curves(name: str, label: str, curves: Sequence[tuple[str, str, Part]], counts: Part) -> list[Shown]:
    """ROC and precision–recall of (name of the area, of the average precision, entry), where they are defined."""
    figures = []
    if all(entry["roc"] for _, _, entry in curves):
        roc = [(legend, entry["roc"], entry.get("decisions")) for legend, _, entry in curves]
        figures.append(_drawn(roc_figure(f"{name}-roc", label, roc)))
    if all(entry["precision_recall"] for _, _, entry in curves):
        recall = [(legend, entry["precision_recall"], entry.get("decisions")) for _, legend, entry in curves]
        prevalence = counts["positives"] / counts["images"] if counts.get("images") else None
        figures.append(_drawn(precision_recall_figure(f"{name}-precision-recall", label, recall, prevalence)))
    return figures


def _overview(document: Part) -> list[Shown]:
    """What sums up several findings: their AUCs, and the averaged curves."""
    entries = document["findings"]
    if len(entries) < 2:
        return []
    rows = [Row(entry["label"], entry["auc"]) for entry in entries]
    told = "AUC of each finding, with intervals of 95 %."
    figures = [_drawn(forest_figure("overview", told, rows, "AUC"), wide=True)]
    micro, macro = document["curves"]["micro"], document["curves"]["macro"]
    if micro and macro:
        averaged = [("micro", "micro", micro), ("macro", "macro", macro)]
        figures += _curves("averaged", "all findings together", averaged, {})
    return figures


def _against(document: Part) -> Part | None:
    """The comparison with a second model, with its figures."""
    against: Part | None = document.get("against")
    if against is None:
        return None
    firsts = {entry["label"]: entry for entry in document["findings"]}
    sections = [
        {
            "entry": entry,
            "first": firsts[entry["label"]],
            "figures": _curves(
                f"against-{at}",
                entry["label"],
                [("first", "first", firsts[entry["label"]]), ("second", "second", entry)],
                firsts[entry["label"]],
            ),
        }
        for at, entry in enumerate(against["findings"])
    ]
    rows = [Row(entry["label"], entry["auc"] and entry["auc"]["difference"]) for entry in against["findings"]]
    told = "AUC of the first model less that of the second, with intervals of 95 %."
    forest = forest_figure("differences", told, rows, "difference of AUC, first less second", 0.0)
    return {**against, "sections": sections, "figures": [_drawn(forest, wide=True)]}
