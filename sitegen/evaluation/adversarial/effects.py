"""The effects of masking on what a classifier says of an image, mask by mask.

An effect is the logit of a label with some cells masked, less its logit without: Eq. 1 of Yang et al. 2019, on the
logit, which does not shrink where a probability is near 0 or 1. The mean over masks estimates their Eq. 2.
"""

from __future__ import annotations  # array[float] is a name for type checkers until Python 3.12

from array import array
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sitegen.metrics.examples import Scores
from sitegen.prediction import Predictor
from sitegen_runtime.attacks.methods import logits_of
from sitegen_runtime.interventions.fillings import FILLINGS, RECONSTRUCTION, Canvas
from sitegen_runtime.pixels.geometry import square

SIMPLE_FILLINGS = tuple(name for name in FILLINGS if name != RECONSTRUCTION)
"""Fillings that need no gate: what a reconstruction shows would change with the attack."""

_ANY = square(0, 0, 1)  # these fillings do not ask where in the picture an input lies


def masked(predictor: Predictor, image: array[float], mask: bytes, filling: str) -> array[float]:
    """Return the image as the classifier takes it with the cells of a mask filled."""
    entry = predictor.model.graphs["classifier"].images[0]
    return Canvas(image, entry, _ANY).changed(mask, filling)


def effects(predictor: Predictor, image: array[float], masks: Sequence[bytes], filling: str) -> Scores:
    """Return the effect of each mask on each label, float64 [masks, labels], on the logit."""
    entry = predictor.model.graphs["classifier"].images[0]
    canvas = Canvas(image, entry, _ANY)
    without = np.array(predictor.drive(logits_of(predictor.model, image)))
    with_masks = [predictor.drive(logits_of(predictor.model, canvas.changed(mask, filling))) for mask in masks]
    found: NDArray[np.float64] = np.array(with_masks) - without
    return found
