"""The attack by saliency maps (JSMA): few values go as far as they may, those that matter most for one finding.

Papernot et al. 2016, Eqs. 8 and 9, with the gradient of logits: a value counts where changing it moves the finding's
logit the way that is wanted and the sum of the other logits the other way; it counts by the product of both slopes.
Differences: values go by ε and not to the end of the range, each once; and a step takes its share of all values that
may be changed, where the paper takes one pair and asks again. Here labels do not exclude each other, so where no value
qualifies the finding's own slope decides.
"""

from __future__ import annotations  # array[float] is a name for type checkers until Python 3.12

from array import array
from collections.abc import Generator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sitegen_runtime.attacks.arithmetic import like, room_around
from sitegen_runtime.attacks.methods import Attacked, Wish, check_wish, logits_of, pulled_back, targets_of
from sitegen_runtime.attacks.table import ATTACKS
from sitegen_runtime.bundle.model import Model
from sitegen_runtime.requests import Progress, Request
from sitegen_runtime.running import image_input

JSMA = "jsma"
EVERY_ATTACK = (*ATTACKS, JSMA)
SHARE = 0.1  # of the values that may be changed: Papernot et al. 2016 stay below 14.5 %

Values = NDArray[np.float64]


def saliency_attack(
    model: Model, image: array[float], wish: Wish, share: float = SHARE
) -> Generator[Request, Any, Attacked]:
    """Yield what is needed, and return the image with up to `share` of its values moved by ε, in `wish.steps` steps.

    Without a finding, it is the one that lies nearest to its operating point, on the logit scale. Raises as `attack`
    of `sitegen_runtime.attacks` does.
    """
    check_wish(model, wish, (*ATTACKS, JSMA))
    before = yield from logits_of(model, image)
    finding = _index(model, wish.finding) if wish.finding else _nearest(model, before)
    targets = targets_of(model, before, model.labels[finding].name)
    room = room_around(image, image_input(model, "gradient"), wish.strength)
    kind = np.dtype(image.typecode)
    lower, upper = np.frombuffer(room.lower, kind), np.frombuffer(room.upper, kind)
    changed, free = np.frombuffer(image, kind).copy(), np.ones(len(image), bool)
    others = [float(at != finding) for at in range(len(before))]
    wanted = -1.0 if targets[finding] else 1.0
    for step in range(wish.steps):
        yield Progress("attack", step / wish.steps)
        current = like(image, changed.tolist())
        own = yield from pulled_back(model, current, [float(at == finding) for at in range(len(before))])
        rest = yield from pulled_back(model, current, others)
        ways = directions(wanted * np.array(own), wanted * np.array(rest), free, _count(len(image), share, wish, step))
        changed = np.where(ways > 0, upper, np.where(ways < 0, lower, changed))
        free &= ways == 0
    done = like(image, changed.tolist())
    return Attacked(done, before, (yield from logits_of(model, done)), targets)


def directions(own: Values, rest: Values, free: NDArray[np.bool_], count: int) -> Values:
    """Return 1 for values to be raised, −1 for values to be lowered, 0 for those that stay: `count` are moved at most.

    `own` and `rest` are slopes of the wanted logit and of the sum of all others. Of equal values the first is taken.
    """
    opposed = np.where(own * rest < 0, np.abs(own * rest), 0.0)
    salience = np.where(free, opposed if np.any(opposed[free]) else np.abs(own), 0.0)
    best = np.argsort(-salience, kind="stable")[:count]
    ways = np.zeros_like(own)
    ways[best] = np.where(salience[best] > 0, np.sign(own[best]), 0.0)
    return ways


def _count(values: int, share: float, wish: Wish, step: int) -> int:
    """How many values a step moves: after all of them, the share of all values."""
    return round(values * share * (step + 1) / wish.steps) - round(values * share * step / wish.steps)


def _index(model: Model, finding: str) -> int:
    return [label.name for label in model.labels].index(finding)


def _nearest(model: Model, logits: tuple[float, ...]) -> int:
    edges = np.clip([label.operating_point for label in model.labels], 1e-9, 1 - 1e-9)
    return int(np.argmin(np.abs(np.array(logits) - np.log(edges / (1 - edges)))))
