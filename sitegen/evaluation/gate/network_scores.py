"""What a trained reconstruction network says of a list of images, some of which could not be read."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from sitegen.evaluation.gate.scored import GateScored
from sitegen.gate.network_scores import score_gate_network
from sitegen.networks.trained_gate import TrainedGate

T = TypeVar("T", bound=np.floating)


def scored_gate_network(
    gate: TrainedGate,
    name: str,
    tensors: NDArray[np.float32],
    kept: Sequence[int],
    problems: Mapping[int, str],
    workers: int | None = None,
) -> GateScored:
    """Return what a trained gate says of images, whose tensors [K, C, side, side] are those of the places `kept`.

    `problems` are the other places, with what is wrong there. `workers` processes share the formulas; None takes all
    cores. There are no thresholds yet.
    """
    found = score_gate_network(gate, tensors, workers)
    places = list(kept)

    def spread(rows: NDArray[T]) -> NDArray[T]:
        """The same rows at their places in the list, NaN at the others."""
        whole = np.full((len(kept) + len(problems), *rows.shape[1:]), np.nan, rows.dtype)
        whole[places] = rows
        return whole

    return GateScored(
        _described(gate, name),
        {metric: spread(column) for metric, column in found.metrics.items()},
        dict(problems) | {places[row]: problem for row, problem in found.problems.items()},
        gate.image,
        spread(found.reconstructions),
    )


def _described(gate: TrainedGate, name: str) -> dict[str, object]:
    return {
        "name": name,
        "kind": "checkpoint",
        "network": str(gate.network_settings.get("name", "autoencoder")),
        "latent": gate.network.latent,
        "parameters": sum(weight.numel() for weight in gate.network.parameters()),
        "history": [dict(row) for row in gate.made_by.get("history") or []],
    }
