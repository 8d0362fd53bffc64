"""The way of an image, from bytes to a result document: one generator, driven by CPython and by the page alike.

bytes -> checked and stripped -> pixels -> tensors -> gate -> (refused, or) classifier -> findings

Every stage is timed, and announced with a `Progress` request, where a driver can throw `Cancelled` in.
"""

from __future__ import annotations  # array[float] is a name for type checkers until Python 3.12

from array import array
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import isfinite
from time import perf_counter
from typing import Any

from sitegen_runtime.document import Document, Draft
from sitegen_runtime.errors import AnalysisError, EngineFailed
from sitegen_runtime.formats import MAX_PIXELS, inspect_image
from sitegen_runtime.gate import Decision, decide
from sitegen_runtime.geometry import Square
from sitegen_runtime.model import Model, NetworkInput
from sitegen_runtime.pixels import collect
from sitegen_runtime.requests import Progress, Request, RunGraph


@dataclass(frozen=True)
class Job:
    """One image to analyse.

    `engine` goes into the document as it is: {"runtime", "provider", "threads"}. With `force`, an image that the gate
    refuses is classified all the same, and marked.
    """

    data: bytes
    name: str
    model: Model
    engine: Mapping[str, Any]
    force: bool = False
    max_pixels: int = MAX_PIXELS


@dataclass(frozen=True)
class Analysis:
    """The document, and what the page needs to draw beside it.

    `squares` are the parts of the upright image that the networks saw, by role; `orientation` turns the stored image
    upright; `decision` holds the reconstruction errors.
    """

    document: Document
    orientation: int = 1
    squares: Mapping[str, Square] = field(default_factory=dict)
    decision: Decision | None = None


def analyse(job: Job) -> Generator[Request, Any, Analysis]:
    """Yield what is needed, and return the analysis. Failures become documents with an `error`; none is raised."""
    draft = Draft(job.name, job.model, job.engine)
    with _timed(draft, "total"):
        try:
            return (yield from _analyse(job, draft))
        except AnalysisError as error:
            failure = error
        except MemoryError:
            failure = EngineFailed(
                "There is not enough memory for this image. Close other programs, or use a smaller image."
            )
        except Exception as error:  # a fault of ours must not take the other images down
            failure = AnalysisError(
                f"Unexpected {type(error).__name__}: {error}. Please report this, without the image."
            )
    return Analysis(draft.failure(failure))


def _analyse(job: Job, draft: Draft) -> Generator[Request, Any, Analysis]:
    yield Progress("check", 0.0)
    with _timed(draft, "check"):
        draft.hash_file(job.data)
        image = draft.image = inspect_image(job.data, max_pixels=job.max_pixels)
        draft.notes.extend(image.notes)
    yield Progress("pixels", 0.0)
    with _timed(draft, "pixels"):
        tensors, squares = yield from collect(image, _inputs(job.model))
        draft.enter_tensors(tensors)
    draft.notes.extend(_notes_on_size(squares, job.model))
    if job.model.gate:
        yield Progress("gate", 0.0)
        with _timed(draft, "gate"):
            draft.decision = yield from _judge(job.model, tensors["gate"])
    draft.forced = job.force and draft.decision is not None and not draft.decision.accepted
    if draft.forced or draft.decision is None or draft.decision.accepted:
        yield Progress("classifier", 0.0)
        with _timed(draft, "classifier"):
            draft.enter_findings((yield from _run(job.model, "classifier", "logits", tensors["classifier"])))
    yield Progress("done", 1.0)
    return Analysis(draft.result(), image.orientation, squares, draft.decision)


def _inputs(model: Model) -> dict[str, NetworkInput]:
    """The image inputs that every analysis needs, by role."""
    roles = ("classifier", "gate") if model.gate else ("classifier",)
    return {role: model.graphs[role].inputs[0] for role in roles}


def _judge(model: Model, values: array[float]) -> Generator[Request, Any, Decision]:
    assert model.gate is not None  # noqa: S101 - for the type checker: the caller has just looked
    reconstruction = yield from _run(model, "gate", "reconstruction", values)
    return decide(values, reconstruction, model.graphs["gate"].inputs[0], model.gate)


def _run(model: Model, role: str, output_role: str, values: array[float]) -> Generator[Request, Any, list[float]]:
    graph = model.graphs[role]
    output = graph.outputs[output_role]
    entry = graph.inputs[0]
    answer = yield RunGraph(role, entry.name, entry.shape, values, (output,))
    result = [float(value) for value in answer[output]]
    if not all(map(isfinite, result)):
        raise EngineFailed(f"The network {role!r} gave numbers that are not finite. Nothing can be said of this image.")
    return result


def _notes_on_size(squares: Mapping[str, Square], model: Model) -> Iterator[str]:
    cells = model.graphs["classifier"].inputs[0].cells
    side = squares["classifier"].side
    if side < cells:
        yield f"The image is smaller ({side} pixels) than what the model looks at ({cells}): it was enlarged."


@contextmanager
def _timed(draft: Draft, stage: str) -> Iterator[None]:
    start = perf_counter()
    try:
        yield
    finally:
        draft.timings[stage] = round(1000 * (perf_counter() - start), 1)
