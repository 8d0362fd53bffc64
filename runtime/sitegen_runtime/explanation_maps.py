"""How each method of explanation comes to its map: which networks of the bundle it runs, on what, and how often.

A network of the role `cam` gives the last feature map and the gradient with respect to it, and goes no further back: it
costs about one prediction. Where a bundle has none, the network of the role `gradient` gives the same for more.
"""

from __future__ import annotations  # array[float] is a name for type checkers until Python 3.12

import sys
from array import array
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

from sitegen_runtime.bundle.model import FinalWeights, Model, NetworkInput
from sitegen_runtime.document import Draft
from sitegen_runtime.errors import EngineFailed, MissingNetwork, UndefinedMethod
from sitegen_runtime.maps.grids import Shape
from sitegen_runtime.maps.methods import (
    CAM,
    COPIES,
    GRAD_CAM,
    GUIDED_GRAD_CAM,
    INTEGRATED_GRADIENTS,
    SALIENCY,
    SMOOTHGRAD,
    STEPS,
    Mean,
    activation_map,
    between,
    gradient_activation_map,
    guided_activation_map,
    noisy,
    path_integral,
    strongest_rise,
)
from sitegen_runtime.requests import Feed, LoadGraph, Progress, ReadFile, Request
from sitegen_runtime.running import Outputs, image_input, run_network, timed

FEATURES, PULLED = "features", "features-gradient"
_HEAD = "the network of this bundle does not end with an average over the image and one linear layer"


@dataclass(frozen=True)
class Map:
    """Float32 values in the stated shape (rows, columns), over the part of the image that the classifier sees."""

    shape: Shape
    values: array[float]


@dataclass(frozen=True)
class Question:
    """What a map is to explain: the sum of the logits of these labels (by index), for the classifier's input `image`.

    The draft takes the times. `done` is how much of the whole job was done before, and `share` this map's part of it.
    """

    model: Model
    draft: Draft
    labels: tuple[int, ...]
    image: array[float]
    done: float = 0.0
    share: float = 1.0


Maker = Callable[[Question], Generator[Request, Any, Map]]


def unavailable(model: Model, method: str) -> MissingNetwork | UndefinedMethod | None:
    """Return why a bundle gives no maps of one of the METHODS, as an error with a sentence; None where it does."""
    if method == CAM and model.final_weights is None:
        instead = "" if unavailable(model, GRAD_CAM) else f" Use {GRAD_CAM!r}, which needs no such layer."
        return UndefinedMethod(f"The method {CAM!r} is not defined here: {_HEAD}.{instead}")
    if method in (CAM, GRAD_CAM, GUIDED_GRAD_CAM) and _role_of_features(model) is None:
        return MissingNetwork(_lacking(model, method, "cam"))
    if method == GUIDED_GRAD_CAM and "guided" not in model.graphs:
        return MissingNetwork(_lacking(model, method, "guided"))
    if method in (SALIENCY, SMOOTHGRAD, INTEGRATED_GRADIENTS) and "gradient" not in model.graphs:
        return MissingNetwork(_lacking(model, method, "gradient"))
    return None


def draw_map(question: Question, method: str) -> Generator[Request, Any, Map]:
    """Return the map of one of the METHODS. Raises what `unavailable` returns, and EngineFailed."""
    if problem := unavailable(question.model, method):
        raise problem
    return (yield from _MAKERS[method](question))


def _lacking(model: Model, method: str, role: str) -> str:
    return (
        f"The bundle {model.name} has no network of the role {role!r}, which the method {method!r} needs. "
        "Make it again with one (docs/bundle.md)."
    )


def _role_of_features(model: Model) -> str | None:
    return next((role for role in ("cam", "gradient") if role in model.graphs and _gives_features(model, role)), None)


def _gives_features(model: Model, role: str) -> bool:
    shape = model.graphs[role].outputs[FEATURES].shape if FEATURES in model.graphs[role].outputs else None
    return shape is not None and len(shape) == 4


def _saliency(question: Question) -> Generator[Request, Any, Map]:
    yield from _load(question, "gradient")
    gradient = yield from _gradient(question, "gradient", question.image)
    return _of_image(question, strongest_rise(gradient, _cells(question)))


def _smoothgrad(question: Question) -> Generator[Request, Any, Map]:
    yield from _load(question, "gradient")
    mean = Mean(len(question.image))
    for copy in range(COPIES):
        mean.add((yield from _gradient(question, "gradient", noisy(question.image, copy), copy / COPIES)))
    return _of_image(question, strongest_rise(mean.values(), _cells(question)))


