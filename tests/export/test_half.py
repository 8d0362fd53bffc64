"""Bundles whose weights 16 bits hold: half as large in a site, and exactly the network that these weights make."""

from pathlib import Path

import numpy as np
import pytest
import torch

from sitegen.export.classifier_bundle import write_classifier
from sitegen.export.half import stored_half
from sitegen.export.proof import prove
from sitegen.networks.registry import make_network, network_document, read_network
from sitegen.networks.trained import TrainedClassifier
from sitegen.site.weight_layout import HALVES, PLANES, lay_out
from sitegen_runtime.bundle.model import NetworkInput
from tests.helpers.trained import lived_in


@pytest.mark.parametrize("name", ["densenet-tiny", "efficientnet-lite0"])
def test_the_graphs_are_the_rounded_network_and_half_as_large(tmp_path: Path, name: str) -> None:
    settings = read_network({"name": name, "labels": 2, "channels": 1})
    torch.manual_seed(3)
    image = NetworkInput("image", (1, 1, 64, 64), "grey", 1.0, (-1.0, 1.0), (0.0,), (1.0,))
    network = lived_in(make_network(settings))
    trained = TrainedClassifier(network.eval(), network_document(settings), ("Mass", "Nodule"), image, {})
    half, told = stored_half(trained)
    for folder, classifier in (("whole", trained), ("half", half)):
        (tmp_path / folder).mkdir()
        feature_map = write_classifier(classifier, tmp_path / folder)
        images = np.random.default_rng(4).uniform(-1, 1, (3, 1, 64, 64)).astype(np.float32)
        prove(tmp_path / folder, classifier.network, images, feature_map)  # raises ExportError where they differ
    layouts = [lay_out((tmp_path / folder / "classifier.weights").read_bytes())[0] for folder in ("whole", "half")]
    assert layouts == [PLANES, HALVES]
    assert told.weights == sum(value.numel() for value in half.network.parameters())
    assert 0 < told.mean <= told.largest < 0.01
