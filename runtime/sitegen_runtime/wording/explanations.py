"""Explanations in words, for people: what each method shows, where a map is strongest, what stands beside a picture.

The page draws these and decides nothing. Left and right are those of the picture, as it was analysed, and not those of
the patient.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sitegen_runtime.bundle.model import Model
from sitegen_runtime.document_types import Document, ExplanationDocument
from sitegen_runtime.explanation import ALL
from sitegen_runtime.maps.colour_maps import COLOUR_MAPS
from sitegen_runtime.maps.heat_map import Look
from sitegen_runtime.maps.methods import GRAD_CAM, METHODS, unavailable
from sitegen_runtime.maps.question import Estimated
from sitegen_runtime.pixels.grids import Shape
from sitegen_runtime.wording.gate import BADGE, describe_correction
from sitegen_runtime.wording.stages import EXPLANATION, describe_stages

NOT_FOR_DIAGNOSIS = "Not for diagnostic use."
OF_FLOAT = (
    "This map is of the network in float32. The classifier that gives the probabilities was made of it, and computes "
    "with whole numbers."
)
LEGEND = {"least": "little influence", "most": "strongest"}
_PLACES = (
    ("in the upper left", "at the top", "in the upper right"),
    ("on the left", "in the middle", "on the right"),
    ("in the lower left", "at the bottom", "in the lower right"),
)
_ALMOST = 0.8  # of the map's largest value


def describe_methods(model: Model) -> dict[str, Any]:
    """Return what the page offers for the findings of a model; some methods need nothing but its classifier.

    Keys: `name`, `open` and `missing` (words); `findings`, each with `finding`, `name` and `isAll`; `methods`, each
    with `method`, `name`, `choice` (its name in a list), `sentence`, and `warning` and `reason` (why it cannot be
    chosen), or None; `method`, which is shown first; `look`, its `name` and `controls`; `legend`; `stages` (see
    `describe_stages`); and `stopped`, which is `describe_failure` of a map that was cancelled on its way.
    """
    problems = {method: unavailable(model, method) for method in METHODS}
    reasons = {method: str(problem) for method, problem in problems.items() if problem}
    available = [method for method in (GRAD_CAM, *METHODS) if method not in reasons]
    return {
        "name": "Where the model looked",
        "open": "Show where",
        "missing": "Methods that this model cannot give, and why",
        "findings": list(_findings(model)),
        "methods": [_method(method, reasons.get(method), of_network(model, method)) for method in METHODS],
        "method": available[0],
        "look": {"name": "Look of the maps", "controls": _controls()},
        "legend": LEGEND,
        "stages": list(describe_stages(EXPLANATION)),
        "stopped": {"headline": "Cancelled", "details": []},
    }


PICTURE, SQUARE, MIDDLE = "the picture", "the square in the picture's middle", "the picture's middle"


def describe_map(
    document: Document,
    finding: str,
    method: str,
    values: Sequence[float],
    shape: Shape,
    *,
    covered: str = PICTURE,
    worth: str | None = None,
    estimated: Estimated | None = None,
    network: str | None = None,
) -> dict[str, Any]:
    """Return what to say of a map of this document's image; `covered` names what of it the map covers.

    `worth` is what `localisation.worth_of_map` says of such maps, `estimated` how sure the values are, and
    `network` what `of_network` says.

    Keys: `title`; `place` (a sentence: where it is strongest); `worth`, as it is given; `made` (of how many runs it is
    the mean, or which network it is of, or None); `alternative` (the picture in
    words); `badge` and `marks`, as `results.describe` has them; `file` (the name of a saved picture) and `saved` (its
    `lines`, and its `legend`).
    """
    name = document["image"]["name"]
    badge = BADGE if document.get("forced") else None
    marks = [document["correction"]] if "correction" in document else []
    marks += ["forced"] if badge else []
    title = f"{METHODS[method].name} for {_named(finding)}"
    place = strongest_places(values, shape, covered)
    forced = f" {badge['long']}." if badge else ""
    warning = METHODS[method].warning
    made = _made(values, estimated) if estimated else network
    known = [each for each in (made, worth) if each]
    lines = [title, name, place, *known, *([warning] if warning else []), *_notes(document, badge)]
    bundle = document["bundle"]
    return {
        "title": title,
        "place": place,
        "worth": worth,
        "made": made,
        "alternative": " ".join([f"{title}, over the image {name}.", place, *known]) + forced,
        "badge": badge,
        "marks": marks,
        "file": ".".join([name, method, _file_part(finding), *marks, "png"]),
        "saved": {"lines": [*lines, f"{NOT_FOR_DIAGNOSIS} {bundle['name']} {bundle['version']}"], "legend": LEGEND},
    }


def _made(values: Sequence[float], estimated: Estimated) -> str:
    """Say from how many masked copies a map is, and how sure its values are."""
    runs, asked = estimated.runs, estimated.asked
    begin = f"From {runs}" if runs == asked else f"Not finished: from the first {runs} of {asked}"
    return (
        f"{begin} masked copies of the image. Its largest value is {max(values):.3g}; the standard error of a value is "
        f"at most {max(estimated.errors):.2g}."
    )


def describe_failure(document: Document, entry: ExplanationDocument | None) -> dict[str, Any]:
    """Return `headline` and `details` for an image or an explanation (its `entry`) that could not be had."""
    error = document.get("error") or (entry.get("error") if entry else None)
    if error is None:
        return {"headline": "No map: the gate refused this image", "details": []}
    headline = "Cancelled" if error["code"] == "cancelled" else "This map could not be made"
    return {"headline": headline, "details": [error["message"]]}


def strongest_places(values: Sequence[float], shape: Shape, covered: str = "the picture") -> str:
    """Return a sentence that says in which ninths of what it covers a map (row-major) is strongest.

    Those count whose largest value is at least 80 % of the map's; at most three are named, the strongest first.
    """
    peaks = {ninth: peak for ninth, peak in _peaks(values, shape).items() if peak > 0.0}
    if not peaks:
        return "Nothing in this image raises the finding: the map is empty."
    ordered = sorted(peaks, key=lambda ninth: (-peaks[ninth], ninth))
    strong = [_PLACES[row][column] for row, column in ordered if peaks[row, column] >= _ALMOST * peaks[ordered[0]]]
    first, others = f"Strongest {strong[0]} of {covered}", strong[1:]
    if len(others) > 2:
        return f"{first}, and almost as strong in {len(others)} other parts of it."
    return f"{first}, and almost as strong {' and '.join(others)}." if others else f"{first}."


def _peaks(values: Sequence[float], shape: Shape) -> dict[tuple[int, int], float]:
    """Return the largest value in each ninth, by its row and column; a map of fewer cells has fewer of them."""
    rows, columns = shape
    ends = [-(-third * columns // 3) for third in range(4)]
    parts = [(third, ends[third], ends[third + 1]) for third in range(3) if ends[third] < ends[third + 1]]
    peaks: dict[tuple[int, int], float] = {}
    for row in range(rows):
        line = values[row * columns : (row + 1) * columns]
        for third, start, end in parts:
            ninth = 3 * row // rows, third
            peaks[ninth] = max(peaks.get(ninth, 0.0), max(line[start:end]))
    return peaks


def of_network(model: Model, method: str) -> str | None:
    """Say which network a map by a method is of, where that is not the one that gives the probabilities."""
    return OF_FLOAT if model.provenance.whole_numbers and METHODS[method].needs else None


def _method(method: str, reason: str | None, network: str | None) -> dict[str, Any]:
    row = METHODS[method]
    marks = [*(["fails sanity checks"] if row.warning else []), *(["not for this model"] if reason else [])]
    return {
        "method": method,
        "name": row.name,
        "choice": f"{row.name} ({', '.join(marks)})" if marks else row.name,
        "sentence": f"{row.sentence} {network}" if network else row.sentence,
        "warning": row.warning,
        "reason": reason,
    }


def _findings(model: Model) -> Iterator[dict[str, Any]]:
    for label in model.labels:
        yield {"finding": label.name, "name": label.name, "isAll": False}
    if len(model.labels) > 1:
        yield {"finding": ALL, "name": "All findings together", "isAll": True}


def _controls() -> list[dict[str, Any]]:
    """What the page's person can change of a map's look, in the units of `page_maps.read_look`."""
    usual = Look()
    maps = [{"value": name, "name": name.capitalize()} for name in COLOUR_MAPS]
    percent = {"step": 5, "unit": "%"}
    opacity, threshold = round(100 * usual.opacity), round(100 * usual.threshold)
    return [
        {"key": "opacity", "name": "Opacity of the strongest place", "value": opacity, "least": 10, "most": 100}
        | percent,
        {"key": "threshold", "name": "Leave out what is weaker than", "value": threshold, "least": 0, "most": 95}
        | percent,
        {"key": "colour_map", "name": "Colours", "value": usual.colour_map, "choices": maps},
    ]


def _named(finding: str) -> str:
    return "all findings together" if finding == ALL else finding


def _file_part(finding: str) -> str:
    """What file systems take as a part of a name."""
    return "".join(character if character.isalnum() or character in "-_ " else "-" for character in finding)


def _notes(document: Document, badge: Mapping[str, str] | None) -> Iterator[str]:
    if badge:
        yield f"{badge['long']}."
    if correction := describe_correction(document):
        yield f"The image was {correction['done']} before it was analysed."
