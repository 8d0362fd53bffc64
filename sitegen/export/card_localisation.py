"""The part of a card that says what maps are worth against boxes that radiologists drew."""

from sitegen.bundle.localisation import DifferenceInterval, PointingFigures, ShareInterval
from sitegen.export.card_tables import SPLITS, plain, table
from sitegen.export.write_bundle import Draft
from sitegen_runtime.maps.methods import METHODS
from sitegen_runtime.wording.localisation import VERDICTS

_HEADER = ["maps", "cases (patients)", "in a box", "usual place", "difference"]


def localisation_section(draft: Draft) -> str:
    """Return the section in Markdown; nothing where no boxes were at hand."""
    found = draft.localisation
    if found is None:
        return ""
    rows = []
    for method in found.methods:
        name = METHODS[method.method].name
        rows.append(_row(name, method))
        if len(draft.labels) > 1:
            rows += [_row(f"{name}, {plain(part.finding)}", part) for part in method.findings]
    verdicts = [f"- {METHODS[method.method].name}: {VERDICTS[method.verdict]}" for method in found.methods]
    return "\n".join(
        [
            "## What the maps are worth",
            f"Radiologists drew {found.boxes} boxes around findings of {found.images} {_images(found.split)} of "
            f"{found.patients} patients. How often does the strongest place of a map lie in a box of its finding, and "
            "how often does the place where boxes of the finding usually lie, which is known from "
            f"{found.training_boxes} boxes of other patients and takes no look at the image?",
            "",
            table(_HEADER, rows),
            "",
            *verdicts,
            "",
            "A case is a finding of an image. Brackets are 95 % intervals over patients (bootstrap, 1,000 resamples).",
            "Images that the gate refuses are left out." if draft.gate else "",
        ]
    )


def _row(name: str, figures: PointingFigures) -> list[str]:
    counts = f"{figures.cases} ({figures.patients})"
    return [name, counts, *(_interval(each) for each in (figures.pointing, figures.usual, figures.difference))]


def _images(split: str | None) -> str:
    return f"{SPLITS[split]} images" if split in SPLITS else "images"


def _interval(interval: ShareInterval | DifferenceInterval | None) -> str:
    if interval is None:
        return "–"
    return f"{interval.value:.2f} ({interval.low:.2f} to {interval.high:.2f})"
