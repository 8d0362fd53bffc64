"""What a bundle says of its gate, and which graphs that needs.

Everything beyond `metric`, `threshold` and `share` may be missing: such a gate decides by the SSIM alone.
"""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, model_validator

from sitegen.bundle.names import one_of
from sitegen.bundle.parts import Graph, Part, Share
from sitegen_runtime.bundle.gate import read_gate
from sitegen_runtime.gate.metrics import COMBINED, METRICS, SSIM, measured_metrics

MetricName = Annotated[str, one_of(METRICS)]
PartName = Annotated[str, one_of(METRICS, barred=COMBINED)]
ScoreName = Annotated[str, one_of(METRICS, barred=SSIM)]
ALWAYS_GIVEN = {("gate", "reconstruction"), ("classifier", "logits")}  # by every bundle that has a gate
FEATURES = "features"  # the role of the graph, of the classifier's output, and the name of the graph's input


class GateScore(Part):
    """A score beside the SSIM: an image passes up to the threshold ("unlike") or from it on ("alike")."""

    metric: MetricName
    threshold: float
    higher: Literal["alike", "unlike"]

    @model_validator(mode="after")
    def _consistent(self) -> "GateScore":
        if self.metric == SSIM:
            raise ValueError("the SSIM has its threshold in gate.threshold, and no place in gate.scores")
        if self.higher != (known := METRICS[self.metric].higher):
            raise ValueError(f"higher of {self.metric!r} is {known!r}, not {self.higher!r}")
        return self


class Quantiles(Part):
    """Raw values of the images of a split, for each metric at the same levels from 0 to 1."""

    levels: Annotated[list[Share], Field(min_length=2)]
    of: Annotated[str, Field(min_length=1)] = "validation"
    values: dict[MetricName, list[float]]

    @model_validator(mode="after")
    def _consistent(self) -> "Quantiles":
        if (self.levels[0], self.levels[-1]) != (0, 1) or any(low >= high for low, high in pairwise(self.levels)):
            raise ValueError("levels must rise from 0 to 1")
        for metric, values in self.values.items():
            if len(values) != len(self.levels):
                raise ValueError(f"values of {metric!r} are {len(values)}, and there are {len(self.levels)} levels")
            if any(low > high for low, high in pairwise(values)):
                raise ValueError(f"values of {metric!r} must rise with the levels")
        return self


class Combination(Part):
    """Weights of the positions of some metrics, and the intercept, of a logistic function."""

    weights: Annotated[dict[MetricName, float], Field(min_length=1)]
    intercept: float

    @model_validator(mode="after")
    def _consistent(self) -> "Combination":
        if COMBINED in self.weights:
            raise ValueError(f"weights cannot hold {COMBINED!r} itself")
        return self


class GateSettings(Part):
    """When an image is judged at all: its SSIM must reach the threshold, and every other score must pass."""

    metric: Literal["ssim"]
    threshold: float
    share: Share | None = None  # of validation images that pass
    scores: list[GateScore] = Field(default_factory=list)
    quantiles: Quantiles | None = None
    combination: Combination | None = None
    vim_alpha: Annotated[float, Field(gt=0)] | None = None

    @model_validator(mode="after")
    def _consistent(self) -> "GateSettings":
        names = [score.metric for score in self.scores]
        if repeated := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"scores repeat: {repeated}")
        if COMBINED in names and self.combination is None:
            raise ValueError(f"scores list {COMBINED!r}, but combination is missing")
        for metric in self.measured:
            if missing := [name for name in METRICS[metric].settings if getattr(self, name) is None]:
                raise ValueError(f"the score {metric!r} is used, but {missing[0]} is missing")
        tables = self.quantiles.values if self.quantiles else {}
        weights = self.combination.weights if self.combination else {}
        if missing := [name for name in weights if name not in tables]:
            raise ValueError(f"combination.weights need quantiles.values of the same metrics; missing are {missing}")
        return self

    @property
    def measured(self) -> tuple[str, ...]:
        """The metrics whose formulas this gate asks for, the combination's parts included."""
        return measured_metrics(read_gate(self.model_dump()))


def gate_problems(gate: GateSettings, graphs: Mapping[str, Graph]) -> Iterator[str]:
    """Yield what the gate needs and these graphs, by role, do not have."""
    if "gate" not in graphs or graphs["gate"].output("reconstruction") is None:
        yield "gate is set, but graphs.gate with an output of the role 'reconstruction' is missing"
        return
    if not all(entry.is_square for entry in graphs["gate"].images):
        yield "graphs.gate takes images that are no square; a gate's are"
    if any(entry.crop.mode == "pad" for entry in graphs["gate"].images):
        yield "graphs.gate takes padded images, whose fill says nothing of the image; a gate's are cropped or squashed"
    for metric in gate.measured:
        for role, output in METRICS[metric].needs:
            if role not in graphs:
                yield f"gate uses the score {metric!r}, which needs graphs.{role}"
            elif graphs[role].output(output) is None:
                yield f"gate uses the score {metric!r}, which needs an output of graphs.{role} with the role {output!r}"


def features_problems(graphs: Mapping[str, Graph]) -> Iterator[str]:
    """Yield what is wrong with graphs.features and graphs.gate's latent, where there are any."""
    needs = dict.fromkeys(need for metric in METRICS.values() for need in metric.needs)
    for role, output in (need for need in needs if need not in ALWAYS_GIVEN):
        found = graphs[role].output(output) if role in graphs else None
        if found and not _is_vector(found.shape):
            yield f"graphs.{role}: the shape of the output {found.name!r} must be [1, length], not {found.shape}"
    if FEATURES not in graphs:
        return
    inputs = graphs[FEATURES].inputs
    if len(inputs) != 1 or inputs[0].colour is not None or inputs[0].name != FEATURES:
        yield f"graphs.features must have one input, {FEATURES!r}, which is no image (its colour is null)"
        return
    pooled = graphs["classifier"].output(FEATURES) if "classifier" in graphs else None
    if pooled is not None and pooled.shape != inputs[0].shape:
        yield f"graphs.features takes the shape {inputs[0].shape}, but graphs.classifier gives {pooled.shape}"


def _is_vector(shape: list[int] | None) -> bool:
    return shape is not None and len(shape) == 2 and shape[0] == 1
