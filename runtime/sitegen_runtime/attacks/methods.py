"""The way to attacks along the gradient: which steps each takes, and what networks are asked.

The loss is the binary cross-entropy between what the network says and what it said of the unchanged image, each label
yes or no by its operating point: of all labels, or of one finding. An attack raises it. A driver answers the requests
as for explanations. The attack by saliency maps, which needs no compiled loss, is Python's (`sitegen.prediction`).
"""

from __future__ import annotations  # array[float] is a name for type checkers until Python 3.12

from array import array
from collections.abc import Callable, Collection, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sitegen_runtime.attacks.arithmetic import Room, anywhere, like, loss, room_around, slope_of_loss, step_along
from sitegen_runtime.attacks.table import ATTACKS, MOST_STEPS, STEPS, STRENGTH
from sitegen_runtime.bundle.model import Model
from sitegen_runtime.calibration import sigmoid
from sitegen_runtime.errors import BadAttack, MissingNetwork
from sitegen_runtime.requests import Feed, LoadGraph, Progress, Request
from sitegen_runtime.running import image_input, run_network

ROLE = "gradient"

Slope = Callable[["array[float]"], Generator[Request, Any, Sequence[float]]]
"""What is asked to find how what an attack wants to be large changes with each value of an image."""


@dataclass(frozen=True)
class Wish:
    """What is asked for: a row of the table, ε as a share of the input's range (above 0, up to 1), the number of steps,
    a label by name or None for all, and the seed of random starts."""

    method: str = "fgsm"
    strength: float = STRENGTH
    steps: int = STEPS
    finding: str | None = None
    seed: int = 0


@dataclass(frozen=True)
class Attacked:
    """The changed image as the classifier takes it, and logits and loss before and after."""

    image: array[float]
    before: tuple[float, ...]
    after: tuple[float, ...]
    targets: Mapping[int, bool]

    @property
    def losses(self) -> tuple[float, float]:
        """The loss of the unchanged image and of the changed one."""
        return loss(self.before, self.targets), loss(self.after, self.targets)


def attack(model: Model, image: array[float], wish: Wish) -> Generator[Request, Any, Attacked]:
    """Yield what is needed, and return what an attack makes of an image that the classifier takes.

    Raises BadAttack for what there is not, and MissingNetwork where the bundle has no gradient.
    """
    check_wish(model, wish, ATTACKS)
    row = ATTACKS[wish.method]
    before = yield from logits_of(model, image)
    targets = targets_of(model, before, wish.finding)
    room = room_around(image, image_input(model, ROLE), wish.strength)
    start = anywhere(image, room, wish.seed) if row.from_anywhere else image
    steps = wish.steps if row.several else 1

    def slope(values: array[float]) -> Generator[Request, Any, Sequence[float]]:
        logits = yield from logits_of(model, values)
        return (yield from pulled_back(model, values, slope_of_loss(logits, targets)))

    changed = yield from climb(start, room, slope, steps, row.share(steps))
    return Attacked(changed, before, (yield from logits_of(model, changed)), targets)


def climb(
    image: array[float], room: Room, slope: Slope, steps: int, share: float
) -> Generator[Request, Any, array[float]]:
    """Return the image after `steps` steps of `share` · ε in the sign of what `slope` gives for it."""
    for step in range(steps):
        yield Progress("attack", step / steps)
        image = step_along(image, (yield from slope(image)), room, share)
    return image


def logits_of(model: Model, image: array[float]) -> Generator[Request, Any, tuple[float, ...]]:
    """Return the classifier's logits."""
    yield LoadGraph("classifier")
    answer = yield from run_network(model, "classifier", image, ("logits",))
    return tuple(answer["logits"])


def pulled_back(model: Model, image: array[float], seed: Iterable[float]) -> Generator[Request, Any, array[float]]:
    """Return how the sum of the logits, each times its weight in the seed, changes with each value of the image."""
    yield LoadGraph(ROLE)
    (entry,) = model.graphs[ROLE].vectors
    weights = Feed(entry.name, entry.shape, like(image, seed))
    return (yield from run_network(model, ROLE, image, ("gradient",), weights))["gradient"]


def targets_of(model: Model, logits: Sequence[float], finding: str | None) -> dict[int, bool]:
    """Return what the classifier says, by label: yes at or above the operating point. One finding, or None for all."""
    said = {
        at: sigmoid(logit) >= label.operating_point
        for at, (label, logit) in enumerate(zip(model.labels, logits, strict=True))
    }
    return {at: yes for at, yes in said.items() if finding in (None, model.labels[at].name)}


def check_wish(model: Model, wish: Wish, known: Collection[str]) -> None:
    """Raise BadAttack where there is no such attack, finding, strength or number of steps; MissingNetwork where the
    bundle has no gradient."""
    if wish.method not in known:
        raise BadAttack(f"There is no attack {wish.method!r}. There are {', '.join(map(repr, known))}.")
    if ROLE not in model.graphs:
        raise MissingNetwork(
            f"The bundle {model.name} has no network of the role {ROLE!r}, which attacks follow; it has "
            f"{', '.join(map(repr, model.graphs))}. Make it again with one (docs/bundle.md)."
        )
    labels = [label.name for label in model.labels]
    if wish.finding is not None and wish.finding not in labels:
        raise BadAttack(f"The model has no finding {wish.finding!r}. It has {', '.join(map(repr, labels))}.")
    if not 0 < wish.strength <= 1:  # which NaN is not
        raise BadAttack(f"An attack of the strength {wish.strength!r} is none: it is a share of the range, 0 < ε ≤ 1.")
    if not 1 <= wish.steps <= MOST_STEPS:
        raise BadAttack(f"An attack takes 1 to {MOST_STEPS} steps, not {wish.steps!r}.")
