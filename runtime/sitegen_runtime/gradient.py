"""The way of an image to a gradient: how the logits, weighted by a seed, would change with each value of the image.

bytes -> admitted by the gate (see `admission`, `stage_two`) -> one run of the gradient graph
    -> d<seed, logits>/d(image)

The seed gives each label a weight: 1 for one label and nothing for the rest is the gradient of that label's logit. The
graph is compiled ahead of time (`sitegen.gradient`); where it knows the classifier's last feature map, it gives that
map, and the gradient with respect to it, too. Documents have the schema sitegen.gradient/1, see
docs/gradient-document.md.
"""

from __future__ import annotations  # array[float] is a name for type checkers until Python 3.12

import json
from array import array
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from numbers import Real
from typing import Any

from sitegen_runtime.admission import Job, admit, guarded
from sitegen_runtime.bundle.model import Model
from sitegen_runtime.document import Draft
from sitegen_runtime.document_types import GradientDocument, GradientPart
from sitegen_runtime.errors import BadSeed, MissingNetwork
from sitegen_runtime.pixels.tensor import tensor_hash
from sitegen_runtime.requests import Feed, LoadGraph, Progress, Request
from sitegen_runtime.running import run_network, timed
from sitegen_runtime.stage_two import classify, has_second_stage

ROLE = "gradient"
TENSORS = ("gradient", "features", "features-gradient")  # of which a bundle's graph may give the first alone
_LARGEST = 3.4028234663852886e38  # of float32


@dataclass
class GradientDraft(Draft[GradientDocument]):
    """A gradient document that is being written."""

    schema = "sitegen.gradient/1"
    seed: Mapping[str, float] = field(default_factory=dict)
    logits: dict[str, float] = field(default_factory=dict)
    gradients: list[GradientPart] = field(default_factory=list)

    def answer(self) -> dict[str, Any]:
        """Return the seed, and what it gave."""
        return {"seed": dict(self.seed), "logits": self.logits, "gradients": self.gradients}


@dataclass(frozen=True)
class Gradient:
    """The document, and the float32 values of its tensors by role, flat and in row-major order."""

    document: GradientDocument
    values: Mapping[str, array[float]] = field(default_factory=dict)


def differentiate(job: Job, seed: Any) -> Generator[Request, Any, Gradient]:
    """Yield what is needed, and return the gradient of the logits weighted by `seed`, a mapping of labels to weights.

    Labels that the seed leaves out weigh 0. Failures become documents with an `error`; none is raised.
    """
    draft = GradientDraft(job.name, job.model, job.engine)
    return guarded(draft, _differentiate(job, draft, seed), Gradient)


def _differentiate(job: Job, draft: GradientDraft, seed: Any) -> Generator[Request, Any, Gradient]:
    if ROLE not in job.model.graphs:
        raise MissingNetwork(
            f"The bundle {job.model.name} has no network of the role {ROLE!r}: it gives no gradients. "
            "Make it again with one (docs/bundle.md)."
        )
    draft.seed = _checked(seed, job.model)
    image = yield from admit(job, draft, ROLE)
    values: Mapping[str, array[float]] = {}
    if not draft.refused and has_second_stage(job.model.gate):
        yield from classify(job.model, draft, image.values, job.force)  # which takes the same image
    if not draft.refused:
        yield Progress("session", 0.0)
        with timed(draft, "session"):
            yield LoadGraph(ROLE)
        yield Progress("gradient", 0.0)
        with timed(draft, "gradient"):
            values = yield from _pull_back(job.model, draft, image.values)
    yield Progress("done", 1.0)
    return Gradient(draft.result(), values)


def _pull_back(
    model: Model, draft: GradientDraft, image: array[float]
) -> Generator[Request, Any, Mapping[str, array[float]]]:
    """Run the graph on the image and the draft's seed; enter what it gives, and return the tensors by role."""
    graph = model.graphs[ROLE]
    roles = tuple(role for role in TENSORS if role in graph.outputs)
    (seed,) = graph.vectors
    weights = array("f", [draft.seed.get(label.name, 0.0) for label in model.labels])
    results = yield from run_network(model, ROLE, image, ("logits", *roles), Feed(seed.name, seed.shape, weights))
    logits = results.pop("logits")
    draft.logits = {label.name: float(logit) for label, logit in zip(model.labels, logits, strict=True)}
    draft.gradients = [_entry(role, graph.outputs[role].shape, values) for role, values in results.items()]
    return results


def _entry(role: str, shape: tuple[int, ...] | None, values: array[float]) -> GradientPart:
    return {
        "role": role,
        "shape": list(shape or ()),
        "min": min(values),
        "max": max(values),
        "sha256": tensor_hash(values),
    }


def _checked(seed: Any, model: Model) -> dict[str, float]:
    """Return the seed in the order of the labels. Raises BadSeed where it is none."""
    labels = [label.name for label in model.labels]
    if not isinstance(seed, Mapping) or not seed:
        raise BadSeed(f"The seed must give a weight to one label at least. The labels are {_names(labels)}.")
    for label, weight in seed.items():
        if label not in labels:
            raise BadSeed(f"The seed has a label {label!r}, which the model has not. Its labels are {_names(labels)}.")
        if not _is_float32(weight):
            shown = json.dumps(weight, default=repr)
            raise BadSeed(f"The seed's weight of {label!r} is {shown}; it must be a finite number of float32.")
    return {label: float(seed[label]) for label in labels if label in seed}


def _is_float32(weight: Any) -> bool:
    is_number = isinstance(weight, Real) and not isinstance(weight, bool)
    return is_number and bool(abs(weight) <= _LARGEST)  # which NaN is not


def _names(labels: list[str]) -> str:
    return ", ".join(map(repr, labels))
