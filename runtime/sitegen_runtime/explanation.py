"""The way of an image to explanations: where the classifier looked, for a finding, by a method.

bytes -> analysed (see `analysis`), or what an analysis has seen -> for each that is asked for: networks -> a map

Only what the gate accepted, or what was forced, is explained. The document is the result document with its
`explanations`, see docs/explanations.md. One that cannot be had says why in its own place; the others stay good.
"""

from __future__ import annotations  # array[float] is a name for type checkers until Python 3.12

from array import array
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sitegen_runtime.admission import Job, guarded
from sitegen_runtime.analysis import Analysis, Seen, look_at, to_draw
from sitegen_runtime.bundle.model import Model
from sitegen_runtime.document import ResultDraft
from sitegen_runtime.document_types import ExplanationDocument, ResultDocument
from sitegen_runtime.errors import AnalysisError, BadExplanation, Cancelled, EngineFailed
from sitegen_runtime.maps.methods import METHODS, draw_map
from sitegen_runtime.maps.question import Estimated, Map, Question
from sitegen_runtime.pixels.grids import Shape
from sitegen_runtime.pixels.tensor import tensor_hash
from sitegen_runtime.requests import Progress, Request
from sitegen_runtime.running import timed

ALL = "all"  # the finding that stands for all of them: the sum of their logits
_KEYS, _MORE = {"finding", "method"}, {"runs"}


@dataclass(frozen=True)
class Explanation:
    """A map of float32 values in the shape (rows, columns), over the part of the image that the classifier sees.

    `estimated` where the values are means over random masks.
    """

    finding: str
    method: str
    shape: Shape
    values: array[float]
    estimated: Estimated | None = None


@dataclass(frozen=True)
class Explained(Analysis):
    """An analysis with the maps that were asked for and could be had, in the order of the document."""

    maps: tuple[Explanation, ...] = ()


def explain(
    job: Job, wanted: Any, *, values: bool = False, seen: Seen | None = None
) -> Generator[Request, Any, Explained]:
    """Yield what is needed, and return the analysis with explanations of what is `wanted`.

    `wanted` is a list of mappings {"finding", "method"}: a label, or ALL, and one of METHODS; a map of random masks may
    also have "runs", a number of them below its own (2 at least). With `values` the document has the maps' values, too.
    `seen` is what an earlier analysis of the same image, with the same model, force and correction, has kept: then
    nothing is decoded, judged or classified again. Failures become documents with an `error`; none is raised.
    """
    start = replace(seen.draft, timings={}, notes=list(seen.draft.notes)) if seen else None
    draft = start or ResultDraft(job.name, job.model, job.engine)
    return guarded(draft, _explain(job, draft, wanted, values, seen), Explained)


def _explain(
    job: Job, draft: ResultDraft, wanted: Any, values: bool, seen: Seen | None
) -> Generator[Request, Any, Explained]:
    questions = _checked(wanted)
    seen = replace(seen, draft=draft) if seen else (yield from look_at(job, draft))
    entries: list[ExplanationDocument] = []
    draft.explanations = entries
    maps = () if draft.refused else (yield from _answer(job.model, seen, questions, entries, values))
    yield Progress("done", 1.0)
    return Explained(draft.result(), *to_draw(seen), maps)


def _checked(wanted: Any) -> list[Mapping[str, Any]]:
    """Return what is wanted, whatever findings and methods it names. Raises BadExplanation where it is no such list."""
    if not isinstance(wanted, Sequence) or isinstance(wanted, str):
        raise BadExplanation('What to explain must be a list of {"finding": …, "method": …}.')
    for entry in wanted:
        if not isinstance(entry, Mapping) or set(entry) - _MORE != _KEYS:
            raise BadExplanation(f'What to explain must be {{"finding": …, "method": …}}, and nothing more: {entry!r}.')
    return list(wanted)


def _answer(
    model: Model,
    seen: Seen,
    questions: Sequence[Mapping[str, Any]],
    entries: list[ExplanationDocument],
    with_values: bool,
) -> Generator[Request, Any, tuple[Explanation, ...]]:
    """Make one map after the other, and add each, or why there is none, to the document's entries."""
    maps = []
    for place, question in enumerate(questions):
        try:
            found = yield from _one(model, seen, question, place / len(questions), 1 / len(questions))
        except Cancelled:
            raise
        except AnalysisError as error:
            entries.append(_failure(question, error))
        except MemoryError:
            problem = EngineFailed("There is not enough memory for this map. Close other programs.")
            entries.append(_failure(question, problem))
        else:
            maps.append(found)
            entries.append(_entry(found, with_values))
    return tuple(maps)


def _one(
    model: Model, seen: Seen, wanted: Mapping[str, Any], done: float, share: float
) -> Generator[Request, Any, Explanation]:
    finding, method = wanted["finding"], wanted["method"]
    if method not in tuple(METHODS):  # whatever it is, hashable or not
        raise BadExplanation(f"There is no method {method!r}. The methods are {_names(METHODS)}.")

    def told(drawn: Map) -> Explained:
        found = Explanation(finding, method, drawn.shape, drawn.values, drawn.estimated)
        document: ResultDocument = {**seen.draft.result(), "explanations": [_entry(found, False)]}
        return Explained(document, *to_draw(seen), (found,))

    labels, runs = _labels(model, finding), _runs(wanted)
    question = Question(model, seen.draft, labels, seen.image.values, done, share, told, runs)
    with timed(seen.draft, "explanation"):
        drawn = yield from draw_map(question, method)
    return Explanation(finding, method, drawn.shape, drawn.values, drawn.estimated)


def _labels(model: Model, finding: Any) -> tuple[int, ...]:
    """Return the indices of the labels that a finding stands for. Raises BadExplanation for one that is unknown."""
    labels = [label.name for label in model.labels]
    if finding in labels:  # also where a label is called "all"
        return (labels.index(finding),)
    if finding == ALL:
        return tuple(range(len(labels)))
    raise BadExplanation(f"The model has no finding {finding!r}. It has {_names(labels)}, and {ALL!r} for their sum.")


def _runs(wanted: Mapping[str, Any]) -> int | None:
    """Return how many masks are asked for, None for as many as the method has. Raises BadExplanation."""
    runs, method = wanted.get("runs"), METHODS[wanted["method"]]
    if runs is None or (method.masked and isinstance(runs, int) and 2 <= runs <= method.runs):
        return runs
    if method.masked:
        raise BadExplanation(f"A map by {wanted['method']!r} is of 2 to {method.runs} runs, not {runs!r}.")
    raise BadExplanation(f"The method {wanted['method']!r} draws no masks: leave `runs` out.")


def _entry(found: Explanation, with_values: bool) -> ExplanationDocument:
    entry: ExplanationDocument = {
        "finding": found.finding,
        "method": found.method,
        "shape": list(found.shape),
        "min": min(found.values),
        "max": max(found.values),
        "sha256": tensor_hash(found.values),
    }
    if with_values:
        entry["values"] = list(found.values)
    if found.estimated:
        entry["runs"], entry["runs_asked"] = found.estimated.runs, found.estimated.asked
        entry["largest_error"] = max(found.estimated.errors)
        if with_values:
            entry["standard_errors"] = list(found.estimated.errors)
    return entry


def _failure(question: Mapping[str, Any], error: AnalysisError) -> ExplanationDocument:
    return {"finding": question["finding"], "method": question["method"], "error": error.fields()}


def _names(names: Iterable[str]) -> str:
    return ", ".join(map(repr, names))
