"""A step graph as a bundle describes it: its image, its other inputs, and its outputs with their roles."""

from sitegen.bundle import Crop, Graph, GraphInput, GraphOutput
from sitegen.generation.projection.drawn import Drawn
from sitegen.generation.projection.of_generator import image_of
from sitegen.generation.projection.step_graph import NAMES
from sitegen_runtime.projection.loop import JITTER, RATES, ROLE, STATE

FILE = f"{ROLE}.onnx"


def described(drawn: Drawn) -> Graph:
    """Return the description of the graph that `write_step_graph` writes of a generator, as the file FILE."""
    image, state = image_of(drawn), [1, drawn.values]
    vectors = dict.fromkeys(STATE, state) | {JITTER: [1, drawn.layers, drawn.length], RATES: [1, 4]}
    shapes = {
        "reconstruction": list(image.shape),
        "distance": [1],
        "latent": [1, drawn.layers, drawn.length],
    } | dict.fromkeys(STATE, state)
    return Graph(
        file=FILE,
        inputs=[
            GraphInput(
                name=image.name,
                shape=list(image.shape),
                colour="grey" if image.colour == "grey" else "rgb",
                crop=Crop(fraction=image.fraction),
                range=image.range,
                mean=list(image.mean),
                std=list(image.std),
            ),
            *(GraphInput(name=name, shape=shape, colour=None) for name, shape in vectors.items()),
        ],
        outputs=[GraphOutput(name=name, role=role, shape=shapes[role]) for role, name in NAMES.items()],
    )
