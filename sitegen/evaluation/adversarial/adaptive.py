"""An attack that knows the detector: it raises the loss, and keeps the effects of masking as they were.

Whatever a detector reads of the distribution of effects, it reads the same where every effect stays what it was on the
clean image. So the attack goes along the gradient of

    loss(x') − weight · mean over masks and labels of (effect(x') − effect(x))²

in the steps of projected descent. It has the detector's own masks, and takes a few of them each step, one after the
other (Athalye, Carlini and Wagner 2018 and Tramèr et al. 2020 ask for such an attack wherever a defence is claimed).
The filling of masked cells counts as fixed: no gradient passes through it.
"""

from __future__ import annotations  # array[float] is a name for type checkers until Python 3.12

from array import array
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sitegen.evaluation.adversarial.effects import masked
from sitegen.metrics.examples import Scores
from sitegen.prediction import Predictor
from sitegen_runtime.attacks.arithmetic import anywhere, like, room_around, slope_of_loss
from sitegen_runtime.attacks.methods import (
    Attacked,
    Wish,
    check_wish,
    climb,
    logits_of,
    pulled_back,
    targets_of,
)
from sitegen_runtime.attacks.table import ATTACKS
from sitegen_runtime.requests import Request
from sitegen_runtime.running import image_input

ADAPTIVE = "adaptive"
WEIGHT = 2.0
AT_ONCE = 4  # masks of a step


@dataclass(frozen=True)
class Detected:
    """What the attack knows of the detector: its masks, their filling, and the effects that the clean image has."""

    masks: Sequence[bytes]
    filling: str
    effects: Scores
    weight: float = WEIGHT
    at_once: int = AT_ONCE


def adaptive_attack(predictor: Predictor, image: array[float], wish: Wish, known: Detected) -> Attacked:
    """Return the image after an attack in the manner of "pgd" that knows the detector. Raises as `attack` does."""
    model = predictor.model
    check_wish(model, wish, (ADAPTIVE,))
    before = predictor.drive(logits_of(model, image))
    targets = targets_of(model, before, wish.finding)
    room = room_around(image, image_input(model, "gradient"), wish.strength)
    turn = 0

    def slope(values: array[float]) -> Generator[Request, Any, Sequence[float]]:
        nonlocal turn
        picked = [(turn + at) % len(known.masks) for at in range(min(known.at_once, len(known.masks)))]
        turn += len(picked)
        logits = yield from logits_of(model, values)
        own = np.array(list(slope_of_loss(logits, targets)))
        total = np.zeros(len(values))
        factor = 2 * known.weight / (len(picked) * len(logits))
        for place in picked:
            changed = masked(predictor, values, known.masks[place], known.filling)
            there = yield from logits_of(model, changed)
            push = factor * (np.array(there) - np.array(logits) - known.effects[place])
            own += push
            kept = np.tile(np.frombuffer(known.masks[place], np.uint8) == 0, len(values) // len(known.masks[place]))
            total -= kept * np.array((yield from pulled_back(model, changed, push.tolist())))
        total += np.array((yield from pulled_back(model, values, own.tolist())))
        return like(values, total.tolist())

    start = anywhere(image, room, wish.seed)
    changed = predictor.drive(climb(start, room, slope, wish.steps, ATTACKS["pgd"].share(wish.steps)))
    return Attacked(changed, before, predictor.drive(logits_of(model, changed)), targets)
