"""Images as a classifier takes them, from files that may not be what they should."""

from __future__ import annotations  # array[float] is a name for type checkers until Python 3.12

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sitegen.data.audit.document_types import ProblemDocument
from sitegen.evaluation.explanations.localisation.cases import Listed
from sitegen.prediction import Predictor
from sitegen.prediction.reading import read_image_file
from sitegen_runtime.errors import AnalysisError


@dataclass(frozen=True)
class Taken:
    """An image file with whose it is, and its flat values as the classifier takes them."""

    listed: Listed
    values: array[float]


def take(
    predictor: Predictor,
    images: Sequence[Listed],
    problems: list[ProblemDocument],
    *,
    count: int | None = None,
    force: bool = False,
    advance: Callable[[], None] = lambda: None,
) -> list[Taken]:
    """Return the first `count` images that can be used, all by default; `problems` gets why others cannot.

    Images that the gate refuses are left out, unless `force`; `advance` is called after each image.
    """
    taken: list[Taken] = []
    for each in images:
        if len(taken) == count:
            break
        found = _looked_at(predictor, each, force)
        if isinstance(found, str):
            problems.append({"file": str(each.path), "problem": found})
        else:
            taken.append(found)
        advance()
    return taken


def _looked_at(predictor: Predictor, image: Listed, force: bool) -> Taken | str:
    try:
        analysis = predictor.analyse(read_image_file(image.path), str(image.path), force=force)
    except AnalysisError as error:
        return str(error)
    if "error" in analysis.document or analysis.seen is None:
        return str(analysis.document["error"]["message"])
    if not analysis.document["findings"]:
        return "The gate refuses it. To take it all the same: --force"
    return Taken(image, analysis.seen.image.values)
