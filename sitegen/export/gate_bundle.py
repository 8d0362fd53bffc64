"""The gate of a bundle: a trained reconstruction network as `gate.onnx`, or the gate of another bundle, taken over."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray

from sitegen.bundle import Bundle, GateSettings, Graph
from sitegen.errors import BundleError, ExportError
from sitegen.export.names import GATE, LATENT, RECONSTRUCTION
from sitegen.export.onnx_export import INPUT, export_onnx, save_with_weights
from sitegen.networks.trained_gate import TrainedGate
from sitegen_runtime.gate_metrics import COMBINED, METRICS, STAGE_ONE
from sitegen_runtime.model import NetworkInput

TOLERANCE = 1e-5  # of a share of the range, and of a latent's length, or of 1 where that is shorter

Images = NDArray[np.float32]


@dataclass(frozen=True)
class TakenGate:
    """A gate that was copied from another bundle: its description, its settings, and where it is from.

    `origin` has the name and version of that bundle, and the SHA-256 of the gate's graph and weights. `warnings` are
    sentences on what had to stay behind.
    """

    graph: Graph
    settings: GateSettings
    origin: Mapping[str, str]
    warnings: Sequence[str] = ()


def write_gate(gate: TrainedGate, folder: Path) -> NetworkInput:
    """Write `gate.onnx` with its weights, and return its input as the graph calls it.

    The graph gives "reconstruction" [1, C, side, side] and "latent" [1, L]. Raises ExportError where the network does
    not take the image that the checkpoint says, or does not give what its settings say.
    """
    entry = gate_input(gate)
    latent = gate.network_settings.get(LATENT, gate.network.latent)
    with torch.inference_mode():
        try:
            drawn, code = gate.network.eval()(torch.zeros(entry.shape))
        except RuntimeError as error:
            raise ExportError(f"The gate's network does not take images of {list(entry.shape)}: {error}") from error
    if tuple(drawn.shape) != entry.shape or tuple(code.shape) != (1, latent):
        raise ExportError(
            f"The gate's network gives a reconstruction {list(drawn.shape)} and a latent {list(code.shape)}; its "
            f"settings say {list(entry.shape)} and [1, {latent}]. Train it again with these settings."
        )
    export_onnx(gate.network, entry.shape, [RECONSTRUCTION, LATENT], folder / GATE)
    return entry


def gate_input(gate: TrainedGate) -> NetworkInput:
    """Return the gate's input under the name that exported graphs give it."""
    return replace(gate.image, name=INPUT)


def prove_gate(folder: Path, gate: TrainedGate, images: Images) -> float:
    """Return the largest difference between `gate.onnx` and PyTorch on images float32 [N, C, side, side].

    Reconstructions are compared pixel by pixel, latents as a share of their length, or of 1 where that is shorter.
    Raises ExportError where it is more than TOLERANCE, or no finite number.
    """
    with torch.inference_mode():
        drawn, codes = (part.double().numpy() for part in gate.network.eval()(torch.from_numpy(images)))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # as in a prediction, so that the outcome is the same on every machine
    session = onnxruntime.InferenceSession(str(folder / GATE), options, providers=["CPUExecutionProvider"])
    made = [session.run([RECONSTRUCTION, LATENT], {INPUT: image[np.newaxis]}) for image in images]
    pixels, latents = (np.concatenate(parts).astype(np.float64) for parts in zip(*made, strict=True))
    lengths = np.maximum(1, np.linalg.norm(codes, axis=1))
    apart = np.abs(pixels - drawn).max(), (np.linalg.norm(latents - codes, axis=1) / lengths).max()
    largest = float(np.max(apart))
    if not largest <= TOLERANCE:  # also where it is NaN
        raise ExportError(
            f"{GATE} gives reconstructions or latents that differ by {largest:.3g} from those of PyTorch, and at most "
            f"{TOLERANCE:g} is allowed. Update torch and onnxruntime, or report it."
        )
    return largest


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
        origin = {"name": description.name, "version": description.version, "sha256": content}
    graph = description.graphs["gate"].model_copy(update={"file": GATE})
    settings, warnings = _without_classifier(description.gate, description.name)
    return TakenGate(graph, settings, origin, warnings)


def _without_classifier(gate: GateSettings, name: str) -> tuple[GateSettings, list[str]]:
    """The settings without what needs the classifier they were fitted with, and a sentence on what that was."""
    foreign = {metric for metric, known in METRICS.items() if metric != COMBINED and known.stage != STAGE_ONE}
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
