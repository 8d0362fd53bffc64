"""The adversarial check from files: a bundle and images, attacked, masked and judged.

`study` reads the images; `trial` attacks each, `document` makes the figures.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from sitegen.bundle import load_bundle
from sitegen.errors import DataError, SettingsError
from sitegen.evaluation.adversarial.document import Scored, adversarial_figures, scores_of
from sitegen.evaluation.adversarial.document_types import AdversarialDocument
from sitegen.evaluation.adversarial.effects import SIMPLE_FILLINGS
from sitegen.evaluation.adversarial.trial import NAMES, Plan, Trial, try_images
from sitegen.evaluation.explanations.localisation.cases import EVERYTHING, Listed, listed
from sitegen.metrics.resampling import Resampling
from sitegen_runtime.attacks.methods import Wish, check_wish
from sitegen_runtime.errors import AnalysisError


@dataclass(frozen=True)
class Study:
    """What to attack: a bundle's folder and images, of a `split` where their data set has any, `limit` of them drawn at
    random by the plan's seed (None for all); and how."""

    bundle: Path
    images: Sequence[Path]
    split: str = EVERYTHING
    limit: int | None = None
    plan: Plan = field(default_factory=Plan)
    how: Resampling = field(default_factory=Resampling)
    workers: int | None = None


@dataclass(frozen=True)
class Answer:
    """The document; and for a table the images, their patients, their trials and their scores by detector."""

    document: AdversarialDocument
    files: Sequence[Path]
    patients: Sequence[str]
    tried: Sequence[Sequence[Trial]]
    scores: Scored


def study(asked: Study) -> Answer:
    """Return what attacks do to a bundle, and what finds them; docs/attacks.md describes the document.

    Raises SettingsError for attacks, strengths, fillings and findings that there are not, and for a bundle without
    gradient; DataError where no image can be attacked; BundleError for no bundle.
    """
    bundle = load_bundle(asked.bundle)
    plan = asked.plan
    _check(asked)
    try:
        for attack, strength in plan.conditions[1:]:
            check_wish(bundle.model, Wish(attack, strength, plan.steps, plan.finding), NAMES)
    except AnalysisError as error:
        raise SettingsError(str(error)) from error
    chosen = _chosen(asked)
    answers = try_images(bundle, [each.path for each in chosen], plan, asked.workers)
    kept = [(each, trials) for each, trials in zip(chosen, answers, strict=True) if not isinstance(trials, str)]
    problems = [(each.path, text) for each, text in zip(chosen, answers, strict=True) if isinstance(text, str)]
    if not kept:
        first = f" The first: {problems[0][0]}: {problems[0][1]}" if problems else ""
        raise DataError(f"There is no image that could be attacked.{first}")
    tried, patients = [trials for _, trials in kept], [each.patient for each, _ in kept]
    model = bundle.model
    document: AdversarialDocument = {
        **adversarial_figures(tried, patients, plan, asked.how),
        "model": {
            "file": str(asked.bundle),
            "name": model.name,
            "version": model.version,
            "sha256": model.sha256,
            "labels": [label.name for label in model.labels],
        },
        "unreadable": [{"file": str(path), "problem": text} for path, text in problems],
    }
    return Answer(document, [each.path for each, _ in kept], patients, tried, scores_of(tried, patients, plan))


def rows_of(answer: Answer) -> list[dict[str, object]]:
    """Return a row for each image and attack, and one for the image clean: what was measured of it, as a table has it.

    Detectors of an attack are columns; the fitted one's score of a clean image depends on the attack, so that it stands
    in the attack's row as "clean:NAME", with all others.
    """
    rows: list[dict[str, object]] = []
    for at, (path, patient, trials) in enumerate(zip(answer.files, answer.patients, answer.tried, strict=True)):
        for trial in trials:
            row: dict[str, object] = {"file": str(path), "patient": patient}
            row |= {"attack": trial.attack, "strength": trial.strength, "loss_clean": trial.losses[0]}
            row |= {"loss": trial.losses[1], "changed": int(trial.changed)}
            row |= {"refused": "" if trial.refused is None else int(trial.refused)}
            for name, scored in answer.scores.items():
                clean, attacked = scored.get((trial.attack, trial.strength), (None, None))
                row[name] = "" if attacked is None else float(attacked[at])
                row[f"clean:{name}"] = "" if clean is None else float(clean[at])
            rows.append(row)
    return rows


def _check(asked: Study) -> None:
    plan = asked.plan
    if not plan.attacks or not plan.strengths:
        raise SettingsError(f"Name an attack and a strength at least. The attacks are {', '.join(NAMES)}.")
    if plan.filling not in SIMPLE_FILLINGS:
        raise SettingsError(f"Masks cannot be filled with {plan.filling!r}; choose of {', '.join(SIMPLE_FILLINGS)}.")


def _chosen(asked: Study) -> list[Listed]:
    """The images of the split, a random part of them where there is a limit, in their own order."""
    found = listed(asked.images)
    of_split = [each for each in found if asked.split in (EVERYTHING, each.split)]
    if not of_split:
        there = ", ".join(sorted({each.split or "none" for each in found})) or "none, for there is no image"
        raise DataError(
            f"There is no image in the split {asked.split!r}; the splits are: {there}. Name one with --split."
        )
    if asked.limit is None or asked.limit >= len(of_split):
        return of_split
    drawn = np.random.default_rng(asked.plan.seed).permutation(len(of_split))[: asked.limit]
    return [of_split[at] for at in sorted(drawn)]
