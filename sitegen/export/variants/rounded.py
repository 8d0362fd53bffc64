"""Networks whose weights a site packs with 16 or 8 bits: what these make of them, and how far that moves them."""

from dataclasses import dataclass, replace

import numpy as np
import torch

from sitegen.graphs.weight_forms import Rounded
from sitegen.networks.rounded_weights import with_rounded_weights
from sitegen.networks.trained import TrainedClassifier
from sitegen.networks.trained_gate import TrainedGate
from sitegen.phantom import phantom
from sitegen_runtime.bundle.model import NetworkInput

DRAWN = 24


@dataclass(frozen=True)
class Stored:
    """The form of the weights, how many there are, and by how much probabilities of drawn radiographs (0..1) moved."""

    form: Rounded
    weights: int
    mean: float
    largest: float


def stored(trained: TrainedClassifier, form: Rounded) -> tuple[TrainedClassifier, Stored]:
    """Return the classifier that rounded weights make of a trained one, and what that did.

    Compared on drawn radiographs (`sitegen.phantom`), so that it is the same wherever it is done. Raises ExportError
    where weights are too large for that.
    """
    images = _drawn(trained.image)
    network = with_rounded_weights(trained.network, images, form)
    with torch.inference_mode():
        before, after = (each(images).double().sigmoid() for each in (trained.network.eval(), network))
    moved = (after - before).abs()
    count = sum(value.numel() for value in network.parameters())
    return replace(trained, network=network), Stored(form, count, float(moved.mean()), float(moved.max()))


def gate_in_half(gate: TrainedGate) -> TrainedGate:
    """Return the gate that 16 bits a weight make of a trained one: its thresholds are of that network.

    Raises ExportError where weights are too large for that.
    """
    return replace(gate, network=with_rounded_weights(gate.network, _drawn(gate.image), "half"))


def _drawn(image: NetworkInput) -> torch.Tensor:
    _, channels, side, _ = image.shape
    low, high = image.range
    grey = np.stack([phantom(seed, side, opacity=seed % 2 == 1) for seed in range(DRAWN)])
    planes = torch.from_numpy(grey / 255 * (high - low) + low).float().unsqueeze(1).expand(-1, channels, -1, -1)
    mean, std = (torch.tensor(values).float().view(1, -1, 1, 1) for values in (image.mean, image.std))
    return ((planes - mean) / std).contiguous()
