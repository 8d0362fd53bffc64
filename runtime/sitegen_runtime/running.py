"""Running a network of the model: what goes in, what comes out, and how long it took."""

from __future__ import annotations  # array[float] is a name for type checkers until Python 3.12

from array import array
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from math import isfinite
from time import perf_counter
from typing import TYPE_CHECKING, Any

from sitegen_runtime.bundle.model import Model, NetworkInput
from sitegen_runtime.errors import EngineFailed
from sitegen_runtime.requests import Feed, Request, RunGraph

if TYPE_CHECKING:
    from sitegen_runtime.document import Draft

Outputs = dict[str, "array[float]"]


def image_input(model: Model, role: str) -> NetworkInput:
    """Return the image that the network of a role takes."""
    return model.graphs[role].images[0]


def run_network(
    model: Model, role: str, values: array[float], outputs: tuple[str, ...], *others: Feed
) -> Generator[Request, Any, Outputs]:
    """Run the network of a role on the values of its image and its other inputs; return its outputs by their roles.

    Raises EngineFailed where they are not finite.
    """
    image = image_input(model, role)
    return (yield from run_graph(model, role, outputs, Feed(image.name, image.shape, values), *others))


def run_graph(
    model: Model, role: str, outputs: tuple[str, ...], *feeds: Feed, reference: bool = False
) -> Generator[Request, Any, Outputs]:
    """Run the network of a role on all of its inputs, as `run_network` does; `reference` is that of `RunGraph`."""
    names = tuple(model.graphs[role].outputs[output].name for output in outputs)
    answer = yield RunGraph(role, feeds, names, reference)
    results: Outputs = {output: answer[name] for output, name in zip(outputs, names, strict=True)}
    # Sums of float32 values cannot overflow here, so that they are finite just where all values are.
    if not all(isfinite(sum(part)) for part in results.values()):
        raise EngineFailed(f"The network {role!r} gave numbers that are not finite. Nothing can be said of this image.")
    return results


@contextmanager
def timed(draft: Draft[Any], stage: str) -> Iterator[None]:
    """Enter the time that the block takes into the document, in milliseconds; a stage's blocks add up."""
    start = perf_counter()
    try:
        yield
    finally:
        taken = 1000 * (perf_counter() - start)
        draft.timings[stage] = round(draft.timings.get(stage, 0.0) + taken, 1)
