"""Bundles whose weights 16 bits hold: half as large in a site, and exactly the network that these weights make."""

from pathlib import Path

import numpy as np
import pytest
import torch

from sitegen.export.classifier_bundle import write_classifier
from sitegen.export.proof import prove
from sitegen.export.variants.rounded import gate_in_half, stored
from sitegen.gate.graph import write_gate
from sitegen.networks.reconstruction import ReconstructionSettings, make_reconstruction, reconstruction_document
from sitegen.networks.registry import make_network, network_document, read_network
from sitegen.networks.trained import TrainedClassifier
from sitegen.networks.trained_gate import TrainedGate
from sitegen.site.weight_layout import HALVES, PLANES, layout_of
from sitegen_runtime.bundle.model import NetworkInput
from tests.helpers.trained import lived_in


@pytest.mark.parametrize("name", ["densenet-tiny", "efficientnet-lite0"])
def test_the_graphs_are_the_rounded_network_and_half_as_large(tmp_path: Path, name: str) -> None:
    settings = read_network({"name": name, "labels": 2, "channels": 1})
    torch.manual_seed(3)
    image = NetworkInput("image", (1, 1, 64, 64), "grey", 1.0, (-1.0, 1.0), (0.0,), (1.0,))
    network = lived_in(make_network(settings))
    trained = TrainedClassifier(network.eval(), network_document(settings), ("Mass", "Nodule"), image, {})
    half = stored(trained, "half")
    for folder, classifier in (("whole", trained), ("half", half)):
        (tmp_path / folder).mkdir()
        feature_map = write_classifier(classifier, tmp_path / folder)
        images = np.random.default_rng(4).uniform(-1, 1, (3, 1, 64, 64)).astype(np.float32)
        prove(tmp_path / folder, classifier.network, images, feature_map)  # raises ExportError where they differ
    layouts = [layout_of((tmp_path / folder / "classifier.weights").read_bytes()) for folder in ("whole", "half")]
    assert layouts == [PLANES, HALVES]


def test_a_gate_in_half_draws_what_it_drew_and_packs_as_halves(tmp_path: Path) -> None:
    torch.manual_seed(5)
    settings = ReconstructionSettings("variational", side=64, latent=8, widths=(8, 16))
    network = make_reconstruction(settings)
    for module in network.modules():
        if (
            isinstance(module, torch.nn.BatchNorm2d) and module.running_var is not None
        ):  # averages that a training leaves, which a new network has not
            torch.nn.init.uniform_(module.running_var, 0.5, 2)
    image = NetworkInput("image", (1, 1, 64, 64), "grey", 1.0, (0.0, 1.0), (0.0,), (1.0,))
    gate = TrainedGate(network.eval(), reconstruction_document(settings), image)
    half = gate_in_half(gate)
    shown = torch.rand(2, 1, 64, 64)
    with torch.inference_mode():
        (before, latent), (after, moved) = network(shown), half.network(shown)
    # Each of ten layers moves what it gives by a share of 2^-11 at most.
    assert 0 < (after - before).abs().max() <= 10 * 2**-11
    assert 0 < (moved - latent).abs().max() <= 10 * 2**-11 * latent.abs().max().clamp(min=1)
    write_gate(half, tmp_path)
    assert layout_of((tmp_path / "gate.weights").read_bytes()) == HALVES
