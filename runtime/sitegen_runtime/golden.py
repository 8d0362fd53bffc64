"""Whether a network may run on a graphics card: what it makes there of the golden image, against WebAssembly.

Drivers of graphics cards have given wrong numbers without an error. So each network that is made ready on a card runs
once on the bundle's golden image there, and once on WebAssembly; nothing of the card is used unless both agree. The
tolerances are this module's, also for `sitegen verify --provider webgpu`.
"""

from __future__ import annotations  # array[float] is a name for type checkers until Python 3.12

from array import array
from collections.abc import Generator, Sequence
from dataclasses import asdict, dataclass
from math import hypot
from operator import sub
from typing import Any

from sitegen_runtime.bundle.model import Model, NetworkInput
from sitegen_runtime.errors import AnalysisError, EngineFailed
from sitegen_runtime.formats import inspect_image
from sitegen_runtime.gate.reconstruction_scores import as_shares
from sitegen_runtime.gate.ssim import mean_ssim
from sitegen_runtime.pixels.collect import collect
from sitegen_runtime.requests import Feed, ReadFile, Request
from sitegen_runtime.running import Outputs, image_input, run_graph

LOGIT_TOLERANCE = 1e-3  # of a logit beyond -1..1, as a share of it
MAP_TOLERANCE = 1e-2  # Euclidean distance of all other outputs, as a share of their norm
SCORE_TOLERANCE = 1e-3  # of the gate's SSIM

_images: dict[tuple[str, NetworkInput], array[float]] = {}


@dataclass(frozen=True)
class Verdict:
    """How far a network's outputs on the card lie from those on WebAssembly, by their roles, and what is wrong or None.

    The difference of `logits` is the largest, that of other outputs the relative Euclidean distance; the gate has a
    `score`, too.
    """

    role: str
    differences: dict[str, float]
    problem: str | None

    def fields(self) -> dict[str, Any]:
        """Return the verdict as plain data."""
        return asdict(self)


def check_network(model: Model, role: str) -> Generator[Request, Any, Verdict]:
    """Run the network of a role on the golden image, both ways, and compare all of its outputs. Raises nothing."""
    try:
        feeds = yield from _feeds(model, role)
        outputs = tuple(sorted(model.graphs[role].outputs))
        ours = yield from run_graph(model, role, outputs, *feeds)
        reference = yield from run_graph(model, role, outputs, *feeds, reference=True)
    except AnalysisError as error:
        return Verdict(role, {}, str(error))
    differences = {name: difference(name, ours[name], reference[name]) for name in outputs}
    if role == "gate":
        differences["score"] = abs(_score(model, feeds, ours) - _score(model, feeds, reference))
    wrong = [name for name, value in differences.items() if not value <= tolerance(name)]  # so that NaN is wrong too
    return Verdict(role, differences, _problem(role, wrong, differences) if wrong else None)


def tolerance(output: str) -> float:
    """Return how far an output of this role may lie from WebAssembly's."""
    return {"logits": LOGIT_TOLERANCE, "score": SCORE_TOLERANCE}.get(output, MAP_TOLERANCE)


def difference(output: str, ours: Sequence[float], reference: Sequence[float]) -> float:
    """Return how far the values of an output lie from the reference, in the measure of `tolerance`."""
    if output == "logits":
        return max(abs(a - b) / max(1.0, abs(b)) for a, b in zip(ours, reference, strict=True))
    return hypot(*map(sub, ours, reference)) / (hypot(*reference) or 1.0)


def _feeds(model: Model, role: str) -> Generator[Request, Any, tuple[Feed, ...]]:
    graph = model.graphs[role]
    feeds = []
    for image in graph.images:
        feeds.append(Feed(image.name, image.shape, (yield from _golden(model, image))))
    for vector in graph.vectors:
        length = vector.shape[-1]
        weights = array("f", [1.0 - index / (2 * length) for index in range(length)])  # all count, no two alike
        feeds.append(Feed(vector.name, vector.shape, weights))
    return tuple(feeds)


def _golden(model: Model, image: NetworkInput) -> Generator[Request, Any, array[float]]:
    """Return the golden image as a network takes it; it is decoded once for each way of taking it."""
    key = (model.sha256, image)
    if key not in _images:
        if model.golden_image is None:
            raise EngineFailed("The bundle has no golden image, so that no graphics card can be checked.")
        data = bytes((yield ReadFile(model.golden_image)))
        tensors, _ = yield from collect(inspect_image(data), {"golden": image})
        _images[key] = tensors["golden"]
    return _images[key]


def _score(model: Model, feeds: tuple[Feed, ...], outputs: Outputs) -> float:
    image = image_input(model, "gate")
    pair = as_shares(feeds[0].values, image), as_shares(outputs["reconstruction"], image)
    return mean_ssim(*pair, image.side)


def _problem(role: str, wrong: list[str], differences: dict[str, float]) -> str:
    parts = (f"{name} by {differences[name]:.1e} (at most {tolerance(name):.0e})" for name in wrong)
    return f"the network {role!r} differs on the graphics card: {', '.join(parts)}"
