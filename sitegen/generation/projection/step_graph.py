"""The graph of one step of a projection: a generator, its distance from an image, the gradient of that, Adam's step.

    forward     image, parameters, jitter, rates -> reconstruction, latent, distance, loss     exported from PyTorch
    gradient    d loss / d parameters                                                         compiled from it
    step        parameters, first, second, gradient, rates -> all three, a step further       `adam`

What is free lies in one row: latents as offsets from their mean, then all noise inputs. docs/projection.md describes
inputs and outputs. Nothing in it depends on PyTorch once it is written.
"""

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from sitegen import gradient
from sitegen.export.onnx_export import exported
from sitegen.generation.projection.adam import PREFIX, add_step
from sitegen.generation.projection.drawn import Drawn, latents_of, noise_regularity, split
from sitegen.generation.projection.losses import NOISE_WEIGHT, pixel_distance
from sitegen.graphs.files import INPUT, OPSET, save_with_weights
from sitegen_runtime.projection.loop import JITTER, OUTPUTS, PARAMETERS, RATES, STATE

_LOSS, _SEED = "loss", "seed"
_FORWARD = ("reconstruction", "distance", "latent", _LOSS)
NAMES = {role: PREFIX + role if role in STATE else role for role in OUTPUTS}
"""What the graph calls its outputs, by their roles in a bundle."""


class _Forward(nn.Module):
    """A generator and its loss, of one image."""

    def __init__(self, drawn: Drawn) -> None:
        super().__init__()
        self.network = drawn.network
        self._drawn = drawn

    def forward(self, image: Tensor, parameters: Tensor, jitter: Tensor, rates: Tensor) -> tuple[Tensor, ...]:
        """Return what stands in _FORWARD."""
        offsets, noise = split(parameters, self._drawn)
        deviation, tied = rates[:, 2:3, None], rates[:, 3:4, None]
        latent = latents_of(offsets, self._drawn, tied) + self._drawn.deviation * deviation * jitter
        made = self._drawn.draw(latent, noise)
        distance = pixel_distance(made, image)
        return made, distance, latent, distance + NOISE_WEIGHT * noise_regularity(noise)


def write_step_graph(drawn: Drawn, path: Path) -> None:
    """Write the graph to `path` (.onnx) and its weights to the file of the same stem with `.weights`.

    Raises GradientError where an operator of the generator has no gradient.
    """
    side = drawn.side
    image, values = torch.zeros(1, drawn.channels, side, side), torch.zeros(1, drawn.values)
    jitter = torch.zeros(1, drawn.layers, drawn.length)
    names = [INPUT, PARAMETERS, JITTER, RATES]
    forward = exported(_Forward(drawn), (image, values, jitter, torch.ones(1, 4)), names, _FORWARD)
    model = gradient.compile(forward, wrt=PARAMETERS, of=_LOSS, seed=_SEED)
    _fix(model, _SEED, np.ones(1, np.float32))
    slope = gradient.gradient_name(PARAMETERS)
    add_step(model, slope, drawn, OPSET)
    for value in [value for value in model.graph.output if value.name in (_LOSS, slope)]:
        model.graph.output.remove(value)
    save_with_weights(model, path)


def _fix(model: onnx.ModelProto, name: str, value: np.ndarray) -> None:
    """Make an input of a model a constant."""
    (entry,) = [value for value in model.graph.input if value.name == name]
    model.graph.input.remove(entry)
    model.graph.initializer.append(numpy_helper.from_array(value, name))
