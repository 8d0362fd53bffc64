"""What a bundle says of a generator of images like its model's, and what the graph of that role must take and give."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field

from sitegen.bundle.parts import Graph, Part

ROLE = "generator"
STATE = ("parameters", "first", "second")
OUTPUTS = ("reconstruction", "distance", "latent", *STATE)
_RATES = [1, 4]


class GeneratorSettings(Part):
    """The terms of its weights and of the images that it learned from, and how it came about, in free form."""

    weights: str
    data: str
    provenance: dict[str, Any] = Field(default_factory=dict)


def generator_problems(graphs: Mapping[str, Graph], settings: GeneratorSettings | None) -> Iterator[str]:
    """Yield what is wrong with the generator of a bundle, if there is one."""
    graph = graphs.get(ROLE)
    if (graph is None) != (settings is None):
        yield f"graphs.{ROLE} and {ROLE}, which says under which terms it may be used, are there together or not at all"
    if graph is not None:
        yield from (f"graphs.{ROLE}{problem}" for problem in _problems(graph))


def _problems(graph: Graph) -> Iterator[str]:
    if not all(entry.is_square for entry in graph.images):
        yield " must draw square images"
    if len(graph.images) != 1:
        yield f" must have one image among its inputs, not {len(graph.images)}"
        return
    shapes = {entry.name: entry.shape for entry in graph.inputs if entry.colour is None}
    if set(shapes) != {*STATE, "jitter", "rates"}:
        yield f" must have the inputs {', '.join(STATE)}, jitter and rates beside its image, not {sorted(shapes)}"
        return
    if len({tuple(shapes[name]) for name in STATE}) > 1 or len(shapes["parameters"]) != 2:
        yield f": the inputs {', '.join(STATE)} must have one shape, [1, values], not {[shapes[s] for s in STATE]}"
        return
    if len(shapes["jitter"]) != 3 or shapes["jitter"][1] * shapes["jitter"][2] > shapes["parameters"][1]:
        yield f": jitter must be [1, layers, length] of the latents, which parameters hold; it is {shapes['jitter']}"
    if shapes["rates"] != _RATES:
        yield f": rates must have the shape {_RATES}, not {shapes['rates']}"
    for role in OUTPUTS:
        if graph.output(role) is None:
            yield f" has no output with the role {role!r}"
    made = graph.output("reconstruction")
    if made and made.shape != graph.images[0].shape:
        yield f": the reconstruction must have the image's shape, {graph.images[0].shape}, not {made.shape}"
