"""Anomaly detection for people: a page with a table and a figure for each set, tables to print, tables of draws."""

import csv
from collections.abc import Iterator, Mapping
from io import StringIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from sitegen.evaluation.anomaly.document_types import AnomalyDocument, DetectedDocument
from sitegen.evaluation.report.forest import Row, forest_figure
from sitegen.evaluation.report.page import NOTHING, WIDE, drawn, interval, number, render
from sitegen.evaluation.report.terminal import table

_HERE = Path(__file__).parent
_REGIONS = {"body": "body", "patch": "patch"}
_NAMES = {"mse": "squared error", "wasserstein": "Wasserstein", "ssim": "SSIM"}


def told(distance: str) -> str:
    """Return what people call a column of distances."""
    region, _, name = distance.rpartition("_")
    return f"{_NAMES[name]}, {_REGIONS.get(region, 'whole')}"


def as_html(document: AnomalyDocument) -> str:
    """Return one file that loads nothing; the same document gives the same bytes."""
    figures = []
    for at, name in enumerate(document["anomalies"]):
        rows = [Row(told(each["distance"]), each["auroc"]) for each in _of(document, name)]
        what = f"AUROC of {name} against {document['baseline']}:"
        figures.append((name, drawn(forest_figure(f"auroc-{at}", what, rows, "AUROC", 0.5))))
    return render(_HERE, {"told": told}, (WIDE,), document=document, figures=figures)


def as_tables(document: AnomalyDocument) -> Iterator[Table]:
    """Return tables for the terminal: a row for each distance, by set; then means and comparisons."""
    for name in document["anomalies"]:
        made = table(f"{name} against {document['baseline']}", "distance", "images", "AUROC (95 %)", "subsampled")
        for each in _of(document, name):
            counts = f"{each['anomaly_images']} / {each['baseline_images']}"
            made.add_row(told(each["distance"]), counts, interval(each["auroc"]), _subsampled(each))
        yield made
    if len(document["anomalies"]) > 1:
        made = table("Mean over the sets", "distance", "sets", "AUROC (95 %)", "SD between sets")
        for mean in document["means"]:
            row = (str(mean["sets"]), interval(mean["auroc"]), number(mean["between_sets"]))
            made.add_row(told(mean["distance"]), *row)
        yield made
    if document["compared"]:
        made = table(f"Against {told(document['compared'][0]['against'])}", "distance", "difference", "p", "Holm")
        for test in document["compared"]:
            ps = (f"{test['p']:.4f}", f"{test['holm']:.4f}")
            made.add_row(told(test["distance"]), f"{test['difference']:+.3f}", *ps)
        yield made


def as_csv(columns: Mapping[str, NDArray[np.float64]]) -> str:
    """Return the AUROC of every draw as a table: a row a draw, a column a set and distance."""
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["draw", *columns])
    writer.writerows([at, *(repr(value) for value in row)] for at, row in enumerate(zip(*_lists(columns), strict=True)))
    return out.getvalue()


def _lists(columns: Mapping[str, NDArray[np.float64]]) -> list[list[float]]:
    return [column.tolist() for column in columns.values()]


def _of(document: AnomalyDocument, name: str) -> list[DetectedDocument]:
    return [each for each in document["detected"] if each["anomaly"] == name]


def _subsampled(each: DetectedDocument) -> str:
    found = each["subsampled"]
    return f"{found['mean']:.3f} ± {found['deviation']:.3f}" if found else NOTHING
