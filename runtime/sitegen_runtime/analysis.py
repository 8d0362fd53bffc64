"""The way of an image, from bytes to a result document: one generator, driven by CPython and by the page alike.

bytes -> admitted by the gate (see `admission`) -> classifier -> findings
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sitegen_runtime.admission import Job, admit, guarded, run_network, timed
from sitegen_runtime.document import Document, ResultDraft
from sitegen_runtime.gate import Decision
from sitegen_runtime.geometry import Square
from sitegen_runtime.requests import Progress, Request


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
    draft = ResultDraft(job.name, job.model, job.engine)
    return guarded(draft, _analyse(job, draft), Analysis)


def _analyse(job: Job, draft: ResultDraft) -> Generator[Request, Any, Analysis]:
    image = yield from admit(job, draft, "classifier")
    if image.granted:
        yield Progress("classifier", 0.0)
        with timed(draft, "classifier"):
            outputs = yield from run_network(job.model, "classifier", image.values, ("logits",))
            draft.enter_findings(outputs["logits"])
    yield Progress("done", 1.0)
    return Analysis(draft.result(), image.orientation, image.squares, draft.decision)
