"""Networks whose weights a site packs with 16 or 8 bits."""

from dataclasses import replace

import numpy as np
import torch

from sitegen.graphs.weight_forms import Rounded
from sitegen.networks.rounded_weights import with_rounded_weights
from sitegen.networks.trained import TrainedClassifier
from sitegen.networks.trained_gate import TrainedGate
from sitegen.phantom import phantom
from sitegen_runtime.bundle.model import NetworkInput

DRAWN = 24


def stored(trained: TrainedClassifier, form: Rounded) -> TrainedClassifier:
    """Return the classifier that rounded weights make of a trained one.

    Drawn radiographs (`sitegen.phantom`) prove that normalisations are folded rightly. Raises ExportError where weights
    are too large for 16 bits.
    """
    return replace(trained, network=with_rounded_weights(trained.network, _drawn(trained.image), form))


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
