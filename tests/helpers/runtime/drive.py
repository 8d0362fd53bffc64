"""Driving the runtime by hand: answers to its requests from NumPy, and a record of what it asked."""

from array import array
from collections.abc import Callable, Generator
from typing import Any, TypeVar

import numpy as np

from sitegen_runtime.admission import Job
from sitegen_runtime.analysis import Analysis, analyse
from sitegen_runtime.bundle.model import Model
from sitegen_runtime.explanation import Explained, explain
from sitegen_runtime.gradient import Gradient, differentiate
from sitegen_runtime.interventions.expectation import Drawn, draw_effects
from sitegen_runtime.interventions.what_if import Scene, try_out
from sitegen_runtime.requests import (
    LoadGraph,
    OpenImage,
    Progress,
    ReadFile,
    ReadPixels,
    Request,
    RunGraph,
    SumCells,
)
from tests.helpers.runtime.cell_sums import defined_sums

ENGINE = {"runtime": "cpython", "provider": "cpu", "threads": 1}
LOGITS = (0.5, -1.0, 2.0)
FEATURES = (0.25, 0.5)
LATENT = (3.0, -4.0)
MAPS = (1.0, 2.0, 3.0, 4.0, 0.5, 0.0, 0.0, 4.0)  # two channels of 2 x 2 cells
FINAL = array("f", [1, 0, 7, 0, 1, 8, 2, -1, 9])  # of each label, for each channel, and a bias
Intervene = Callable[[Request], BaseException | None]
T = TypeVar("T")


def job(data: bytes, model: Model, **options: Any) -> Job:
    return Job(data, "image.png", model, ENGINE, **options)


class Machine:
    """Answers requests for one image; `gate_error` is added to what the gate rebuilds.

    The gate rebuilds the image, or `known`, whatever it is given; its latent is LATENT. The gradient it gives is the
    image times the sum of the seed; the features are FEATURES, their gradient the seed's first two weights. The network
    of the role `cam` gives MAPS and, as their gradient, a quarter of 1 and -2 times the sum of the seed; the guided one
    gives the sum of the seed everywhere. Whitened
    features are four times the features, their residual is ten times as much.
    """

    def __init__(
        self,
        rgba: np.ndarray,
        gate_error: float = 0.0,
        logits: tuple[float, ...] = LOGITS,
        known: np.ndarray | None = None,
    ) -> None:
        self.rgba, self.gate_error, self.logits, self.known = rgba, gate_error, logits, known
        self.asked: list[Request] = []

    def answer(self, request: Request) -> Any:
        match request:
            case OpenImage():
                return self.rgba.shape[1], self.rgba.shape[0]
            case SumCells(grids):
                return [each for grid in grids for each in defined_sums(self.rgba, grid)]
            case ReadPixels(rows, columns):
                return self.rgba[np.ix_(rows, columns)].tobytes()
            case RunGraph(role="gate", feeds=(image,)):
                noise = np.random.default_rng(0).normal(0, self.gate_error, len(image.values)) if self.gate_error else 0
                rebuilt = np.array(image.values) if self.known is None else self.known.reshape(-1)
                given = ((rebuilt + noise).tolist(), LATENT)
                return {name: array("f", values) for name, values in zip(request.outputs, given, strict=False)}
            case RunGraph(role="features", feeds=(features,)):
                factors = {"whitened_out": 4, "residual_out": 10}
                return {
                    name: array("f", [factors[name] * value for value in features.values]) for name in request.outputs
                }
            case RunGraph(role="cam", feeds=(_, seed)):
                pulled = [weight / 4 for weight in (sum(seed.values), -2 * sum(seed.values)) for _ in range(4)]
                answers: dict[str, Any] = {
                    "logits_out": self.logits,
                    "features_out": MAPS,
                    "features-gradient_out": pulled,
                }
                return {name: array("f", answers[name]) for name in request.outputs}
            case RunGraph(role="guided", feeds=(image, seed)):
                return {"gradient_out": array("f", [sum(seed.values)] * len(image.values))}
            case ReadFile("final.weights"):
                return FINAL.tobytes()
            case RunGraph(role="gradient", feeds=(image, seed)):
                pulled = (np.array(image.values, np.float64) * sum(seed.values)).tolist()
                answers = {"logits_out": self.logits, "gradient_out": pulled, "features_out": FEATURES}
                answers["features-gradient_out"] = seed.values[:2]
                return {name: array("f", answers[name]) for name in request.outputs}
            case RunGraph():
                scores = (self.logits, FEATURES)
                return {name: array("f", values) for name, values in zip(request.outputs, scores, strict=False)}
        return None

    def run(self, job: Job, intervene: Intervene = lambda request: None) -> Analysis:
        """Answer until the analysis ends; `intervene` may give an exception to throw instead of an answer."""
        return self._follow(analyse(job), intervene)

    def differentiate(self, job: Job, seed: Any, intervene: Intervene = lambda request: None) -> Gradient:
        """Answer until the gradient is there; `intervene` as for `run`."""
        return self._follow(differentiate(job, seed), intervene)

    def explain(self, job: Job, wanted: Any, intervene: Intervene = lambda request: None, **options: Any) -> Explained:
        """Answer until the explanations are there; `intervene` as for `run`."""
        return self._follow(explain(job, wanted, **options), intervene)

    def what_if(self, job: Job, wanted: Any, intervene: Intervene = lambda request: None, **options: Any) -> Analysis:
        """Answer until every intervention was tried; `intervene` as for `run`."""
        return self._follow(try_out(job, wanted, **options), intervene)

    def draw_effects(self, scene: Scene, masks: list[bytes], filling: str) -> list[Drawn]:
        """Answer until every mask was tried."""
        return self._follow(draw_effects(scene, masks, filling), lambda request: None)

    def _follow(self, generator: Generator[Request, Any, T], intervene: Intervene) -> T:
        try:
            request = next(generator)
            while True:
                self.asked.append(request)
                failure = intervene(request)
                request = generator.throw(failure) if failure else generator.send(self.answer(request))
        except StopIteration as end:
            result: T = end.value
            return result

    def steps(self) -> list[str]:
        """What was asked, in words."""
        return [step(request) for request in self.asked]


def step(request: Request) -> str:
    match request:
        case Progress(stage, _):
            return f"progress {stage}"
        case LoadGraph(role):
            return f"load {role}"
        case ReadFile(name):
            return f"read {name}"
        case RunGraph(role=role):
            return f"run {role}"
    return type(request).__name__
