"""Maps against boxes for people: the section of the report, tables to print, and remarks."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich.table import Table
from rich.text import Text

from sitegen.evaluation.explanations.localisation.measured import CENTRE, LUNGS, RANDOM, USUAL
from sitegen.evaluation.report.forest import Row, forest_figure
from sitegen.evaluation.report.page import NOTHING, drawn, number
from sitegen.evaluation.report.terminal import table as table_of
from sitegen_runtime.wording.localisation import VERDICTS

Part = Mapping[str, Any]
BASELINES = {
    RANDOM: "a place by chance: the share of the square that the boxes cover",
    "centre": f"the middle of the square, {CENTRE[0]} and {CENTRE[1]} of its sides",
    "lungs": f"the middle of a lung, {LUNGS[0][0]} or {LUNGS[1][0]} across, {LUNGS[0][1]} down: mean of both",
    USUAL: "where boxes of the finding usually lie, known from other patients; its boxes are theirs",
}


def values(document: Part | None) -> dict[str, Any]:
    """Return what the section in `section.html.j2` is filled in with; without figures the page leaves it out."""
    if document is None:
        return {"boxes": None}
    return {
        "boxes": document,
        "box_verdicts": list(_verdicts(document)),
        "box_figures": [(title, drawn(figure)) for title, figure in _figures(document)],
        "box_baselines": BASELINES,
        "box_remarks": list(remarks_of(document)),
    }


def as_tables(document: Part) -> Iterator[Table | str]:
    """Return a table of all findings together, one of each finding by itself, and the verdicts in words."""
    whole = document["all"]
    title = f"Strongest place in a box: {whole['cases']} cases of {whole['patients']} patients"
    table = table_of(Text(title), "map", "points into a box", "less the usual place", "share inside", no_wrap=False)
    for each in whole["maps"]:
        cells = _short(each["pointing"]), _short(each["difference"]), _short(each["energy"])
        table.add_row(Text(each["name"]), *cells)
    yield table
    if len(document["findings"]) > 1:
        yield _by_finding(document)
    for verdict in _verdicts(document):
        yield f"{verdict['name']}: {verdict['words']}"


def remarks_of(document: Part) -> Iterator[str]:
    """Return sentences on the boxes that are not in the figures, or not whole."""
    if count := document["outside"]:
        yield f"{count} box(es) lie wholly outside of the square that the model sees, and are not counted."
    if count := document["cut"]:
        yield f"{count} box(es) are cut at the border of the square that the model sees."
    if count := document["without_image"]:
        yield f"{count} box(es) are of images that were not given."
    if others := document["other_findings"]:
        named = ", ".join(f"{name} ({count})" for name, count in others.items())
        yield f"The model does not have the findings of {sum(others.values())} other box(es): {named}."
    if count := document["training"]["shared_patients"]:
        yield f"{count} patient(s) have boxes on both sides: for each, the usual place is known from the others alone."
    if not document["training"]["boxes"]:
        yield "There are no boxes of training images, so the usual places are not known."


def _by_finding(document: Part) -> Table:
    names = [each["name"] for each in document["all"]["maps"] if each["kind"] == "method" or each["name"] == USUAL]
    table = table_of(Text("Points into a box, by finding"), "finding", "cases", *names)
    for part in document["findings"]:
        found = {each["name"]: each["pointing"] for each in part["maps"]}
        values = (found[name]["value"] if found[name] else None for name in names)
        table.add_row(Text(part["finding"]), str(part["cases"]), *(number(value, 2) for value in values))
    return table


def _verdicts(document: Part) -> Iterator[dict[str, str]]:
    for each in document["all"]["maps"]:
        if each["verdict"]:
            yield {"name": each["name"], "words": VERDICTS[each["verdict"]]}


def _figures(document: Part) -> Iterator[tuple[str, str]]:
    whole = document["all"]
    told = "How often a map's strongest place lies in a box, with intervals of 95 %; the line is the usual place."
    usual = next(each["pointing"] for each in whole["maps"] if each["name"] == USUAL)
    rows = [Row(each["name"], each["pointing"]) for each in whole["maps"]]
    line = usual["value"] if usual else None
    yield "Pointing, all findings", forest_figure("boxes", told, rows, "share of cases in a box", line)
    if usual is None:
        return
    rows = list(_differences(document))
    told = "How much more often maps point into a box than the usual place does, with intervals of 95 %."
    yield "Beside the usual place", forest_figure("box-differences", told, rows, "less the usual place", 0.0)


def _differences(document: Part) -> Iterator[Row]:
    parts = [("all findings", document["all"]), *((part["finding"], part) for part in document["findings"])]
    for name, part in parts if len(parts) > 2 else parts[:1]:
        yield Row(name, heading=True)
        for each in part["maps"]:
            if each["kind"] == "method":
                yield Row(each["name"], each["difference"])


def _short(interval: Part | None) -> str:
    if interval is None:
        return NOTHING
    return f"{interval['value']:.2f} ({interval['low']:.2f} to {interval['high']:.2f})"
