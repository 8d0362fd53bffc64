"""Every figure of an image's maps: curves of perturbation, agreement, and whether they find a planted mark.

    measure(graphs, case, methods, steps, seed)      what one image says of each method and baseline

The sanity check changes the model and not the image: it is in `explanation_sanity`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sitegen.evaluation.explanations.baselines import BASELINES
from sitegen.evaluation.explanations.graphs import Graphs, Image, draw
from sitegen.evaluation.explanations.perturbation import (
    ROAD_SHARES,
    area,
    deletion,
    insertion,
    order_of,
    road,
)
from sitegen.evaluation.explanations.planted import Mark, area_share, hit, mass_inside
from sitegen.evaluation.explanations.similarity import Map, Measure, rank_correlation, top_overlap

CURVES = ("deletion", "insertion", "road_most", "road_least")
Curves = Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True)
class Case:
    """An image as the classifier takes it, [C, H, W], its patient, and the finding (by index) that is explained.

    `probability` (0..1) is the model's, of that finding; `positive` says whether it reaches the operating point.
    """

    name: str
    patient: str
    image: Image
    finding: int
    probability: float
    positive: bool
    mark: Mark | None = None


@dataclass(frozen=True)
class Measured:
    """What an image says of maps, by the name of the method or baseline.

    `curves` are empty where the model does not say yes: there is nothing that could be taken away. `alike` and
    `overlap` are [M, M], in the order of `names`. `hits` and `masses` are empty where there is no mark.
    """

    names: Sequence[str]
    curves: Mapping[str, Curves] = field(default_factory=dict)
    alike: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 0)))
    overlap: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 0)))
    hits: Mapping[str, float] = field(default_factory=dict)
    masses: Mapping[str, float] = field(default_factory=dict)
    area: float = 0.0


def measure(
    graphs: Graphs, case: Case, methods: Sequence[str], steps: int, seed: int, every_image: bool = False
) -> Measured:
    """Return all figures of an image. The same case and seed give the same figures, whatever was measured before."""
    rng = np.random.default_rng((seed, *case.name.encode()))
    maps = {method: draw(graphs, case.image, case.finding, method) for method in methods}
    maps |= {name: make(case.image, rng) for name, make in BASELINES.items()}
    curves = {}
    if case.positive or every_image:
        curves = {name: _curves(graphs, case, given, steps, rng) for name, given in maps.items()}
    return Measured(
        tuple(maps),
        curves,
        _each_with_each(list(maps.values()), rank_correlation),
        _each_with_each(list(maps.values()), top_overlap),
        {name: float(hit(given, case.mark)) for name, given in maps.items()} if case.mark else {},
        {name: mass_inside(given, case.mark) for name, given in maps.items()} if case.mark else {},
        area_share(case.mark) if case.mark else 0.0,
    )


def areas(curves: Curves) -> dict[str, float]:
    """Return the areas of an image's curves, and ROAD's gap: what stays where the least relevant cells go, less what
    stays where the most relevant ones do, on average over the shares."""
    found = {name: area(curves[name]) for name in ("deletion", "insertion")}
    most, least = (float(curves[name].mean()) for name in ("road_most", "road_least"))
    return {**found, "road_most": most, "road_least": least, "road_gap": least - most}


def shares_of(curve: str, steps: int) -> list[float]:
    """Return the share of cells that is taken away, or put back, at each point of a curve."""
    return list(ROAD_SHARES) if curve.startswith("road") else np.linspace(0, 1, steps + 1).tolist()


def _curves(graphs: Graphs, case: Case, given: Map, steps: int, rng: np.random.Generator) -> Curves:
    def score(image: Image) -> float:
        return graphs.probability(image, case.finding)

    order = order_of(np.maximum(given, 0), rng)  # as people see it: what speaks against the finding is not shown
    return {
        "deletion": deletion(score, case.image, order, steps),
        "insertion": insertion(score, case.image, order, steps),
        "road_most": road(score, case.image, order, rng),
        "road_least": road(score, case.image, order[::-1], rng),
    }


def _each_with_each(maps: Sequence[Map], how: Measure) -> NDArray[np.float64]:
    found = np.eye(len(maps))
    for first in range(len(maps)):
        for second in range(first):
            found[first, second] = found[second, first] = how(maps[first], maps[second])
    return found