def _integrated_gradients(question: Question) -> Generator[Request, Any, Map]:
    yield from _load(question, "gradient")
    mean, baseline = Mean(len(question.image)), black(image_input(question.model, "gradient"))
    for step in range(STEPS):
        image = between(question.image, baseline, step)
        mean.add((yield from _gradient(question, "gradient", image, step / STEPS)))
    return _of_image(question, path_integral(question.image, baseline, mean.values(), _cells(question)))


def _cam(question: Question) -> Generator[Request, Any, Map]:
    final = question.model.final_weights
    if final is None:
        raise UndefinedMethod(f"The method {CAM!r} is not defined here: {_HEAD}.")
    rows = _rows((yield ReadFile(final.file)), final)
    answer, shape = yield from _features(question, (FEATURES,))
    return Map(shape, activation_map(answer[FEATURES], [rows[label] for label in question.labels], shape[0] * shape[1]))


def _grad_cam(question: Question) -> Generator[Request, Any, Map]:
    answer, shape = yield from _features(question, (FEATURES, PULLED))
    return Map(shape, gradient_activation_map(answer[FEATURES], answer[PULLED], shape[0] * shape[1]))


def _guided_grad_cam(question: Question) -> Generator[Request, Any, Map]:
    coarse = yield from _grad_cam(question)
    yield from _load(question, "guided")
    guided = yield from _gradient(question, "guided", question.image, 0.5)
    rise = strongest_rise(guided, _cells(question))
    side = image_input(question.model, "guided").cells
    return _of_image(question, guided_activation_map(rise, side, coarse.values, coarse.shape))


_MAKERS: dict[str, Maker] = {
    SALIENCY: _saliency,
    CAM: _cam,
    GRAD_CAM: _grad_cam,
    GUIDED_GRAD_CAM: _guided_grad_cam,
    SMOOTHGRAD: _smoothgrad,
    INTEGRATED_GRADIENTS: _integrated_gradients,
}


def black(entry: NetworkInput) -> array[float]:
    """Return an image without any light as a network takes it: the baseline of integrated gradients."""
    low, _ = entry.range
    levels = [(low - mean) / std for mean, std in zip(entry.mean, entry.std, strict=True)]
    return array("f", [level for level in levels for _ in range(entry.cells**2)])


def _cells(question: Question) -> int:
    return image_input(question.model, "classifier").cells ** 2


def _of_image(question: Question, values: array[float]) -> Map:
    side = image_input(question.model, "classifier").cells
    return Map((side, side), values)


def _load(question: Question, role: str) -> Generator[Request, Any, None]:
    yield Progress("session", 0.0)
    with timed(question.draft, "session"):
        yield LoadGraph(role)


def _gradient(question: Question, role: str, image: array[float], part: float = 0.0) -> Generator[Request, Any, Any]:
    return (yield from _run(question, role, image, ("gradient",), part))["gradient"]


def _features(question: Question, outputs: tuple[str, ...]) -> Generator[Request, Any, tuple[Outputs, Shape]]:
    role = _role_of_features(question.model) or "cam"
    yield from _load(question, role)
    answer = yield from _run(question, role, question.image, outputs)
    _, _, rows, columns = question.model.graphs[role].outputs[FEATURES].shape or (0, 0, 0, 0)
    return answer, (rows, columns)


def _run(
    question: Question, role: str, image: array[float], outputs: tuple[str, ...], part: float = 0.0
) -> Generator[Request, Any, Outputs]:
    """Run a network on an image and the seed that the labels make; `part` of this map is done by now."""
    yield Progress("explanation", question.done + part * question.share)
    (seed,) = question.model.graphs[role].vectors
    weights = array("f", [float(label in question.labels) for label in range(len(question.model.labels))])
    return (yield from run_network(question.model, role, image, outputs, Feed(seed.name, seed.shape, weights)))


def _rows(content: bytes, final: FinalWeights) -> list[array[float]]:
    """Read the weights of each label, its bias last."""
    labels, columns = final.shape
    numbers = array("f")
    numbers.frombytes(content)
    if sys.byteorder == "big":
        numbers.byteswap()
    if len(numbers) != labels * columns:
        raise EngineFailed(f"The file {final.file} has no {labels} x {columns} weights. Export the bundle again.")
    return [numbers[label * columns : (label + 1) * columns] for label in range(labels)]
