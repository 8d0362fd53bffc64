"""The sanity check: does a map change when the model forgets what it has learnt? Adebayo et al. 2018.

    cascading       the last layer's weights become random, then those before it as well, and so on to the first layer
    independent     one group of layers at a time, the others as they were trained

At each step a map is compared with that of the trained model.

The rule: a method passes where, once the half of the stages next to the output is random, the rank correlation with the
map before, signs included, has fallen to what random maps reach. That is, its mean over images and draws is at most the
CHANCE_LEVEL quantile of the correlation with maps that share no more than a look (`similarity.chance`), or
at most NEGLIGIBLE. Correlations of absolute values and structural similarity are shown, and decide nothing: where an
image is empty, every map is, so they stay higher for all methods.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sitegen.evaluation.explanations.graphs import Graphs, Image, draw
from sitegen.evaluation.explanations.randomised import Stage, cumulated, random_weights, stages
from sitegen.evaluation.explanations.similarity import (
    Map,
    absolute_rank_correlation,
    chance,
    rank_correlation,
    structural_similarity,
)

MEASURES: dict[str, Callable[[Map, Map], float]] = {
    "signed": rank_correlation,
    "absolute": absolute_rank_correlation,
    "ssim": structural_similarity,
}
KINDS = ("cascading", "independent")
DECIDING = "signed"
CHANCE_DRAWS, CHANCE_LEVEL = 40, 0.95
NEGLIGIBLE = 0.1  # a correlation of two maps that have a hundredth of their variance in common


@dataclass(frozen=True)
class Sanity:
    """Similarities of maps with those of the trained model, for N images, S stages, M methods and the MEASURES.

    `found` is [draws, KINDS, S, N, M, MEASURES], `by_chance` [N, M, MEASURES], the CHANCE_LEVEL quantiles.
    """

    stages: Sequence[Stage]
    methods: Sequence[str]
    found: NDArray[np.float64]
    by_chance: NDArray[np.float64]

    @property
    def read_at(self) -> int:
        """The stage, from 0, after which the rule looks: half of all."""
        return (len(self.stages) + 1) // 2 - 1

    def limit(self, method: int) -> float:
        """Return the highest mean correlation with which a method passes."""
        return max(NEGLIGIBLE, float(self.by_chance[:, method, list(MEASURES).index(DECIDING)].mean()))

    def similarity(self, method: int) -> float:
        """Return the mean correlation that the rule is about."""
        at = 0, self.read_at, slice(None), method, list(MEASURES).index(DECIDING)
        return float(self.found[(slice(None), *at)].mean())

    def passes(self, method: int) -> bool:
        """Return whether a method's maps depend on what the model has learnt, by the rule."""
        return self.similarity(method) <= self.limit(method)


def check_sanity(
    graphs: Graphs,
    images: Sequence[tuple[Image, int]],
    methods: Sequence[str],
    count: int,
    draws: int,
    seed: int,
    watch: Callable[[], None] = lambda: None,
) -> Sanity:
    """Return how alike maps remain, for images with the finding that each is explained for.

    `count` is the number of stages at most, `draws` how often weights are drawn. `watch` is called after each model.
    """
    rng = np.random.default_rng(seed)
    parts = stages(graphs.models["classifier"], graphs.weights, count)
    trained = [[draw(graphs, image, finding, method) for method in methods] for image, finding in images]
    found = np.zeros((draws, len(KINDS), len(parts), len(images), len(methods), len(MEASURES)))
    for turn in range(draws):
        alone = [random_weights(graphs.weights, part, rng) for part in parts]
        for kind, changes in enumerate((cumulated(alone), alone)):
            for place, weights in enumerate(changes):
                if kind and not place:
                    found[turn, kind, place] = found[turn, 0, place]  # the first stage alone is the first stage
                else:
                    found[turn, kind, place] = list(_compared(graphs.changed(weights), images, methods, trained))
                watch()
    return Sanity(parts, methods, found, np.array([_by_chance(maps, rng) for maps in trained]))


def _compared(
    graphs: Graphs, images: Sequence[tuple[Image, int]], methods: Sequence[str], trained: Sequence[Sequence[Map]]
) -> Iterator[list[list[float]]]:
    for (image, finding), maps in zip(images, trained, strict=True):
        yield [
            _all_measures(before, draw(graphs, image, finding, method))
            for method, before in zip(methods, maps, strict=True)
        ]


def _all_measures(before: Map, after: Map) -> list[float]:
    return [measure(before, after) for measure in MEASURES.values()]


def _by_chance(maps: Sequence[Map], rng: np.random.Generator) -> list[list[float]]:
    return [
        [float(np.quantile(chance(each, measure, CHANCE_DRAWS, rng), CHANCE_LEVEL)) for measure in MEASURES.values()]
        for each in maps
    ]
