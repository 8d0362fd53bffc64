"""Y → X: what a finding loses where its boxes are masked, beside what it loses where the same boxes lie elsewhere."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sitegen.bundle import Bundle
from sitegen.data.audit.document_types import ProblemDocument
from sitegen.errors import DataError
from sitegen.evaluation.effects.document_types import BoxCase, BoxedLabel, BoxEffectsDocument
from sitegen.evaluation.effects.study import Distribution
from sitegen.evaluation.explanations.localisation.boxes import read_boxes
from sitegen.evaluation.explanations.localisation.cases import BoxedImage, gather, listed
from sitegen.metrics.document_types import IntervalDocument
from sitegen.metrics.resampling import interval_by_patient
from sitegen.prediction import Predictor

SCHEMA = "sitegen.box-effects/1"
ELSEWHERE = 8  # other places of the same boxes, on average over which theirs is judged
_TRIES = 400
Rectangles = NDArray[np.float64]  # [N, 4]: left, top, width, height, in pixels


@dataclass
class _Found:
    cases: list[BoxCase] = field(default_factory=list)
    problems: list[ProblemDocument] = field(default_factory=list)


def boxed_study(
    bundle: Bundle,
    paths: Sequence[Path],
    boxes: Path,
    over: Distribution,
    *,
    split: str | None = None,
    force: bool = False,
    advance: Callable[[int, int], None] = lambda done, total: None,
) -> BoxEffectsDocument:
    """Return the document that docs/effects.md describes, of the boxes of a split; of `over`, filling and seeds count.

    `advance` is told after each image how many are done, and of how many.
    Raises DataError where there is nothing to mask, and what `read_boxes` and `gather` raise.
    """
    predictor, found = Predictor(bundle), _Found()
    labels = [label.name for label in predictor.model.labels]
    gathered = gather(read_boxes(boxes), listed(paths), labels, split)
    for number, image in enumerate(gathered.images):
        _look(predictor, image, over, force, np.random.default_rng((over.seed, number)), found)
        advance(number + 1, len(gathered.images))
    if not found.cases:
        raise DataError(f"No box could be masked. The first problem: {found.problems[0]['problem']}")
    model = predictor.model
    groups = {"all": found.cases}
    groups |= {label: [case for case in found.cases if case["finding"] == label] for label in labels}
    return {
        "schema": SCHEMA,
        "bundle": {"name": model.name, "version": model.version, "sha256": model.sha256},
        "boxes": boxes.name,
        "split": gathered.split,
        "filling": over.filling,
        "places": ELSEWHERE,
        "seed": over.seed,
        "resamples": over.resamples,
        "cases": found.cases,
        "findings": [_summary(label, cases, over) for label, cases in groups.items() if cases],
        "unreadable": found.problems,
    }


def _look(
    predictor: Predictor, image: BoxedImage, over: Distribution, force: bool, rng: np.random.Generator, found: _Found
) -> None:
    """Mask each finding's boxes in an image, where they are and elsewhere."""
    analysis = predictor.analyse(image.path.read_bytes(), str(image.path), force=force)
    document = analysis.document
    if "error" in document or not document["findings"]:
        problem = document["error"]["message"] if "error" in document else "The gate refuses it. To try it: --force"
        found.problems.append({"file": str(image.path), "problem": str(problem)})
        return
    size = np.array([document["image"]["width"], document["image"]["height"]] * 2, np.float64)
    for finding, drawn in image.drawn.items():
        sides = drawn * size
        own = np.column_stack([sides[:, :2], sides[:, 2:] - sides[:, :2]])
        places = [own, *elsewhere(own, document["seen"]["square"], rng)]
        wanted = [{"regions": place.tolist(), "filling": over.filling} for place in places]
        tried = predictor.what_if(image.path, wanted, force=force, seen=analysis.seen).document["what_if"]
        if "error" in tried[0]:
            found.problems.append({"file": str(image.path), "problem": tried[0]["error"]["message"]})
        else:
            found.cases.append(_case(image, finding, tried))


def elsewhere(own: Rectangles, square: Sequence[int], rng: np.random.Generator) -> list[Rectangles]:
    """Return up to ELSEWHERE other places of boxes, moved together, in what is seen and apart from where they were."""
    left, top, width, height = square
    low, high = own[:, :2].min(0), (own[:, :2] + own[:, 2:]).max(0)
    least, most = np.array([left, top]) - low, np.array([left + width, top + height]) - high
    places: list[Rectangles] = []
    if (least > most).any():
        return places
    for _ in range(_TRIES):
        moved = own + np.concatenate([rng.uniform(least, most), [0, 0]])
        if not _meet(own, moved):
            places.append(moved)
        if len(places) == ELSEWHERE:
            break
    return places


def _meet(first: Rectangles, second: Rectangles) -> bool:
    """Whether any of the first overlaps any of the second."""
    ones, others = first[:, np.newaxis], second[np.newaxis]
    apart = (ones[..., :2] + ones[..., 2:] <= others[..., :2]) | (others[..., :2] + others[..., 2:] <= ones[..., :2])
    return bool((~apart.any(-1)).any())


def _case(image: BoxedImage, finding: int, tried: Sequence[Any]) -> BoxCase:
    own, *others = [entry["findings"][finding] for entry in tried if "error" not in entry]
    gate = tried[0]["gate"]
    return {
        "image": str(image.path),
        "patient": image.patient,
        "finding": own["label"],
        "before": own["before"],
        "effect": own["effect"],
        "logit_effect": own["logit_effect"],
        "elsewhere": float(np.mean([other["effect"] for other in others])) if others else None,
        "logit_elsewhere": float(np.mean([other["logit_effect"] for other in others])) if others else None,
        "similarity": gate["score"] if gate else None,
    }


def _summary(label: str, cases: Sequence[BoxCase], over: Distribution) -> BoxedLabel:
    pairs = [
        (case, case["effect"] - case["elsewhere"], case["logit_effect"] - case["logit_elsewhere"])
        for case in cases
        if case["elsewhere"] is not None and case["logit_elsewhere"] is not None
    ]
    compared = [case for case, _, _ in pairs]
    return {
        "finding": label,
        "cases": len(cases),
        "patients": len({case["patient"] for case in cases}),
        "compared": len(compared),
        "effect": _interval(cases, [case["effect"] for case in cases], over),
        "logit_effect": _interval(cases, [case["logit_effect"] for case in cases], over),
        "difference": _interval(compared, [apart for _, apart, _ in pairs], over) if pairs else None,
        "logit_difference": _interval(compared, [apart for _, _, apart in pairs], over) if pairs else None,
    }


def _interval(cases: Sequence[BoxCase], values: Sequence[float], over: Distribution) -> IntervalDocument:
    """The mean over cases, with its interval from resamples of whole patients."""
    numbers = np.array(values)
    drawn = interval_by_patient(
        lambda draws: np.asarray(draws @ numbers / draws.sum(axis=1)),
        [case["patient"] for case in cases],
        over.resamples,
        seed=over.seed,
    )
    return {"value": drawn.value, "low": drawn.low, "high": drawn.high}
