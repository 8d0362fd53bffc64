"""Expected effects of images: many random interventions on each, and their mean over images with its interval."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sitegen.bundle import Bundle
from sitegen.data.audit.document_types import ProblemDocument
from sitegen.errors import DataError, SettingsError
from sitegen.evaluation.effects.document_types import EffectsDocument, ExpectedEffect, ImageEffects, LabelEffects
from sitegen.metrics.document_types import IntervalDocument
from sitegen.metrics.resampling import interval_by_patient
from sitegen.prediction import Predictor
from sitegen.prediction.reading import read_image_file
from sitegen_runtime.errors import AnalysisError, BadIntervention
from sitegen_runtime.interventions.expectation import Drawn, Expected, expected
from sitegen_runtime.interventions.fillings import BLACK
from sitegen_runtime.interventions.maskings import SHARE, draw_masks
from sitegen_runtime.pixels.grids import Shape

SCHEMA = "sitegen.effects/1"


@dataclass(frozen=True)
class Distribution:
    """Which interventions, how many of them on each image, and of which seed; resamples are those of images."""

    masking: str = "pixels"
    share: float = SHARE
    filling: str = BLACK
    runs: int = 50
    seed: int = 0
    resamples: int = 1000


def study(
    bundle: Bundle,
    images: Sequence[Path],
    over: Distribution,
    *,
    force: bool = False,
    advance: Callable[[], None] = lambda: None,
) -> EffectsDocument:
    """Return the document that docs/effects.md describes; `advance` is called after each image.

    Every image has interventions of the same seed. Raises SettingsError for a masking, share or number of runs that
    cannot be, DataError where no image can be used.
    """
    predictor = Predictor(bundle)
    masks = masks_over(predictor.model.graphs["classifier"].images[0].grid, over)
    found: list[ImageEffects] = []
    problems: list[ProblemDocument] = []
    for path in images:
        try:
            found.append(_image(predictor, path, masks, over.filling, force))
        except (AnalysisError, DataError) as error:
            problems.append({"file": str(path), "problem": str(error)})
        advance()
    if not found:
        raise DataError(f"No image could be used. The first: {problems[0]['problem'] if problems else 'none is named'}")
    model = predictor.model
    return {
        "schema": SCHEMA,
        "bundle": {"name": model.name, "version": model.version, "sha256": model.sha256},
        "masking": over.masking,
        "share": over.share,
        "filling": over.filling,
        "runs": over.runs,
        "seed": over.seed,
        "resamples": over.resamples,
        "images": found,
        "findings": [_over_images(label.name, place, found, over) for place, label in enumerate(model.labels)],
        "unreadable": problems,
    }


def masks_over(grid: Shape, over: Distribution) -> list[bytes]:
    """Return the masks of a distribution for images of a grid of cells, as `draw_masks` gives them.

    Raises SettingsError for a masking, share or number of runs that cannot be.
    """
    try:
        return draw_masks(over.masking, grid, over.share, over.runs, over.seed)
    except BadIntervention as error:
        raise SettingsError(str(error)) from error


def _image(predictor: Predictor, path: Path, masks: Sequence[bytes], filling: str, force: bool) -> ImageEffects:
    analysis = predictor.analyse(read_image_file(path), str(path), force=force)
    document = analysis.document
    if "error" in document or analysis.seen is None:
        raise DataError(document["error"]["message"])
    if not document["findings"]:
        raise DataError("The gate refuses it. To try it all the same: --force")
    drawn = predictor.draw_effects(analysis.seen, masks, filling)
    gate = document["gate"]
    similar = [each.similarity for each in drawn if each.similarity is not None]
    return {
        "image": str(path),
        "findings": [
            _finding(entry["label"], entry["probability"], place, drawn)
            for place, entry in enumerate(document["findings"])
        ],
        "similarity": gate["score"] if gate else None,
        "changed_similarity": float(np.mean(similar)) if similar else None,
        "changed_passed": float(np.mean(np.array(similar) >= gate["threshold"])) if gate and similar else None,
    }


def _finding(label: str, before: float, place: int, drawn: Sequence[Drawn]) -> ExpectedEffect:
    effect = expected([each.effects[place] for each in drawn])
    logit = expected([each.logit_effects[place] for each in drawn])
    return {
        "label": label,
        "before": before,
        "effect": effect.mean,
        "effect_error": effect.error,
        "logit_effect": logit.mean,
        "logit_effect_error": logit.error,
    }


def _over_images(label: str, place: int, found: Sequence[ImageEffects], over: Distribution) -> LabelEffects:
    findings = [each["findings"][place] for each in found]
    return {
        "label": label,
        "effect": _interval([(finding["effect"], finding["effect_error"]) for finding in findings], over),
        "logit_effect": _interval(
            [(finding["logit_effect"], finding["logit_effect_error"]) for finding in findings], over
        ),
    }


def _interval(found: Sequence[tuple[float, float]], over: Distribution) -> IntervalDocument:
    """The mean over images, with its percentile interval from resamples of images; of one image, that of its draws."""
    if len(found) == 1:
        own = Expected(*found[0])
        return {"value": own.mean, "low": own.low, "high": own.high}
    numbers, names = np.array([mean for mean, _ in found]), [str(number) for number in range(len(found))]
    drawn = interval_by_patient(
        lambda draws: np.asarray(draws @ numbers / draws.sum(axis=1)), names, over.resamples, seed=over.seed
    )
    return {"value": drawn.value, "low": drawn.low, "high": drawn.high}
