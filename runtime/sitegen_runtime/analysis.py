"""The way of an image, from bytes to a result document: one generator, driven by CPython and by the page alike.

bytes -> admitted by the gate (see `admission`) -> classifier -> the gate's second stage, if it has one -> findings
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sitegen_runtime.admission import Admission, Job, admit, guarded
from sitegen_runtime.document import ResultDraft
from sitegen_runtime.document_types import ResultDocument
from sitegen_runtime.gate.decision import Decision
from sitegen_runtime.pixels.corrections import CORRECTIONS
from sitegen_runtime.pixels.geometry import Place
from sitegen_runtime.requests import Progress, Request
from sitegen_runtime.stage_two import classify


@dataclass(frozen=True)
class Seen:
    """An image that was analysed, as the networks saw it: what more can be asked without doing all that again."""

    draft: ResultDraft
    image: Admission


@dataclass(frozen=True)
class Analysis:
    """The document, and what the page needs to draw beside it.

    `squares` are where the networks' inputs lie in the upright image, by role; `orientation` brings the stored image
    upright, a turn that was asked for included, and `inverted` says that black and white were then exchanged;
    `decision` holds the reconstruction and its errors, as the networks saw the image. `seen` is None where the analysis
    failed.
    """

    document: ResultDocument
    orientation: int = 1
    squares: Mapping[str, Place] = field(default_factory=dict)
    decision: Decision | None = None
    inverted: bool = False
    seen: Seen | None = None


def analyse(job: Job) -> Generator[Request, Any, Analysis]:
    """Yield what is needed, and return the analysis. Failures become documents with an `error`; none is raised."""
    draft = ResultDraft(job.name, job.model, job.engine)
    return guarded(draft, _analyse(job, draft), Analysis)


def _analyse(job: Job, draft: ResultDraft) -> Generator[Request, Any, Analysis]:
    seen = yield from look_at(job, draft)
    yield Progress("done", 1.0)
    return Analysis(draft.result(), *to_draw(seen))


def look_at(job: Job, draft: ResultDraft) -> Generator[Request, Any, Seen]:
    """Ask the gate and, where it accepts, the classifier; enter what they say into the draft."""
    image = yield from admit(job, draft, "classifier")
    if not draft.refused:
        logits = yield from classify(job.model, draft, image.values, job.force)
        if not draft.refused:
            draft.enter_findings(logits)
    return Seen(draft, image)


def to_draw(seen: Seen) -> tuple[int, Mapping[str, Place], Decision | None, bool, Seen]:
    """Return the fields of an `Analysis` after its document."""
    draft, image = seen.draft, seen.image
    inverted = draft.correction is not None and CORRECTIONS[draft.correction].inverts
    return image.orientation, image.squares, draft.decision, inverted, seen
