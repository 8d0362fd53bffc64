"""Families of timm's networks at small sizes: imported and proved, gradients too; skipped without timm."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sitegen.importing.graphs import write_gradient_graphs
from sitegen.importing.proof.proof import prove
from sitegen.importing.settings import ImportSettings, LabelSettings, image_of
from sitegen.importing.sources.image_settings import usual_image
from sitegen.importing.sources.torch_classifier import TorchSource, torch_classifier
from tests.helpers.importing.checkpoints import installed, randomised

SMALL = {"img_size": 64, "depth": 2, "embed_dim": 48, "num_heads": 2}
FAMILIES: dict[str, tuple[int, dict[str, Any]]] = {
    "deit_tiny_distilled_patch16_224": (64, SMALL),  # two heads, averaged after the last layer
    "beit_base_patch16_224": (64, SMALL),
    "repvit_m0_9": (64, {}),
    "mobilenetv3_small_050": (64, {}),
    "mobilenetv4_conv_small": (64, {}),
    "efficientnet_b0": (64, {}),
    "hrnet_w18_small": (64, {}),
}


@pytest.mark.parametrize("name", FAMILIES)
def test_it_is_imported_and_proved(tmp_path: Path, name: str) -> None:
    side, options = FAMILIES[name]
    network = randomised(installed("timm").create_model(name, num_classes=3, **options))
    settings = ImportSettings(labels=tuple(LabelSettings(label) for label in "ABC"))
    source = TorchSource((name, name), image_of(settings, usual_image(3, side)), usual="softmax")
    model = torch_classifier(network, source, settings)
    assert model.provenance["output"] == "softmax"
    model.write(tmp_path)
    made = write_gradient_graphs(tmp_path)
    assert made.gradient
    images = np.random.default_rng(0).standard_normal((3, 3, side, side), np.float32)
    proof = prove(tmp_path, model.original, images, made.feature_map)
    assert proof.probability is not None and proof.gradients is not None
    assert proof.probability <= max(1e-5, 8 * (proof.float32 or 0))
    assert proof.gradients.median < 0.01
