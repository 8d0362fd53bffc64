"""Every score that a trained reconstruction network gives of many images: networks in batches, formulas in processes.

The formulas are the runtime's, in pure Python; each image takes some tens of milliseconds.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sitegen import parallel
from sitegen.gate.formulas import OF_NETWORK, Rebuilt, measured
from sitegen.networks.reconstruction import ReconstructionNetwork
from sitegen.networks.trained_gate import TrainedGate
from sitegen_runtime.pixels.corrections import CORRECTIONS
from sitegen_runtime.pixels.geometry import ORIENTATIONS

BATCH = 64
FOR_ONE_PROCESS = 64  # images; starting more, with torch, takes longer than it saves

Images = NDArray[np.float32]


@dataclass(frozen=True)
class NetworkScores:
    """What a reconstruction network gives of K images: raw scores [K] by metric, and what it makes of them.

    `reconstructions` are shares of the range, float32 [K, C, side, side]. `problems` say what is wrong with an image of
    which the network gives no finite number, by its row; its scores are NaN.
    """

    metrics: Mapping[str, NDArray[np.float64]]
    reconstructions: Images
    problems: Mapping[int, str]


def score_gate_network(gate: TrainedGate, tensors: Images, workers: int | None = None) -> NetworkScores:
    """Return what a trained gate says of images, float32 [K, C, side, side] as its network takes them.

    `workers` processes share the formulas; None takes all cores.
    """
    found = list(_rebuilt_all(gate.network, tensors))
    values = parallel.each(partial(measured, image=gate.image), found, workers, alone=FOR_ONE_PROCESS)
    return NetworkScores(
        {metric: np.array([each.get(metric, np.nan) for each in values], np.float64) for metric in OF_NETWORK},
        np.reshape([each.reconstruction for each in found], (len(found), *gate.image.shape[1:])).astype(np.float32),
        {row: "The network gives no finite number for it." for row, each in enumerate(values) if not each},
    )


def corrected_batch(images: Tensor, correction: str) -> Tensor:
    """Return images [N, C, side, side] in 0..1 turned clockwise or inverted, as `corrections.corrected` does it."""
    asked = CORRECTIONS[correction]
    transposed, horizontally, vertically = ORIENTATIONS[asked.orientation]
    turned = images.transpose(2, 3) if transposed else images
    turned = torch.flip(turned, [axis for axis, mirrored in ((3, horizontally), (2, vertically)) if mirrored])
    return 1 - turned if asked.inverts else turned.contiguous()


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
