"""Running the classifier on many masked copies of an image, for causal effect maps, and showing how far they are."""

from __future__ import annotations  # array[float] is a name for type checkers until Python 3.12

from collections.abc import Callable, Generator, Sequence
from math import fsum
from typing import Any

from sitegen_runtime.calibration import sigmoid
from sitegen_runtime.interventions.draws import Draws
from sitegen_runtime.interventions.fillings import BLACK, Canvas
from sitegen_runtime.interventions.tiles import draw_tiles
from sitegen_runtime.maps.causal_effect import FIRST_SKETCH, NEXT_SKETCH, RUNS, SEED, CausalEffects, Estimate
from sitegen_runtime.maps.question import Estimated, Map, Question
from sitegen_runtime.pixels.geometry import Place
from sitegen_runtime.requests import Request, Sketch

FILLING = BLACK
Said = Callable[[Sequence[float], Sequence[float]], float]  # of the logits of a masked image, and of those without mask


def causal_effects(
    question: Question, said: Said, estimate: Callable[[CausalEffects], Estimate]
) -> Generator[Request, Any, Map]:
    """Return the map of RUNS masks of the seed SEED, or of the first of them where the question asks for fewer.

    Now and then on the way there is a `Sketch` of it. Masks depend on nothing but the input's size, so that the same
    image has the same map wherever it is made.
    """
    grid, draws, effects = question.entry.grid, Draws(SEED), CausalEffects(question.entry.grid)
    filling = Canvas(question.image, question.entry, Place(0, 0, grid[1], grid[0])).filled(FILLING)
    plain = yield from question.logits(question.image)
    runs = question.runs or RUNS
    for run in range(runs):
        tiles = draw_tiles(grid, draws)
        logits = yield from question.logits(tiles.masked(question.image, filling), run / runs)
        effects.add(tiles, said(logits, plain))
        if run + 1 < runs and run + 1 >= FIRST_SKETCH and (run + 1 - FIRST_SKETCH) % NEXT_SKETCH == 0:
            yield Sketch(question.told(_map(question, estimate(effects))))
    return _map(question, estimate(effects))


def change_of_probability(logits: Sequence[float], plain: Sequence[float]) -> float:
    """Return the effect on the probability, or on the sum of several: Eq. 1 (see `interventions.effects`)."""
    return fsum(map(sigmoid, logits)) - fsum(map(sigmoid, plain))


def _map(question: Question, found: Estimate) -> Map:
    return question.over_image(found.values, Estimated(found.errors, found.runs, question.runs or RUNS))
