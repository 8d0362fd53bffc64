"""A comparison of gates for people: one HTML file with its figures, and tables to print.

    as_html(document, galleries)      loads nothing; the same document gives the same bytes
    as_tables(document)               for the terminal

Every text of the document is escaped, and the page's policy allows no script; it allows pictures only where there are
galleries, and only those that are in the file.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from markupsafe import Markup
from rich.table import Table
from rich.text import Text

from sitegen.evaluation.gate.detectors import GROUPS
from sitegen.evaluation.gate.figures import distribution_figure, history_figure, stringency_figure
from sitegen.evaluation.gate.gallery import Galleries
from sitegen.evaluation.report.forest import Row, forest_figure
from sitegen.evaluation.report.page import NOTHING, WIDE, drawn, number, percent, render
from sitegen.evaluation.report.terminal import table as table_of
from sitegen.evaluation.robustness.figure import cell_colours

Part = Mapping[str, Any]
FIGURES = {
    "auroc": "AUROC",
    "aupr": "AUPR",
    "fpr95": "false positives at 95 %",
    "refused": "refused",
}
TITLES = {"near": "Near the training distribution", "far": "Far from it"}
_HERE = Path(__file__).parent
_COLUMNS = tuple((group, figure) for group in GROUPS for figure in FIGURES if figure != "aupr")


def as_html(document: Part, galleries: Galleries = ()) -> str:
    """Return the report of a document that `study.study` made, in UTF-8 with LF line ends."""
    return render(
        _HERE,
        {"shares": _shares, "heat": _heat, "breakable": _breakable},
        (WIDE,),
        document=document,
        columns=_COLUMNS,
        figures=FIGURES,
        titles=TITLES,
        groups=[group for group in GROUPS if any(entry["group"] == group for entry in document["categories"])],
        best={(group, figure): _best(document["detectors"], group, figure) for group, figure in _COLUMNS},
        overview=[drawn(_forest(document, group)) for group in GROUPS if document["detectors"][0][group]],
        models=[_model(document, model, at) for at, model in enumerate(document["models"])],
        stringency=[(told, drawn(figure)) for told, figure in _stringency(document)],
        galleries=galleries,
    )


def as_tables(document: Part) -> Iterator[Table]:
    """Return a table of all detectors, and those of the comparisons."""
    title = "Detectors, means over categories: AUROC near and far, false positives at 95 %, accepted inside"
    table = table_of(Text(title), "detector", "near", "far", "FPR near", "FPR far", "accepted")
    for each in document["detectors"]:
        cells = [_cell(each[group], figure) for figure in ("auroc", "fpr95") for group in GROUPS]
        table.add_row(Text(each["name"]), *cells, percent(each["accepted"] and each["accepted"]["value"]))
    yield table
    for (group, first), tests in groupby(document["comparisons"], key=lambda each: (each["group"], each["first"])):
        table = table_of(Text(f"Mean AUROC, {group}: {first} less"), "detector", "difference", "p", "corrected")
        for each in tests:
            values = (number(each["difference"]["value"]), number(each["p"], 4), number(each["corrected"], 4))
            table.add_row(Text(each["second"]), *values)
        yield table


def _cell(figures: Part | None, figure: str) -> str:
    return number(figures[figure]["value"]) if figures and figures[figure] else NOTHING


def _best(detectors: Sequence[Part], group: str, figure: str) -> set[str]:
    """The detectors with the best value, to the digits that are shown. How much is refused is better or worse for none.

    A gate that refuses everything would be the best at that.
    """
    known = [each for each in detectors if each[group] and each[group][figure]]
    values = {each["name"]: round(each[group][figure]["value"], 3) for each in known}
    if figure == "refused" or len(values) < 2:
        return set()
    wanted = min(values.values()) if figure == "fpr95" else max(values.values())
    return {name for name, value in values.items() if value == wanted}


def _forest(document: Part, group: str) -> str:
    rows = []
    for model, detectors in groupby(document["detectors"], key=lambda each: each["model"]):
        rows.append(Row(model, heading=True))
        rows += [Row(each["metric"], each[group]["auroc"]) for each in detectors]
    told = f"{TITLES[group]}: mean AUROC over categories of each detector, with intervals of 95 %."
    return forest_figure(f"forest-{group}", told, rows, f"mean AUROC, {group}")


def _model(document: Part, model: Part, at: int) -> dict[str, Any]:
    """A model with its detectors, and the figures of both."""
    detectors = [each for each in document["detectors"] if each["model"] == model["name"]]
    return {
        "model": model,
        "detectors": detectors,
        "distributions": [
            (each, drawn(distribution_figure(f"scores-{at}-{place}", each))) for place, each in enumerate(detectors)
        ],
        "history": [drawn(each) for each in _history(model, at)],
    }


def _history(model: Part, at: int) -> Iterator[str]:
    """A figure for each number that the model's training wrote down."""
    rows = model["history"]
    names = dict.fromkeys(name for row in rows for name, value in row.items() if _is_number(value) and name != "step")
    for place, name in enumerate(names):
        points = [(row.get("step", turn), row[name]) for turn, row in enumerate(rows) if _is_number(row.get(name))]
        yield history_figure(f"history-{at}-{place}", model["name"], name, points)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _stringency(document: Part) -> Iterator[tuple[str, str]]:
    """A figure for each classifier and each model whose detectors choose the images, with what it shows in words."""
    models = {each["name"]: each["model"] for each in document["detectors"]}
    for at, found in enumerate(document["stringency"]):
        for place, model in enumerate(document["models"]):
            curves = [
                (curve["detector"].removeprefix(f"{model['name']} "), curve)
                for curve in found["curves"]
                if models[curve["detector"]] == model["name"]
            ]
            told = f"{', '.join(found['labels'])} by {found['model']}, refused by {model['name']}"
            yield told, stringency_figure(f"stringency-{at}-{place}", told, curves)


def _shares(value: Part | None) -> str | Markup:
    """A share in per cent, with its interval under it."""
    if value is None:
        return NOTHING
    low, high = 100 * value["low"], 100 * value["high"]
    return Markup('{:.1f} % <span class="range">{:.1f} to {:.1f}</span>').format(100 * value["value"], low, high)


def _heat(value: Part | None) -> Markup:
    """The style attribute of a cell whose colour tells the AUROC."""
    if value is None:
        return Markup("")
    fill, text = cell_colours(value["value"])
    return Markup(' style="background:{};color:{}"').format(fill, text)


def _breakable(name: str) -> Markup:
    """A name whose lines may break after its underscores, and nowhere else."""
    return Markup("_<wbr>").join(name.split("_"))
