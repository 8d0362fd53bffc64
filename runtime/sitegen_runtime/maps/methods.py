"""The one table of methods of explanation: what each needs, how it comes to its map, and what is said of it.

The page, the command line, evaluations and the documentation read this table: a row is all that a new method takes. The
arithmetic stands in `arithmetic`, what networks are asked in `question`.
"""

from __future__ import annotations  # array[float] is a name for type checkers until Python 3.12

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from math import fsum
from typing import Any

from sitegen_runtime.bundle.model import Model
from sitegen_runtime.errors import MissingNetwork, UndefinedMethod
from sitegen_runtime.interventions.fillings import black
from sitegen_runtime.maps.arithmetic import (
    COPIES,
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
from sitegen_runtime.maps.causal_effect import RUNS, CausalEffects
from sitegen_runtime.maps.masked_runs import causal_effects, change_of_probability
from sitegen_runtime.maps.question import FEATURES, PULLED, Map, Question, role_of_features
from sitegen_runtime.requests import Request
from sitegen_runtime.running import image_input

CAM, GRAD_CAM, CEM = "cam", "grad-cam", "cem"
FINAL_WEIGHTS = "final-weights"  # a need that no graph meets: the last layer's weights, in a file of the bundle
_HEAD = "the network of this bundle does not end with an average over the image and one linear layer"
_FAILS = (
    "Guided methods fail sanity checks: their maps hardly change when the network's weights are replaced by random "
    "ones (Adebayo et al. 2018). They show edges of the image, whatever the network has learnt."
)

MANY_RUNS = 100  # of a network for one map: from here on a method is left out where many maps are made unasked
Making = Generator[Request, Any, Map]


@dataclass(frozen=True)
class Method:
    """A row: what a method needs of a bundle, what makes its map, and its words.

    `needs` are roles of graphs, FINAL_WEIGHTS among them, in the order in which people are told what is missing; "cam"
    stands for any graph that gives the last feature map. On the page stand `name`, `sentence` and, of a method whose
    maps hardly depend on what the network has learnt, a `warning`; in the documentation `value` and `source`
    (Markdown). `runs` is how often a network runs for a map; where they are of random masks (`masked`), fewer will do.
    """

    needs: tuple[str, ...]
    make: Callable[[Question], Making]
    name: str
    sentence: str
    value: str
    source: str
    warning: str | None = None
    runs: int = 1
    masked: bool = False


def _saliency(question: Question) -> Making:
    yield from question.load("gradient")
    gradient = yield from question.gradient("gradient", question.image)
    return question.over_image(strongest_rise(gradient, question.entry.area))


def _cam(question: Question) -> Making:
    final = question.model.final_weights
    assert final is not None  # noqa: S101 - for the type checker: the row needs them
    rows = yield from question.final_weights(final)
    answer, shape = yield from question.features((FEATURES,))
    return Map(shape, activation_map(answer[FEATURES], rows, shape[0] * shape[1]))


def _grad_cam(question: Question) -> Making:
    answer, shape = yield from question.features((FEATURES, PULLED))
    return Map(shape, gradient_activation_map(answer[FEATURES], answer[PULLED], shape[0] * shape[1]))


def _guided_grad_cam(question: Question) -> Making:
    coarse = yield from _grad_cam(question)
    yield from question.load("guided")
    guided = yield from question.gradient("guided", question.image, 0.5)
    rise = strongest_rise(guided, question.entry.area)
    return question.over_image(guided_activation_map(rise, question.entry.grid, coarse.values, coarse.shape))


def _smoothgrad(question: Question) -> Making:
    yield from question.load("gradient")
    mean = Mean(len(question.image))
    for copy in range(COPIES):
        mean.add((yield from question.gradient("gradient", noisy(question.image, copy), copy / COPIES)))
    return question.over_image(strongest_rise(mean.values(), question.entry.area))


def _integrated_gradients(question: Question) -> Making:
    yield from question.load("gradient")
    mean, baseline = Mean(len(question.image)), black(image_input(question.model, "gradient"))
    for step in range(STEPS):
        mean.add((yield from question.gradient("gradient", between(question.image, baseline, step), step / STEPS)))
    return question.over_image(path_integral(question.image, baseline, mean.values(), question.entry.area))


def _cem(question: Question) -> Making:
    found = yield from causal_effects(question, lambda logits, plain: fsum(logits), CausalEffects.contrast)
    return found


def _cem_paper(question: Question) -> Making:
    found = yield from causal_effects(question, change_of_probability, CausalEffects.weighted)
    return found


METHODS: Mapping[str, Method] = {
    "saliency": Method(
        ("gradient",),
        _saliency,
        name="Saliency",
        sentence="Where a slightly brighter pixel would raise the finding most. Fine, and often noisy.",
        value="max(0, ∂y/∂x), the largest over the channels",
        source="Simonyan et al. 2014; Cohen et al. 2019, Eq. 3",
    ),
    CAM: Method(
        (FINAL_WEIGHTS, "cam"),
        _cam,
        name="CAM",
        sentence="Which regions the last layer adds up to the finding. Coarse, and exact for the last layer.",
        value="Σ_k w_k f_k, with the last layer's weights w (of `all`: their sum over the labels), without the bias; "
        "signed",
        source="Zhou et al. 2016; Cohen et al. 2019, Eq. 4",
    ),
    GRAD_CAM: Method(
        ("cam",),
        _grad_cam,
        name="Grad-CAM",
        sentence="Which regions of the last feature map raise the finding, weighted by their gradients. Coarse.",
        value="max(0, Σ_k a_k f_k), where a_k is the mean of ∂y/∂f_k over the cells",
        source="Selvaraju et al. 2017",
    ),
    "guided-grad-cam": Method(
        ("cam", "guided"),
        _guided_grad_cam,
        name="Guided Grad-CAM",
        sentence="Grad-CAM's regions, filled with the edges that raise the finding. Fine.",
        value="max(0, guided ∂y/∂x), the largest over the channels, times `grad-cam`, bilinearly enlarged",
        source="Springenberg et al. 2015; Selvaraju et al. 2017",
        warning=_FAILS,
    ),
    "smoothgrad": Method(
        ("gradient",),
        _smoothgrad,
        name="SmoothGrad",
        sentence=f"Saliency, averaged over {COPIES} noisy copies of the image: less noise, and a longer wait.",
        value=f"as `saliency`, of the mean gradient of {COPIES} noisy copies",
        source="Smilkov et al. 2017",
        runs=COPIES,
    ),
    "integrated-gradients": Method(
        ("gradient",),
        _integrated_gradients,
        name="Integrated gradients",
        sentence=f"What each pixel adds on the way from black to this image, in {STEPS} steps. A longer wait.",
        value=f"(x − b) times the mean of ∂y/∂x at {STEPS} points between b and x, summed over the channels; signed",
        source="Sundararajan et al. 2017",
        runs=STEPS,
    ),
    CEM: Method(
        ("classifier",),
        _cem,
        name="Causal effect map",
        sentence=f"What the finding loses, on average, where a place is masked: {RUNS} copies of the image are masked "
        "at random. A long wait.",
        value=f"mean of y where a mask keeps the cell minus that where it changes it, of {RUNS} random masks; signed",
        source="Petsiuk et al. 2018; Yang et al. 2019",
        runs=RUNS,
        masked=True,
    ),
    "cem-paper": Method(
        ("classifier",),
        _cem_paper,
        name="Causal effect map, the paper's weighting",
        sentence="The same masks, weighted as in the paper: every masked place takes all that the probability loses. "
        "It colours what no mask depends on, too.",
        value="minus the change of the probability (of `all`: their sum), where a mask changes the cell, summed and "
        f"divided by {RUNS}",
        source="Yang et al. 2019, Eq. 1",
        runs=RUNS,
        masked=True,
    ),
}


def unavailable(model: Model, method: str) -> MissingNetwork | UndefinedMethod | None:
    """Return why a bundle gives no maps of one of the METHODS, as an error with a sentence; None where it does."""
    missing = next((need for need in METHODS[method].needs if not _gives(model, need)), None)
    if missing is None:
        return None
    if missing == FINAL_WEIGHTS:
        instead = "" if unavailable(model, GRAD_CAM) else f" Use {GRAD_CAM!r}, which needs no such layer."
        return UndefinedMethod(f"The method {method!r} is not defined here: {_HEAD}.{instead}")
    return MissingNetwork(
        f"The bundle {model.name} has no network of the role {missing!r}, which the method {method!r} needs. "
        "Make it again with one (docs/bundle.md)."
    )


def draw_map(question: Question, method: str) -> Making:
    """Return the map of one of the METHODS. Raises what `unavailable` returns, and EngineFailed."""
    if problem := unavailable(question.model, method):
        raise problem
    return (yield from METHODS[method].make(question))


def _gives(model: Model, need: str) -> bool:
    if need == FINAL_WEIGHTS:
        return model.final_weights is not None
    return role_of_features(model) is not None if need == "cam" else need in model.graphs
