"""What attacks do and how well detectors find them, with intervals over patients, as JSON can hold it."""

from collections.abc import Sequence

import numpy as np
from scipy.special import expit

from sitegen.evaluation.adversarial.adaptive import ADAPTIVE
from sitegen.evaluation.adversarial.detectors import FITTED, SIMPLE, features, fitted_scores
from sitegen.evaluation.adversarial.document_types import (
    AdversarialFigures,
    ConditionDocument,
    DetectorDocument,
    FoundDocument,
)
from sitegen.evaluation.adversarial.trial import CLEAN, MAX_LOGIT, Plan, Trial
from sitegen.metrics.document_types import IntervalDocument
from sitegen.metrics.examples import Scores
from sitegen.metrics.resampling import Resampling, Statistic, interval_by_patient
from sitegen.metrics.roc import auc_of_draws

SCHEMA = "sitegen.adversarial/1"
LIMIT = 0.8
"""What the lower end of a detector's AUROC must reach against the adaptive attack, at every strength, to hold."""

EFFECTS, GATE, LOGITS = "effects", "gate", "logits"
_OF_LOGITS = (MAX_LOGIT, "energy")
_LIKE_ADAPTIVE = "pgd"  # the attack that a detector learns from, which does not know of the adaptive one

Scored = dict[str, dict[tuple[str, float], tuple[Scores, Scores]]]
"""Of each detector, for each attack and strength, the scores of the clean images and of the attacked ones."""


def adversarial_figures(
    tried: Sequence[Sequence[Trial]], patients: Sequence[str], plan: Plan, how: Resampling
) -> AdversarialFigures:
    """Return the figures of images, each with its patient and its trials in the order of the plan's conditions.

    Equal arguments give equal documents.
    """
    scored = scores_of(tried, patients, plan)
    detectors = [_detector(name, each, patients, how) for name, each in scored.items()]
    return {
        "schema": SCHEMA,
        "images": len(tried),
        "patients": len(set(patients)),
        "resamples": how.resamples,
        "seed": how.seed,
        "steps": plan.steps,
        "finding": plan.finding,
        "weight": plan.weight,
        "masks": {"count": plan.masks, "share": plan.share, "filling": plan.filling},
        "conditions": [
            _condition([trials[at] for trials in tried], patients, how) for at in range(len(plan.conditions))
        ],
        "detectors": detectors,
        "limit": LIMIT,
        "holds": holds(detectors),
    }


def scores_of(tried: Sequence[Sequence[Trial]], patients: Sequence[str], plan: Plan) -> Scored:
    """Return the scores of every detector; None of the fitted one where it cannot be fitted."""
    by_condition = {key: [trials[at] for trials in tried] for at, key in enumerate(plan.conditions)}
    clean, attacked = by_condition[(CLEAN, 0.0)], {key: by_condition[key] for key in plan.conditions[1:]}
    found: Scored = {
        name: {key: (_of_effects(clean, name), _of_effects(trials, name)) for key, trials in attacked.items()}
        for name in SIMPLE
    }
    rows = {key: np.array([features(trial.effects) for trial in trials]) for key, trials in by_condition.items()}
    fitted = {}
    for key in attacked:
        taught = (_LIKE_ADAPTIVE, key[1]) if key[0] == ADAPTIVE and (_LIKE_ADAPTIVE, key[1]) in rows else key
        if scores := fitted_scores(rows[(CLEAN, 0.0)], rows[taught], rows[key], patients, plan.seed):
            fitted[key] = scores
    found[FITTED] = fitted
    for name in clean[0].scores:
        found[name] = {key: (_scores(clean, name), _scores(trials, name)) for key, trials in attacked.items()}
    return found


def holds(detectors: Sequence[DetectorDocument]) -> bool | None:
    """Return whether a detector that reads effects finds the adaptive attack at every strength, see LIMIT.

    None where that attack was not tried.
    """
    found = [
        [each["auroc"] for each in detector["attacks"] if each["attack"] == ADAPTIVE]
        for detector in detectors
        if detector["kind"] == EFFECTS
    ]
    if not any(found):
        return None
    return any(all(each is not None and each["low"] >= LIMIT for each in areas) for areas in found if areas)


def _of_effects(trials: Sequence[Trial], name: str) -> Scores:
    return np.array([SIMPLE[name](trial.effects) for trial in trials], np.float64)


def _scores(trials: Sequence[Trial], name: str) -> Scores:
    return np.array([trial.scores[name] for trial in trials], np.float64)


def _kind(name: str) -> str:
    if name in (*SIMPLE, FITTED):
        return EFFECTS
    return LOGITS if name in _OF_LOGITS else GATE


def _detector(
    name: str, scored: dict[tuple[str, float], tuple[Scores, Scores]], patients: Sequence[str], how: Resampling
) -> DetectorDocument:
    found: list[FoundDocument] = [
        {"attack": attack, "strength": strength, "auroc": _area(clean, attacked, patients, how)}
        for (attack, strength), (clean, attacked) in scored.items()
    ]
    return {"name": name, "kind": _kind(name), "attacks": found}


def _area(clean: Scores, attacked: Scores, patients: Sequence[str], how: Resampling) -> IntervalDocument:
    """AUROC of attacked against clean images; a patient's images of both kinds are drawn together."""
    scores, targets = np.concatenate([clean, attacked]), np.repeat([False, True], len(clean))
    return _interval(lambda draws: auc_of_draws(scores, targets, draws), [*patients, *patients], how)


def _condition(trials: Sequence[Trial], patients: Sequence[str], how: Resampling) -> ConditionDocument:
    def mean(values: Sequence[float]) -> IntervalDocument:
        given = np.array(values, np.float64)
        return _interval(lambda draws: draws @ given / draws.sum(axis=1), patients, how)

    refused = [trial.refused for trial in trials]
    return {
        "attack": trials[0].attack,
        "strength": trials[0].strength,
        "loss": mean([trial.losses[1] for trial in trials]),
        "changed": mean([trial.changed for trial in trials]),
        "refused": None if None in refused else mean([bool(each) for each in refused]),
        "effect": mean([float(trial.effects.mean()) for trial in trials]),
        "probability_effect": mean([_on_probability(trial) for trial in trials]),
        "deviation": mean([SIMPLE["effect-spread"](trial.effects) for trial in trials]),
    }


def _on_probability(trial: Trial) -> float:
    """The mean effect of masking on the probability, over masks and labels: Eq. 2 of Yang et al. 2019."""
    logits = np.array(trial.logits)
    return float((expit(logits + trial.effects) - expit(logits)).mean())


def _interval(statistic: Statistic, patients: Sequence[str], how: Resampling) -> IntervalDocument:
    found = interval_by_patient(statistic, patients, how.resamples, seed=how.seed)
    return {"value": found.value, "low": found.low, "high": found.high}
