"""A trained reconstruction network as one file: settings, weights, its input, and how it was made.

It is what `sitegen train gate` ends with, and what evaluation and export begin with. It is read as data alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sitegen.networks.reconstruction import (
    ReconstructionNetwork,
    make_reconstruction,
    read_reconstruction,
    reconstruction_document,
)
from sitegen.networks.trained import load_network, read_image, save_network
from sitegen_runtime.bundle.model import NetworkInput

SCHEMA = "sitegen.gate/1"


@dataclass(frozen=True)
class TrainedGate:
    """A reconstruction network in evaluation mode, for images as `image` says (its range is 0..1).

    `network_settings` is what `reconstruction.read_reconstruction` makes the network of. `made_by` is plain data: the
    recipe file under "recipe", where that lies under "folder", and a row of figures for each round under "history".
    """

    network: ReconstructionNetwork
    network_settings: Mapping[str, Any]
    image: NetworkInput
    made_by: Mapping[str, Any] = field(default_factory=dict)


def save_gate(gate: TrainedGate, path: Path) -> None:
    """Write a trained gate, replacing an older file as a whole."""
    settings = reconstruction_document(read_reconstruction(gate.network_settings))
    save_network(gate, {"schema": SCHEMA, "network": settings}, path)


def load_gate(path: Path) -> TrainedGate:
    """Read a trained gate. Raises CheckpointError where the file is none, or does not fit its own description."""
    wanted = f"trained gate ({SCHEMA}); make one with: sitegen train gate"
    advice = "\nMake it anew with: sitegen train gate"
    network, document = load_network(
        path, SCHEMA, wanted, lambda settings: make_reconstruction(read_reconstruction(settings)), advice
    )
    return TrainedGate(network, document["network"], read_image(document["image"]), document["made_by"])
