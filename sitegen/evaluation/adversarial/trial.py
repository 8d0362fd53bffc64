"""One image under all attacks: what the classifier, the gate and the effects of masking say of it each time."""

from __future__ import annotations  # array[float] is a name for type checkers until Python 3.12

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sitegen import parallel
from sitegen.bundle import Bundle
from sitegen.evaluation.adversarial.adaptive import ADAPTIVE, WEIGHT, Detected, adaptive_attack
from sitegen.evaluation.adversarial.effects import effects
from sitegen.evaluation.effects.study import Distribution, masks_over
from sitegen.evaluation.explanations.seeing import REFUSED
from sitegen.evaluation.gate.bundle_scores import with_all_scores
from sitegen.metrics.examples import Scores
from sitegen.prediction import Predictor
from sitegen.prediction.reading import read_image_file
from sitegen.prediction.saliency_attack import EVERY_ATTACK
from sitegen_runtime.analysis import Seen
from sitegen_runtime.attacks.arithmetic import loss
from sitegen_runtime.attacks.methods import Wish, logits_of, targets_of
from sitegen_runtime.attacks.table import STEPS, STRENGTH
from sitegen_runtime.errors import AnalysisError
from sitegen_runtime.gate.metrics import unlikeness
from sitegen_runtime.interventions.carried_over import carried_over
from sitegen_runtime.interventions.fillings import BLACK
from sitegen_runtime.interventions.what_if import Scene, scene_of

CLEAN = "none"
NAMES = (*EVERY_ATTACK, ADAPTIVE)
MAX_LOGIT = "max-logit"


@dataclass(frozen=True)
class Plan:
    """What is done to every image: attacks of so many steps, each at every strength; and the masks of the detector.

    `masks` masks have a share of the cells each, filled with `filling`; `weight` is what the adaptive attack pays for
    effects that change. `finding` is what attacks are on, None for all labels.
    """

    attacks: Sequence[str] = NAMES
    strengths: Sequence[float] = (STRENGTH, 2 / 255)
    steps: int = STEPS
    finding: str | None = None
    masks: int = 32
    share: float = 0.1
    filling: str = BLACK
    weight: float = WEIGHT
    seed: int = 0
    force: bool = False

    @property
    def conditions(self) -> list[tuple[str, float]]:
        """Each attack with each strength, after the clean image, whose strength is 0."""
        return [(CLEAN, 0.0), *((attack, strength) for attack in self.attacks for strength in self.strengths)]


@dataclass(frozen=True)
class Trial:
    """An image under one attack: logits [labels], effects [masks, labels] on the logit, the loss and what it was,
    whether a decision changed, scores turned so that higher is more unlike, and whether the gate refuses it."""

    attack: str
    strength: float
    logits: Sequence[float]
    effects: Scores
    losses: tuple[float, float]
    changed: bool
    scores: Mapping[str, float]
    refused: bool | None


def try_images(bundle: Bundle, paths: Sequence[Path], plan: Plan, workers: int | None) -> list[list[Trial] | str]:
    """Return the trials of each image, in the order of the plan's conditions, or why there are none."""
    predictor = Predictor(bundle)
    predictor.model = with_all_scores(bundle.model)
    over = Distribution(share=plan.share, runs=plan.masks, seed=plan.seed)
    masks = masks_over(predictor.model.graphs["classifier"].images[0].grid, over)
    return parallel.each(partial(_tried, predictor, masks, plan), paths, workers, alone=4)


def _tried(predictor: Predictor, masks: Sequence[bytes], plan: Plan, path: Path) -> list[Trial] | str:
    try:
        analysis = predictor.analyse(read_image_file(path), str(path), force=plan.force)
    except AnalysisError as error:
        return str(error)
    if "error" in analysis.document:
        return str(analysis.document["error"]["message"])
    if not analysis.document["findings"] or analysis.seen is None:
        return REFUSED
    return trials(predictor, analysis.seen, masks, plan)


def trials(predictor: Predictor, seen: Seen, masks: Sequence[bytes], plan: Plan) -> list[Trial]:
    """Return what becomes of an image that was analysed, clean and under each attack."""
    scene, image = scene_of(predictor.model, seen), seen.image.values
    clean = effects(predictor, image, masks, plan.filling)
    known = Detected(masks, plan.filling, clean, plan.weight)
    made = []
    for attack, strength in plan.conditions:
        changed = image if attack == CLEAN else _attacked(predictor, image, attack, strength, plan, known)
        found = clean if attack == CLEAN else effects(predictor, changed, masks, plan.filling)
        made.append(_trial(predictor, scene, changed, (attack, strength), found, plan.finding))
    return made


def _attacked(
    predictor: Predictor, image: array[float], attack: str, strength: float, plan: Plan, known: Detected
) -> array[float]:
    wish = Wish(attack, strength, plan.steps, plan.finding, plan.seed)
    if attack == ADAPTIVE:
        return adaptive_attack(predictor, image, wish, known).image
    return predictor.attack(image, wish).image


def _trial(
    predictor: Predictor,
    scene: Scene,
    image: array[float],
    condition: tuple[str, float],
    found: Scores,
    finding: str | None,
) -> Trial:
    model, original = predictor.model, scene.canvases["classifier"]
    before = predictor.drive(logits_of(model, original.values))
    inputs = {"classifier": image}
    if "gate" in scene.canvases:
        inputs["gate"] = carried_over(original, image, scene.canvases["gate"])
    asked = predictor.drive(scene.ask(inputs))
    logits = [each["logit"] for each in asked.findings]
    scores = {MAX_LOGIT: -max(logits)}
    if asked.decision:
        scores |= {name: unlikeness(name, value) for name, value in asked.decision.measured.items()}
    targets = targets_of(model, before, finding)
    return Trial(
        *condition,
        logits,
        found,
        (loss(before, targets), loss(logits, targets)),
        targets_of(model, logits, None) != targets_of(model, before, None),
        scores,
        None if asked.decision is None else not asked.decision.accepted,
    )
