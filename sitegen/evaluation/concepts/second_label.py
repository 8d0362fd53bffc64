"""Z ← X → Y: the units that raise a second label Z are set to zero, and every label's answer is read off.

A unit is a channel of a layer: a map [H, W]. It raises Z where Z's logit falls when the unit alone is zero. Units are
chosen on the images of one half of the patients and measured on those of the other: the units that happen to raise Z
most on some images raise it less on others. Setting anything to zero moves every label; so as many units drawn at
random are set to zero, too, and the difference is given beside the effect.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from sitegen.bundle import Bundle
from sitegen.data.audit.document_types import ProblemDocument
from sitegen.errors import DataError, SettingsError
from sitegen.evaluation.concepts.document import mean_interval
from sitegen.evaluation.concepts.document_types import SecondLabelDocument, SecondLabelFinding
from sitegen.evaluation.concepts.effects import as_values
from sitegen.evaluation.concepts.layers import Cut, Values
from sitegen.evaluation.concepts.taking import take
from sitegen.evaluation.explanations.localisation.cases import listed
from sitegen.prediction import Predictor

SCHEMA = "sitegen.second-label-effects/1"
UNITS = 8
Logits = NDArray[np.float64]
Back = Callable[[Values], Logits]
"""What follows a layer [1, C, H, W]: the logits [labels]."""


@dataclass(frozen=True)
class SecondLabel:
    """The label Z, the layer of the units, how many are set to zero at most, how many random sets they are compared
    with, and the seed of these, of the halves and of resamples."""

    label: str
    layer: str
    units: int = UNITS
    draws: int = 50
    seed: int = 0
    resamples: int = 1000


def second_label_study(
    bundle: Bundle,
    paths: Sequence[Path],
    asked: SecondLabel,
    *,
    force: bool = False,
    advance: Callable[[int, int], None] = lambda done, total: None,
) -> SecondLabelDocument:
    """Return the document that docs/effects.md describes.

    `advance` is told after each image how many are done, and of how many. Raises SettingsError for a label or layer
    that there is not, DataError where fewer than two patients have images that can be used, or no unit raises Z.
    """
    labels = [label.name for label in bundle.model.labels]
    if asked.label not in labels:
        raise SettingsError(f"The model has no finding {asked.label!r}. It has {', '.join(map(repr, labels))}.")
    cut, second, problems = Cut(bundle, asked.layer), labels.index(asked.label), list[ProblemDocument]()
    images, step = listed(paths), iter(range(1, 2**63))
    taken = take(Predictor(bundle), images, problems, force=force, advance=lambda: advance(next(step), 2 * len(images)))
    layers = [cut.front(as_values(each.values)) for each in taken]
    patients = [each.listed.patient for each in taken]
    choosing, measured = halves(patients, asked.seed)
    raised = np.mean([raises(cut.back, layers[at], second) for at in choosing], axis=0)
    units = [int(at) for at in np.argsort(-raised, kind="stable")[: asked.units] if raised[at] > 0]
    if not units:
        raise DataError(f"No unit of the layer {asked.layer!r} raises {asked.label!r}. Name another layer.")
    sets = random_sets(cut.shape[1], len(units), asked)
    found = []
    for number, at in enumerate(measured):
        found.append(_Found(cut.back, layers[at], units, sets))
        advance(len(images) + (number + 1) * len(images) // len(measured), 2 * len(images))
    model, theirs = bundle.model, [patients[at] for at in measured]
    return {
        "schema": SCHEMA,
        "bundle": {"name": model.name, "version": model.version, "sha256": model.sha256},
        "second": asked.label,
        "layer": asked.layer,
        "shape": list(cut.shape[1:]),
        "units": [{"unit": unit, "raises": float(raised[unit])} for unit in units],
        "draws": asked.draws,
        "seed": asked.seed,
        "resamples": asked.resamples,
        "chosen_on": len(choosing),
        "images": len(measured),
        "patients": len(set(theirs)),
        "findings": [_finding(label, at, found, theirs, asked) for at, label in enumerate(labels)],
        "unreadable": problems,
    }


def halves(patients: Sequence[str], seed: int) -> tuple[list[int], list[int]]:
    """Return the images (by place) of one half of the patients, drawn at random, and those of the other.

    Raises DataError where there are fewer than two patients.
    """
    names = sorted(set(patients))
    if len(names) < 2:
        raise DataError(
            f"Units are chosen on one half of the patients and measured on the other: {len(names)} of them "
            f"cannot be halved. Name images of more patients."
        )
    drawn = np.random.default_rng(seed).permutation(len(names))
    first = {names[at] for at in drawn[: len(names) // 2]}
    places = range(len(patients))
    return [at for at in places if patients[at] in first], [at for at in places if patients[at] not in first]


def raises(back: Back, layer: Values, label: int) -> Logits:
    """Return by how much each unit [C] raises a label's logit: what is lost where that unit alone is zero."""
    with_all = back(layer)[label]
    return np.array([with_all - back(without(layer, [unit]))[label] for unit in range(layer.shape[1])])


def without(layer: Values, units: Sequence[int]) -> Values:
    """Return a layer [1, C, H, W] with some of its units set to zero."""
    changed = layer.copy()
    changed[:, list(units)] = 0
    return changed


def random_sets(channels: int, size: int, asked: SecondLabel) -> list[list[int]]:
    """Return `draws` sets of so many different units, each as likely as any other."""
    rng = np.random.default_rng((asked.seed, channels))
    return [rng.permutation(channels)[:size].tolist() for _ in range(asked.draws)]


class _Found:
    """Of one image: effects [labels] of the chosen units, and their means over random sets."""

    def __init__(self, back: Back, layer: Values, units: Sequence[int], sets: Sequence[Sequence[int]]) -> None:
        before, after = back(layer), back(without(layer, units))
        others = np.array([back(without(layer, each)) for each in sets])
        self.effect, self.logit = expit(after) - expit(before), after - before
        self.random, self.random_logit = (expit(others) - expit(before)).mean(0), (others - before).mean(0)


def _finding(
    label: str, at: int, found: Sequence[_Found], patients: Sequence[str], asked: SecondLabel
) -> SecondLabelFinding:
    own, logit, random, random_logit = (
        np.array([getattr(each, name)[at] for each in found]) for name in ("effect", "logit", "random", "random_logit")
    )
    how = patients, asked.resamples, asked.seed
    return {
        "label": label,
        "effect": mean_interval(own, *how),
        "logit_effect": mean_interval(logit, *how),
        "difference": mean_interval(own - random, *how),
        "logit_difference": mean_interval(logit - random_logit, *how),
    }
