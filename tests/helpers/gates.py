"""Gates that no training made: a reconstruction network of random weights, and detectors of random scores."""

from pathlib import Path

import numpy as np
import torch
from torch import nn

from sitegen.data.records import Record
from sitegen.evaluation.gate.detectors import Detector, GateImages, OutsideImage
from sitegen.networks.reconstruction import ReconstructionSettings, make_reconstruction, reconstruction_document
from sitegen.networks.trained_gate import TrainedGate, save_gate
from sitegen_runtime.bundle.model import NetworkInput

HISTORY = [{"step": step, "loss": 1 / (1 + step), "note": "not a number"} for step in range(5)]


def random_gate(seed: int = 0, side: int = 16, name: str = "autoencoder") -> TrainedGate:
    torch.manual_seed(seed)
    settings = ReconstructionSettings(name, side, latent=4, widths=(4, 8))  # type: ignore[arg-type]
    network = make_reconstruction(settings)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_()
    image = NetworkInput("image", (1, 1, side, side), "grey", 1.0, (0.0, 1.0), (0.0,), (1.0,))
    return TrainedGate(network.eval(), reconstruction_document(settings), image, {"history": HISTORY})


def write_gate(path: Path, seed: int = 0) -> Path:
    save_gate(random_gate(seed), path)
    return path


def images(inside: int = 30, near: int = 6, far: tuple[int, ...] = (5, 1)) -> GateImages:
    """Two images of a patient inside, two sources; one near category and several far ones."""
    records = [
        Record(Path(f"in-{at}.png"), f"p{at // 2}", {}, "test", "two" if at % 3 == 0 else "one") for at in range(inside)
    ]
    outside = [OutsideImage(Path(f"n{at}"), "derived_flipped", True, f"p{at}") for at in range(near)]
    for category, count in enumerate(far):
        outside += [
            OutsideImage(Path(f"f{category}-{at}"), f"things {category}", False, f"f{category}-{at}")
            for at in range(count)
        ]
    return GateImages(records, outside)


def detector(
    given: GateImages, metric: str = "l2", skill: float = 1.5, seed: int = 0, threshold: float | None = 1.0
) -> Detector:
    random = np.random.default_rng(seed)
    inside, outside = random.normal(size=len(given.inside)), random.normal(skill, size=len(given.outside))
    found = Detector("demo", metric, inside.round(1), outside.round(1))
    return found if threshold is None else found.with_threshold(threshold, "validation")
