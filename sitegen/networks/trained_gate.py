"""A trained reconstruction network as one file: settings, weights, its input, and how it was made.

It is what `sitegen train gate` ends with, and what evaluation and export begin with. It is read as data alone.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from sitegen.errors import CheckpointError
from sitegen.networks.reconstruction import (
    ReconstructionNetwork,
    make_reconstruction,
    read_reconstruction,
    reconstruction_document,
)
from sitegen.networks.trained import read_checkpoint, read_image, write_checkpoint
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
    document = {
        "schema": SCHEMA,
        "network": reconstruction_document(read_reconstruction(gate.network_settings)),
        "image": asdict(gate.image),
        "made_by": dict(gate.made_by),
        "weights": {name: value.detach().cpu() for name, value in gate.network.state_dict().items()},
    }
    write_checkpoint(document, path)


def load_gate(path: Path) -> TrainedGate:
    """Read a trained gate. Raises CheckpointError where the file is none, or does not fit its own description."""
    document = read_checkpoint(path)
    if document.get("schema") != SCHEMA:
        raise CheckpointError(f"{path} is no trained gate ({SCHEMA}); make one with: sitegen train gate")
    network = make_reconstruction(read_reconstruction(document["network"]))
    try:
        network.load_state_dict(document["weights"])
    except RuntimeError as error:
        raise CheckpointError(
            f"{path} has weights that do not fit its own network: {error}\nMake it anew with: sitegen train gate"
        ) from error
    return TrainedGate(network.eval(), document["network"], read_image(document["image"]), document["made_by"])
