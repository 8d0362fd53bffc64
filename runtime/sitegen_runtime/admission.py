"""What every image goes through, whatever is asked of it: it is checked, scaled, and judged by the gate.

bytes -> checked and stripped -> pixels -> tensors -> gate -> (refused, or) admitted

Every stage is timed, and announced with a `Progress` request, where a driver can throw `Cancelled` in. Failures become
documents.
"""

from __future__ import annotations  # array[float] is a name for type checkers until Python 3.12

from array import array
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import isfinite
from time import perf_counter
from typing import Any, TypeVar

from sitegen_runtime.document import Document, Draft
from sitegen_runtime.errors import AnalysisError, EngineFailed
from sitegen_runtime.formats import MAX_PIXELS, inspect_image
from sitegen_runtime.gate import Decision, decide
from sitegen_runtime.geometry import Square
from sitegen_runtime.model import Model, NetworkInput
from sitegen_runtime.pixels import collect
from sitegen_runtime.requests import Feed, Progress, Request, RunGraph

T = TypeVar("T")


@dataclass(frozen=True)
class Job:
    """One image, and the model that is to see it.

    `engine` goes into the document as it is: {"runtime", "provider", "threads"}. With `force`, an image that the gate
    refuses goes on all the same, and is marked.
    """

    data: bytes
    name: str
    model: Model
    engine: Mapping[str, Any]
    force: bool = False
    max_pixels: int = MAX_PIXELS


@dataclass(frozen=True)
class Admission:
    """An image as a network takes it, and whether that may run.

    `values` are the network's input; `squares` are the parts of the upright image that the networks saw, by role;
    `orientation` turns the stored image upright; `granted` is False where the gate refused the image.
    """

    values: array[float]
    squares: Mapping[str, Square]
    orientation: int
    granted: bool


def guarded(
    draft: Draft, work: Generator[Request, Any, T], failed: Callable[[Document], T]
) -> Generator[Request, Any, T]:
    """Do the work and return what it returns; where it fails, return what `failed` makes of the document that says why.

    Nothing but what ends the interpreter or the generator is raised.
    """
    with timed(draft, "total"):
        try:
            return (yield from work)
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
    return failed(draft.failure(failure))


def admit(job: Job, draft: Draft, role: str) -> Generator[Request, Any, Admission]:
    """Check the image, scale it for the network of a role, and ask the gate; enter all that into the document."""
    yield Progress("check", 0.0)
    with timed(draft, "check"):
        draft.hash_file(job.data)
        image = draft.image = inspect_image(job.data, max_pixels=job.max_pixels)
        draft.notes.extend(image.notes)
    yield Progress("pixels", 0.0)
    with timed(draft, "pixels"):
        roles = (role, "gate") if job.model.gate else (role,)
        tensors, squares = yield from collect(image, {each: _image_input(job.model, each) for each in roles})
        draft.enter_tensors(tensors)
    draft.notes.extend(_notes_on_size(squares[role].side, _image_input(job.model, role).cells))
    if job.model.gate:
        yield Progress("gate", 0.0)
        with timed(draft, "gate"):
            draft.decision = yield from _judge(job.model, tensors["gate"])
    refused = draft.decision is not None and not draft.decision.accepted
    draft.forced = job.force and refused
    return Admission(tensors[role], squares, image.orientation, draft.forced or not refused)


def run_network(
    model: Model, role: str, values: array[float], outputs: tuple[str, ...], *others: Feed
) -> Generator[Request, Any, dict[str, array[float]]]:
    """Run the network of a role on the values of its image and its other inputs; return its outputs by their roles.

    Raises EngineFailed where they are not finite.
    """
    graph = model.graphs[role]
    image = _image_input(model, role)
    names = tuple(graph.outputs[output].name for output in outputs)
    answer = yield RunGraph(role, (Feed(image.name, image.shape, values), *others), names)
    results: dict[str, array[float]] = {output: answer[name] for output, name in zip(outputs, names, strict=True)}
    if not all(all(map(isfinite, part)) for part in results.values()):
        raise EngineFailed(f"The network {role!r} gave numbers that are not finite. Nothing can be said of this image.")
    return results


@contextmanager
def timed(draft: Draft, stage: str) -> Iterator[None]:
    """Enter the time that the block takes into the document, in milliseconds."""
    start = perf_counter()
    try:
        yield
    finally:
        draft.timings[stage] = round(1000 * (perf_counter() - start), 1)


def _image_input(model: Model, role: str) -> NetworkInput:
    return model.graphs[role].images[0]


def _judge(model: Model, values: array[float]) -> Generator[Request, Any, Decision]:
    assert model.gate is not None  # noqa: S101 - for the type checker: the caller has just looked
    outputs = yield from run_network(model, "gate", values, ("reconstruction",))
    return decide(values, outputs["reconstruction"], _image_input(model, "gate"), model.gate)


def _notes_on_size(side: int, cells: int) -> Iterator[str]:
    if side < cells:
        yield f"The image is smaller ({side} pixels) than what the model looks at ({cells}): it was enlarged."
