"""The way of an image to its projection: as near as the bundle's generator comes to it.

bytes -> analysed (see `analysis`), or what an analysis has seen -> scaled for the generator -> its steps -> compared

What the gate refuses is projected, too: the difference shows what is unusual. The document is the result document with
its `projection`, see docs/projection.md.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sitegen_runtime.admission import Job, guarded, scaled
from sitegen_runtime.analysis import Analysis, Seen, look_at, to_draw
from sitegen_runtime.bundle.model import NetworkInput
from sitegen_runtime.document import ResultDraft
from sitegen_runtime.document_types import ProjectionDocument
from sitegen_runtime.pixels.geometry import Place
from sitegen_runtime.pixels.tensor import tensor_hash
from sitegen_runtime.projection.compared import Compared, compared
from sitegen_runtime.projection.loop import ROLE, STAGE, Projected, check_generator, project
from sitegen_runtime.projection.schedule import Wish, read_wish
from sitegen_runtime.requests import Progress, Request
from sitegen_runtime.running import image_input, timed

POINTS = 100
"""Of the curve of distances, at most."""

_RANGE = 4.0  # the square of black to white


@dataclass(frozen=True)
class OnItsWay:
    """A projection as far as it has come, of so many steps, and what its values are (see `requests.Sketch`)."""

    now: Projected
    steps: int
    image: NetworkInput


@dataclass(frozen=True)
class Closer:
    """A finished reconstruction: the entry of the document, both pictures, and where they lie."""

    entry: ProjectionDocument
    compared: Compared
    square: Place
    side: int


@dataclass(frozen=True)
class Reconstructed(Analysis):
    """An analysis with the reconstruction, if it could be had."""

    closer: Closer | None = None


def reconstruct(job: Job, wanted: Any, *, seen: Seen | None = None) -> Generator[Request, Any, Reconstructed]:
    """Yield what is needed, and return the analysis with a projection as `wanted` (see `schedule.read_wish`).

    `seen` is what an earlier analysis of the same image, with the same model, force and correction, has kept. Failures
    become documents with an `error`; none is raised.
    """
    start = replace(seen.draft, timings={}, notes=list(seen.draft.notes)) if seen else None
    draft = start or ResultDraft(job.name, job.model, job.engine)
    return guarded(draft, _reconstruct(job, draft, wanted, seen), Reconstructed)


def _reconstruct(
    job: Job, draft: ResultDraft, wanted: Any, seen: Seen | None
) -> Generator[Request, Any, Reconstructed]:
    check_generator(job.model)
    wish = read_wish(wanted)
    seen = replace(seen, draft=draft) if seen else (yield from look_at(job, draft))
    values, square = yield from scaled(job, ROLE)
    draft.tensors = dict(sorted({**draft.tensors, ROLE: tensor_hash(values)}.items()))
    entry = image_input(job.model, ROLE)

    with timed(draft, STAGE):
        found = yield from project(job.model, values, wish, lambda now: OnItsWay(now, wish.steps, entry))
        beside = compared(values, found.reconstruction, entry)
    made = Closer(_entry(found, beside, wish), beside, square, entry.side)
    draft.projection = made.entry
    yield Progress("done", 1.0)
    return Reconstructed(draft.result(), *to_draw(seen), made)


def _entry(found: Projected, beside: Compared, wish: Wish) -> ProjectionDocument:
    worst = beside.worst
    return {
        "steps": found.steps,
        "steps_asked": wish.steps,
        "seed": wish.seed,
        "space": wish.space,
        "distances": curve(found.distances),
        "error": beside.error,
        "similarity": beside.similarity,
        "worst": {"x": worst.x, "y": worst.y, "size": worst.size, "error": worst.error},
        "sha256": tensor_hash(found.reconstruction),
    }


def curve(distances: Sequence[float]) -> list[list[float]]:
    """Return pairs of a step and its distance in shares of the range's square: POINTS at most, and the last."""
    every = max(1, -(-len(distances) // POINTS))
    chosen = sorted({*range(0, len(distances), every), len(distances) - 1})
    return [[float(step), distances[step] / _RANGE] for step in chosen]
