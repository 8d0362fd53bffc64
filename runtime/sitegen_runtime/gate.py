"""Knowing when not to predict: is the image like those the model was trained on?

An autoencoder that has seen nothing but such images rebuilds the image; where it cannot, the image is something else.
The score is the structural similarity of the image and its reconstruction (see `ssim`), from -1 to 1; the image is
accepted where the score reaches the bundle's threshold.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum

from sitegen_runtime.model import Gate, NetworkInput
from sitegen_runtime.ssim import ssim


@dataclass(frozen=True)
class Decision:
    """What the gate says of one image.

    `errors` is the reconstruction error of each cell, row-major: |image - reconstruction| as a share of full scale,
    averaged over channels.
    """

    metric: str
    score: float
    threshold: float
    errors: tuple[float, ...]
    side: int

    @property
    def accepted(self) -> bool:
        """Whether the model may judge the image."""
        return self.score >= self.threshold

    @property
    def reason(self) -> str | None:
        """Why an image was refused, in a sentence; None where it was accepted."""
        if self.accepted:
            return None
        return (
            f"This image is unlike the images the model was trained on: its similarity to the model's own "
            f"reconstruction is {self.score:.3f}, and at least {self.threshold:.3f} is needed. "
            "Check that it is the kind of image this model is for, upright, uncropped and not inverted."
        )


def decide(
    image: Sequence[float], reconstruction: Sequence[float], network_input: NetworkInput, gate: Gate
) -> Decision:
    """Judge an image by its reconstruction, both given as values of the network's input (NCHW, flat)."""
    side, channels = network_input.cells, network_input.shape[1]
    low, high = network_input.range
    scores, errors = [], [0.0] * (side * side)
    for channel in range(channels):
        part = slice(channel * side * side, (channel + 1) * side * side)
        mean, std = network_input.mean[channel], network_input.std[channel]
        # Back to the range, shifted so that black is 0: SSIM's luminance term has no meaning below it.
        first = [value * std + mean - low for value in image[part]]
        second = [value * std + mean - low for value in reconstruction[part]]
        scores.append(ssim(first, second, side, side, high - low))
        scale = channels * (high - low)
        errors = [total + abs(a - b) / scale for total, a, b in zip(errors, first, second, strict=True)]
    return Decision(gate.metric, fsum(scores) / channels, gate.threshold, tuple(errors), side)
