"""The way of an image, from bytes to a result document: one generator, driven by CPython and by the page alike.

bytes -> admitted by the gate (see `admission`) -> classifier -> the gate's second stage, if it has one -> findings
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sitegen_runtime.admission import Job, admit, guarded
from sitegen_runtime.document import Document, ResultDraft
from sitegen_runtime.gate import Decision
from sitegen_runtime.geometry import Square
from sitegen_runtime.requests import Progress, Request
from sitegen_runtime.stage_two import classify
from sitegen_runtime.variants import INVERT


@dataclass(frozen=True)
class Analysis:
    """The document, and what the page needs to draw beside it.

    `squares` are the parts of the upright image that the networks saw, by role; `orientation` brings the stored image
    upright, a turn that was asked for included, and `inverted` says that black and white were then exchanged;
    `decision` holds the reconstruction and its errors, as the networks saw the image.
    """

    document: Document
    orientation: int = 1
    squares: Mapping[str, Square] = field(default_factory=dict)
    decision: Decision | None = None
    inverted: bool = False


def analyse(job: Job) -> Generator[Request, Any, Analysis]:
    """Yield what is needed, and return the analysis. Failures become documents with an `error`; none is raised."""
    draft = ResultDraft(job.name, job.model, job.engine)
    return guarded(draft, _analyse(job, draft), Analysis)


def _analyse(job: Job, draft: ResultDraft) -> Generator[Request, Any, Analysis]:
    image = yield from admit(job, draft, "classifier")
    if not draft.refused:
        logits = yield from classify(job.model, draft, image.values, job.force)
        if not draft.refused:
            draft.enter_findings(logits)
    yield Progress("done", 1.0)
    return Analysis(draft.result(), image.orientation, image.squares, draft.decision, job.correction == INVERT)
