"""The gate of another bundle, taken over: it needs no torch, for its graph exists."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import onnx

from sitegen.bundle import Bundle, GateSettings, Graph
from sitegen.errors import BundleError
from sitegen.graphs.files import save_with_weights
from sitegen.graphs.names import GATE
from sitegen_runtime.gate.metrics import COMBINED, METRICS, STAGE_TWO


@dataclass(frozen=True)
class TakenGate:
    """A gate that was copied from another bundle: its description, its settings, and where it is from.

    `origin` has the name and version of that bundle, the SHA-256 of the gate's graph and weights, and, where that
    bundle tells, the collections that its model was `trained_on`. `warnings` are sentences on what had to stay behind.
    """

    graph: Graph
    settings: GateSettings
    origin: Mapping[str, Any]
    warnings: Sequence[str] = ()


def take_gate(source: Bundle, folder: Path) -> TakenGate:
    """Copy the gate of a bundle into `folder`, as `gate.onnx` and `gate.weights`, whatever they are called there.

    Scores of the gate's network come along with their tables; those of the other bundle's classifier do not, for
    another classifier has other features and logits. A gate that the bundle took over itself keeps its first origin,
    so that a bundle may be made anew with its own gate. Raises BundleError where the bundle has no gate.
    """
    description = source.description
    if description.gate is None:
        raise BundleError(f"The bundle {source.folder} has no gate. Name one that has, or leave out --gate.")
    save_with_weights(onnx.load(str(source.graph_path("gate"))), folder / GATE)
    gate_files = [folder / GATE, (folder / GATE).with_suffix(".weights")]
    content = sha256(b"".join(path.read_bytes() for path in gate_files if path.exists())).hexdigest()
    origin = description.provenance.get("gate")
    if not isinstance(origin, Mapping) or origin.get("sha256") != content:
        trained_on = list(source.model.provenance.collections)
        origin = {"name": description.name, "version": description.version, "sha256": content} | (
            {"trained_on": trained_on} if trained_on else {}
        )
    graph = description.graphs["gate"].model_copy(update={"file": GATE})
    settings, warnings = _without_classifier(description.gate, description.name)
    return TakenGate(graph, settings, origin, warnings)


def _without_classifier(gate: GateSettings, name: str) -> tuple[GateSettings, list[str]]:
    """The settings without what needs the classifier they were fitted with, and a sentence on what that was."""
    foreign = {metric for metric, known in METRICS.items() if known.stage == STAGE_TWO}
    if gate.combination and foreign.intersection(gate.combination.weights):
        foreign.add(COMBINED)
    used = [score.metric for score in gate.scores if score.metric in foreign]
    quantiles = gate.quantiles
    if quantiles:
        kept = {metric: values for metric, values in quantiles.values.items() if metric not in foreign}
        quantiles = quantiles.model_copy(update={"values": kept}) if kept else None
    settings = gate.model_copy(
        update={
            "scores": [score for score in gate.scores if score.metric not in foreign],
            "quantiles": quantiles,
            "combination": None if COMBINED in foreign else gate.combination,
            "vim_alpha": None,
        }
    )
    if not used:
        return settings, []
    return settings, [
        f"The gate of {name} also refuses by {', '.join(used)}, which that bundle's own classifier gives. This gate "
        "does without, and lets more images of other kinds pass; fit its scores anew to refuse them."
    ]
