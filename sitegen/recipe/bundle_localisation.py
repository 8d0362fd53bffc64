"""What a bundle keeps of its maps against boxes: an extract of the document of an evaluation of explanations."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sitegen.bundle import Bundle
from sitegen.bundle.localisation import FindingPointing, Localisation, MethodPointing
from sitegen.data.dataset import data_folder
from sitegen.data.records import TEST, Record, label_names
from sitegen.evaluation.explanations.localisation.boxes import read_boxes
from sitegen.evaluation.explanations.localisation.cases import gather, of_records
from sitegen.evaluation.explanations.localisation.document_types import LocalisationDocument, LocalisedPart
from sitegen.evaluation.explanations.localisation.measured import USUAL
from sitegen.evaluation.explanations.localisation.study import localise
from sitegen.metrics.document_types import IntervalDocument
from sitegen.settings.recipe import RecipeFile
from sitegen_runtime.maps.methods import MANY_RUNS, METHODS, unavailable

DIGITS = 4


def boxes_of(recipe: RecipeFile, place: Path | None, records: Sequence[Record]) -> Path | None:
    """Return the file of boxes that a recipe names, None where it names none; `place` is other data than the recipe's.

    Raises DataError where it cannot be read as boxes, or has none for these records' findings in test images: at once,
    and not after a training.
    """
    if not recipe.evaluation.boxes:
        return None
    path = data_folder(recipe, place) / recipe.evaluation.boxes
    gather(read_boxes(path), of_records(records), label_names(records), TEST)
    return path


def bundle_localisation(bundle: Bundle, records: Sequence[Record], boxes: Path) -> Localisation:
    """Return what the maps of each method that the page offers are worth on the test images with boxes.

    But of those that run a network hundreds of times a map: on hundreds of images that would take hours.

    Images that the gate refuses are left out: the page has no maps of them. Intervals are those of
    `sitegen evaluate explanations`, with 1,000 resamples and seed 0. Raises DataError where no box can be used.
    """
    methods = [
        method for method, row in METHODS.items() if row.runs < MANY_RUNS and unavailable(bundle.model, method) is None
    ]
    found = localise(bundle, of_records(records), boxes, methods, split=TEST)
    return _extract(found.document, methods)


def _extract(document: LocalisationDocument, methods: Sequence[str]) -> Localisation:
    whole = document["all"]
    return Localisation(
        split=document["split"],
        boxes=whole["boxes"],
        images=document["images"],
        patients=whole["patients"],
        training_boxes=document["training"]["boxes"],
        methods=[
            MethodPointing(
                method=method,
                findings=[
                    FindingPointing(finding=part["finding"], **_figures(part, method)) for part in document["findings"]
                ],
                **_figures(whole, method),
            )
            for method in methods
        ],
    )


def _figures(part: LocalisedPart, method: str) -> dict[str, Any]:
    maps = {each["name"]: each for each in part["maps"]}
    return {
        "cases": part["cases"],
        "patients": part["patients"],
        "pointing": _rounded(maps[method]["pointing"]),
        "usual": _rounded(maps[USUAL]["pointing"]),
        "difference": _rounded(maps[method]["difference"]),
        "verdict": maps[method]["verdict"],
    }


def _rounded(interval: IntervalDocument | None) -> dict[str, float] | None:
    if interval is None:
        return None
    return {name: round(interval[name], DIGITS) for name in ("value", "low", "high")}
