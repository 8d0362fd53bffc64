"""The report of an import for people: one HTML file with its figures and styles, which loads nothing.

    as_html(document)      the same document gives the same bytes

The page runs no script and its policy allows none; every text of the document is escaped. It holds none of the images.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup

from sitegen.evaluation.report.page import NOTHING, drawn, render
from sitegen.export.variants.told import form_words
from sitegen.importing.report.document import flattened
from sitegen.importing.report.figures import fraction_curve, histogram

Part = Mapping[str, Any]
_HERE = Path(__file__).parent
GRAPHS = {
    "classifier": "what it finds",
    "gradient": "gradients with respect to the image",
    "cam": "class activation maps and Grad-CAM",
    "guided": "guided backpropagation",
    "gate": "whether an image is judged at all",
    "features": "scores of the gate",
}


def as_html(document: Part) -> str:
    """Return the report of a document that `import_document` made, in UTF-8 with LF line ends."""
    compared = document["preprocessing"]
    return render(
        _HERE,
        {"small": small, "points": points, "share": share},
        document=document,
        origin=flattened(document["import"]),
        meanings=GRAPHS,
        histograms=[(entry["label"], drawn(histogram(entry))) for entry in compared["findings"]] if compared else [],
        curve=_curve(document),
        input_words=_input_words(document["input"]),
        form_words=form_words(document["weights"]) if document["weights"] else "",
    )


def small(value: float | None) -> str:
    """Return a difference that is hardly there."""
    return NOTHING if value is None else f"{value:.1e}"


def points(value: float | None) -> str:
    """Return percentage points; two digits of those that are hardly there."""
    if value is None:
        return NOTHING
    return f"{value:.2f}" if value >= 0.01 or value == 0 else f"{value:.1g}"


def share(value: float | None) -> str:
    """Return a share in per cent."""
    return NOTHING if value is None else f"{100 * value:.2f} %"


def _curve(document: Part) -> Markup | None:
    compared = document["preprocessing"]
    if not compared or not compared["fractions"]:
        return None
    return drawn(fraction_curve(compared["fractions"], document["input"]["fraction"], compared["suggested"]))


def _input_words(given: Part) -> str:
    low, high = given["range"]
    rows, columns = given["side"] if isinstance(given["side"], list) else (given["side"], given["side"])
    size = f"{rows} × {columns}" if rows == columns else f"{rows} rows × {columns} columns"
    words = f"{size} {given['colour']}, {given['seen']}, values {low:g} to {high:g}"
    if set(given["mean"]) == {0.0} and set(given["std"]) == {1.0}:
        return words
    mean, std = (" ".join(f"{value:g}" for value in given[name]) for name in ("mean", "std"))
    return f"{words}, less {mean}, divided by {std}"
