"""Every score that a trained reconstruction network gives of many images: networks in batches, formulas in processes.

The formulas are the runtime's, in pure Python; each image takes some tens of milliseconds.
"""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from functools import partial
from multiprocessing import get_context
from os import cpu_count

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from torch import Tensor

from sitegen.evaluation.gate.scored import GateScored
from sitegen.gate.formulas import OF_NETWORK, Rebuilt, measured
from sitegen.networks.reconstruction import ReconstructionNetwork
from sitegen.networks.trained_gate import TrainedGate
from sitegen_runtime.gate.variants import CORRECTIONS, INVERT
from sitegen_runtime.pixels.geometry import QUARTER_TURNS

BATCH = 64
FOR_ONE_PROCESS = 64  # images; starting more takes longer than it saves

Images = NDArray[np.float32]


def score_gate_network(
    gate: TrainedGate,
    name: str,
    tensors: Images,
    kept: Sequence[int],
    problems: Mapping[int, str],
    workers: int | None = None,
) -> GateScored:
    """Return what a trained gate says of images, whose tensors [K, C, side, side] are those of the places `kept`.

    `problems` are the other places, with what is wrong there. `workers` processes share the formulas; None takes all
    cores. There are no thresholds yet.
    """
    found = list(_rebuilt_all(gate.network, tensors))
    values = _measured(found, gate, workers)
    bad = {kept[row]: "The network gives no finite number for it." for row, each in enumerate(values) if not each}
    total = len(kept) + len(problems)
    reconstructions = np.full((total, *gate.image.shape[1:]), np.nan, np.float32)
    for place, rebuilt in zip(kept, found, strict=True):
        reconstructions[place] = rebuilt.reconstruction
    metrics = {metric: np.full(total, np.nan) for metric in OF_NETWORK}
    for metric, column in metrics.items():
        column[list(kept)] = [each.get(metric, np.nan) for each in values]
    return GateScored(_described(gate, name), metrics, dict(problems) | bad, gate.image, reconstructions)


def corrected_batch(images: Tensor, correction: str) -> Tensor:
    """Return images [N, C, side, side] in 0..1 turned clockwise or inverted, as `variants.corrected` does with one."""
    if correction == INVERT:
        return 1 - images
    quarters = 1 + list(QUARTER_TURNS).index(correction)
    return torch.rot90(images, -quarters, (2, 3)).contiguous()


def _described(gate: TrainedGate, name: str) -> dict[str, object]:
    return {
        "name": name,
        "kind": "checkpoint",
        "network": str(gate.network_settings.get("name", "autoencoder")),
        "latent": gate.network.latent,
        "parameters": sum(weight.numel() for weight in gate.network.parameters()),
        "history": [dict(row) for row in gate.made_by.get("history") or []],
    }


@torch.inference_mode()
def _rebuilt_all(network: ReconstructionNetwork, tensors: Images) -> Iterator[Rebuilt]:
    network.eval()
    for start in range(0, len(tensors), BATCH):
        images = torch.from_numpy(np.ascontiguousarray(tensors[start : start + BATCH]))
        reconstructions, latents = network(images)
        altered = [corrected_batch(images, correction) for correction in CORRECTIONS]
        variants = torch.stack([torch.stack([each, network(each)[0]], dim=1) for each in altered], dim=1)
        for parts in zip(images, reconstructions, latents, variants, strict=True):
            yield Rebuilt(*(part.numpy() for part in parts))


def _measured(found: Sequence[Rebuilt], gate: TrainedGate, workers: int | None) -> list[dict[str, float]]:
    processes = workers or min(cpu_count() or 1, 1 + len(found) // FOR_ONE_PROCESS)
    formulas = partial(measured, image=gate.image)
    console = Console(stderr=True)
    # Started anew: a forked process would inherit torch without its threads.
    pool = ProcessPoolExecutor(processes, mp_context=get_context("spawn")) if processes > 1 else nullcontext()
    with pool as started:
        done = started.map(formulas, found, chunksize=8) if started else map(formulas, found)
        shown = track(done, "images", len(found), console=console, disable=not console.is_terminal, transient=True)
        return list(shown)
