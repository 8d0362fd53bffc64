"""The gate of a bundle: a trained reconstruction network as `gate.onnx`."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from sitegen.errors import ExportError
from sitegen.export.onnx_export import export_onnx
from sitegen.graphs.files import INPUT
from sitegen.graphs.names import GATE, LATENT, RECONSTRUCTION
from sitegen.graphs.session import open_session
from sitegen.networks.trained_gate import TrainedGate
from sitegen_runtime.bundle.model import NetworkInput

TOLERANCE = 1e-5  # of a share of the range, and of a latent's length, or of 1 where that is shorter

Images = NDArray[np.float32]


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
    session = open_session(folder / GATE)
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
