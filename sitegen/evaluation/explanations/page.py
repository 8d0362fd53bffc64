"""An evaluation of explanations for people: one HTML file with its figures, and tables to print.

    as_html(document)      loads nothing; the same document gives the same bytes
    as_tables(document)    for the terminal

Every text of the document is escaped, and the page's policy allows no script and no pictures: it holds none of the
images that were explained.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from sitegen.evaluation.explanations.figures import curves_figure, matrix_figure, sanity_figure
from sitegen.evaluation.explanations.localisation import page as localised
from sitegen.evaluation.report.forest import Row, forest_figure
from sitegen.evaluation.report.page import NOTHING, WIDE, drawn, number, render
from sitegen.evaluation.report.terminal import table as table_of

Part = Mapping[str, Any]
AREAS = {
    "deletion": "deletion",
    "insertion": "insertion",
    "road_most": "ROAD, most relevant first",
    "road_least": "ROAD, least relevant first",
    "road_gap": "ROAD, gap",
}
CURVES = {
    "deletion": "share of cells deleted, most relevant first",
    "insertion": "share of cells inserted, most relevant first",
    "road_most": "share of cells filled in, most relevant first",
    "road_least": "share of cells filled in, least relevant first",
}
MEASURES = {
    "signed": "rank correlation",
    "absolute": "rank correlation of absolute values",
    "ssim": "structural similarity",
}
_HERE = Path(__file__).parent


def as_html(document: Part) -> str:
    """Return the report of a document that `study.study` made, in UTF-8 with LF line ends."""
    return render(
        _HERE,
        styles=(WIDE,),
        document=document,
        areas=AREAS,
        measures=MEASURES,
        verdicts=_verdicts(document),
        **localised.values(document["localisation"]),
        planted=[drawn(figure) for figure in _planted(document)],
        sanity=[(title, drawn(figure)) for title, figure in _sanity(document)],
        curves=[drawn(figure) for figure in _curves(document)],
        agreement=[(title, drawn(figure)) for title, figure in _agreement(document)],
    )


def as_tables(document: Part) -> Iterator[Table | str]:
    """Return tables of all methods: their areas, the boxes, the sanity check and the planted marks, where they were
    measured."""
    if document["localisation"]:
        yield from localised.as_tables(document["localisation"])
    if document["methods"]:
        table = _table("Areas, means over images", "map", *AREAS.values())
        for method in document["methods"]:
            table.add_row(Text(method["name"]), *(_value(method["areas"][area]) for area in AREAS))
        yield table
    if document["sanity"]:
        title = f"Sanity check, the upper {document['sanity']['read_at'] + 1} stages random"
        table = _table(title, "map", MEASURES["signed"], "at most", "")
        for each in document["sanity"]["methods"]:
            table.add_row(Text(each["name"]), number(each["similarity"]), number(each["limit"]), _passes(each))
        yield table
    if document["planted"]:
        area = document["planted"]["area"]
        table = _table(f"Planted marks, {area:.3f} of the image", "map", "points to it", "mass on it", "")
        for each in document["planted"]["methods"]:
            row = _value(each["hits"]), _value(each["mass"]), "finds it" if each["finds"] else "does not"
            table.add_row(Text(each["name"]), *row)
        yield table


def _verdicts(document: Part) -> list[dict[str, Any]]:
    """For each method what the sanity check and the planted marks say of it, in words; nothing where neither was."""
    sanity = {each["name"]: _passes(each) for each in (document["sanity"] or {"methods": []})["methods"]}
    planted = {
        each["name"]: "found" if each["finds"] else "not found"
        for each in (document["planted"] or {"methods": []})["methods"]
    }
    return [
        {
            "name": method["name"],
            "marked": method["marked_as_failing"],
            "sanity": sanity.get(method["name"], NOTHING),
            "planted": planted.get(method["name"], NOTHING),
        }
        for method in document["methods"]
        if method["kind"] != "baseline"
    ]


def _passes(each: Part) -> str:
    return "passes" if each["passes"] else "fails"


def _planted(document: Part) -> Iterator[str]:
    if document["planted"]:
        methods, area = document["planted"]["methods"], document["planted"]["area"]
        told = "Share of images on which the strongest cell lies in the mark, with intervals of 95 %."
        yield forest_figure("hits", told, [Row(each["name"], each["hits"]) for each in methods], "points to the mark")
        told = "Share of each map that lies in the mark, with intervals of 95 %; the line is its share of the image."
        yield forest_figure(
            "mass", told, [Row(each["name"], each["mass"]) for each in methods], "mass on the mark", area
        )


def _sanity(document: Part) -> Iterator[tuple[str, str]]:
    if document["sanity"]:
        for measure, told in MEASURES.items():
            figure = sanity_figure(f"cascading-{measure}", "cascading", document["sanity"], measure, told)
            yield f"From the last layer back, {told}", figure
        figure = sanity_figure("independent", "independent", document["sanity"], "signed", MEASURES["signed"])
        yield f"One group alone, {MEASURES['signed']}", figure


def _curves(document: Part) -> Iterator[str]:
    if document["with_curves"]:
        for curve, told in CURVES.items():
            yield curves_figure(curve, told, document["methods"], curve, document["curves_at"][curve])


def _agreement(document: Part) -> Iterator[tuple[str, str]]:
    agreement = document["agreement"]
    if not agreement["names"]:
        return
    titles = {"rank_correlation": "Rank correlation", "top_overlap": "Overlap of the strongest tenth of the cells"}
    for key, title in titles.items():
        yield title, matrix_figure(key, title, agreement["names"], agreement[key])


def _table(title: str, first: str, *others: str) -> Table:
    return table_of(Text(title), first, *others, no_wrap=False)


def _value(interval: Part | None) -> str:
    return NOTHING if interval is None else number(interval["value"])
