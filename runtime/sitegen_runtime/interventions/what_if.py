"""The way of an image to "what if": parts of it are replaced, and the model is asked again.

bytes -> analysed (see `analysis`), or what an analysis has seen -> for each intervention: cells replaced -> gate ->
classifier -> effects

Each intervention is tried by itself, on the image as it is. Only what the gate accepted, or what was forced, is tried.
The document is the result document with its `what_if`, see docs/effects.md. One that cannot be tried says why in its
own place; the others stay good.
"""

from __future__ import annotations  # array[float] is a name for type checkers until Python 3.12

from array import array
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sitegen_runtime.admission import Job, guarded
from sitegen_runtime.analysis import Analysis, Seen, look_at, to_draw
from sitegen_runtime.bundle.model import Model
from sitegen_runtime.document import ResultDraft, gate_document
from sitegen_runtime.document_types import WhatIfDocument
from sitegen_runtime.errors import AnalysisError, Cancelled, EngineFailed
from sitegen_runtime.gate.checks import blank_check
from sitegen_runtime.interventions.effects import effects_of
from sitegen_runtime.interventions.fillings import Canvas, Rebuilt
from sitegen_runtime.interventions.regions import (
    Intervention,
    Noise,
    Rectangle,
    check_mask,
    mask_of,
    read_interventions,
)
from sitegen_runtime.pixels.corrections import CORRECTIONS
from sitegen_runtime.pixels.geometry import stored_place, upright_size
from sitegen_runtime.requests import Progress, Request
from sitegen_runtime.running import image_input, timed
from sitegen_runtime.stage_one import judge
from sitegen_runtime.stage_two import classify

STAGE = "what-if"
Changed = Mapping[str, "array[float]"]  # inputs of networks, by role


@dataclass(frozen=True)
class Scene:
    """An image that was analysed, as its networks took it: a canvas for each of them, by role."""

    model: Model
    draft: ResultDraft
    canvases: Mapping[str, Canvas]

    def ask(self, changed: Mapping[str, array[float]]) -> Generator[Request, Any, ResultDraft]:
        """Return what gate and classifier say of changed inputs, by role; the gate refuses nothing here."""
        asked = ResultDraft(self.draft.name, self.model, self.draft.engine)
        with timed(self.draft, STAGE):
            if "gate" in changed:
                checks = blank_check(changed["gate"], self.canvases["gate"].entry)
                asked.decision = yield from judge(self.model, changed["gate"], checks)
            asked.enter_findings((yield from classify(self.model, asked, changed["classifier"], True)))
        return asked


@dataclass(frozen=True)
class Tried(Analysis):
    """An analysis with what was tried; `noisy` are the changed images of attacks, as the classifier takes them."""

    noisy: tuple[array[float], ...] = ()


def scene_of(model: Model, seen: Seen) -> Scene:
    """Return what an analysis has seen, ready to be changed."""
    image, decision = seen.image, seen.draft.decision
    rebuilt = Rebuilt(decision.reconstruction, decision.side, image.squares["gate"]) if decision else None
    given = {"classifier": image.values} | ({} if image.gate is None else {"gate": image.gate})
    canvases = {
        role: Canvas(values, image_input(model, role), image.squares[role], rebuilt) for role, values in given.items()
    }
    return Scene(model, seen.draft, canvases)


def try_out(job: Job, wanted: Any, *, seen: Seen | None = None) -> Generator[Request, Any, Tried]:
    """Yield what is needed, and return the analysis with what each wanted intervention would change.

    `wanted` is what `regions.read_interventions` reads. `seen` is what an earlier analysis of the same image, with the
    same model, force and correction, has kept: then nothing is decoded again. Failures become documents with an
    `error`; none is raised.
    """
    start = replace(seen.draft, timings={}, notes=list(seen.draft.notes)) if seen else None
    draft = start or ResultDraft(job.name, job.model, job.engine)
    return guarded(draft, _try_out(job, draft, wanted, seen), Tried)


def _try_out(job: Job, draft: ResultDraft, wanted: Any, seen: Seen | None) -> Generator[Request, Any, Tried]:
    interventions = read_interventions(wanted)
    seen = replace(seen, draft=draft) if seen else (yield from look_at(job, draft))
    entries: list[WhatIfDocument] = []
    noisy: list[array[float]] = []
    draft.what_if = entries
    if not draft.refused:
        scene = scene_of(job.model, seen)
        for place, intervention in enumerate(interventions):
            yield Progress(STAGE, place / len(interventions))
            entries.append((yield from _one(scene, intervention, noisy)))
    yield Progress("done", 1.0)
    return Tried(draft.result(), *to_draw(seen), tuple(noisy))


def _one(
    scene: Scene, intervention: Intervention | Noise, noisy: list[array[float]]
) -> Generator[Request, Any, WhatIfDocument]:
    """Return what an intervention changes, or why it cannot be tried; an image with noise is added to the others."""
    entry = _asked_for(intervention)
    try:
        if isinstance(intervention, Noise):
            changed, facts = yield from _with_noise(scene, intervention)
            noisy.append(changed["classifier"])
        else:
            changed, facts = _filled(scene, intervention)
        asked = yield from scene.ask(changed)
    except Cancelled:
        raise
    except AnalysisError as error:
        return {**entry, "error": error.fields()}
    except MemoryError:
        return {**entry, "error": EngineFailed("There is not enough memory for this. Close other programs.").fields()}
    return {
        **entry,
        **facts,
        "findings": list(effects_of(scene.draft.findings, asked.findings)),
        "gate": gate_document(asked.decision),
    }


def _asked_for(intervention: Intervention | Noise) -> WhatIfDocument:
    if isinstance(intervention, Noise):
        return {"attack": intervention.attack}
    return {"regions": [list(region) for region in intervention.regions], "filling": intervention.filling}


def _with_noise(scene: Scene, noise: Noise) -> Generator[Request, Any, tuple[Changed, WhatIfDocument]]:
    # Here: few visits attack anything, and the page's Python begins without what that takes.
    from sitegen_runtime.interventions.noise import add_noise

    with timed(scene.draft, STAGE):
        return (yield from add_noise(scene.model, scene.canvases, noise.attack))


def _filled(scene: Scene, intervention: Intervention) -> tuple[Changed, WhatIfDocument]:
    masks = masks_of(scene, intervention)
    changed = {role: scene.canvases[role].changed(mask, intervention.filling) for role, mask in masks.items()}
    return changed, {"cells": sum(masks["classifier"])}


def masks_of(scene: Scene, intervention: Intervention) -> dict[str, bytes]:
    """Return which cells of each network's input an intervention changes. Raises BadIntervention."""
    seen, correction = scene.draft.seen, scene.draft.correction
    assert seen is not None and scene.draft.image is not None  # noqa: S101 - for the type checker: the image was scaled
    orientation = CORRECTIONS[correction].orientation if correction else 1
    size = upright_size(scene.draft.image.width, scene.draft.image.height, scene.draft.image.orientation)

    def mask(role: str, regions: Sequence[Rectangle]) -> bytes:
        canvas = scene.canvases[role]
        return mask_of(regions, stored_place(canvas.square, *size, orientation), canvas.entry.grid, orientation)

    masks = {role: mask(role, intervention.regions) for role in scene.canvases}
    whole = mask("classifier", [(0, 0, *size)])
    check_mask(masks["classifier"], intervention.regions, seen["square"], whole)
    return masks
