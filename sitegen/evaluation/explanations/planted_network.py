"""A small network that is trained to see a planted mark, as a bundle without a gate."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from sitegen.bundle import CARD, Bundle, Label, Licence
from sitegen.evaluation.explanations.planted import SIDE, planted
from sitegen.export.classifier_bundle import classifier_input, write_classifier
from sitegen.export.golden import write_golden
from sitegen.export.write_bundle import Draft, write_bundle
from sitegen.networks.registry import make_network, network_document, read_network
from sitegen.networks.trained import TrainedClassifier
from sitegen.training.augment import AugmentSettings
from sitegen.training.examples import LabelledImages
from sitegen.training.fit import TrainingData, Watch, fit_classifier
from sitegen.training.launch import make_fabric
from sitegen.training.presets import Phase, Recipe
from sitegen.training.schedules import OneCycleSettings
from sitegen_runtime.bundle.model import NetworkInput

LABEL = "Mark"
NETWORK = {"name": "densenet-tiny", "blocks": [3, 3], "labels": 1}  # two blocks: a feature map of 8 x 8 cells
FIRST_TRAIN, FIRST_VALID, FIRST_TEST = 0, 100_000, 200_000  # seeds: no image is in two sets
IMAGE = NetworkInput("image", (1, 1, SIDE, SIDE), "grey", 1.0, (-1.0, 1.0), (0.0,), (1.0,))
_STILL = AugmentSettings(rotation=0, shift=0, scale=0, brightness=0.1, contrast=0.1)


def train_on_marks(
    examples: int = 1024, epochs: int = 12, seed: int = 1, watch: Watch | None = None
) -> TrainedClassifier:
    """Return a network trained on `examples` images, half of which have a mark; a minute on one core by default."""
    train, valid = range(FIRST_TRAIN, FIRST_TRAIN + examples), range(FIRST_VALID, FIRST_VALID + max(16, examples // 8))
    data = TrainingData(_examples(train), _examples(valid), (LABEL,))
    return train_small(NETWORK, data, IMAGE, epochs, seed, watch)


def train_small(
    network: dict[str, object],
    data: TrainingData,
    image: NetworkInput,
    epochs: int,
    seed: int,
    watch: Watch | None = None,
) -> TrainedClassifier:
    """Train a small network in one phase, and return it with what it was made by."""
    settings = read_network(network)
    torch.manual_seed(seed)
    made = make_network(settings)
    phase = Phase("all", epochs, OneCycleSettings(initial_rate=1e-3, peak_rate=1e-2))
    recipe = Recipe((phase,), augment=_STILL, batch=32, seed=seed, keep="last")
    history, _ = fit_classifier(made, data, recipe, make_fabric(), watch=watch)
    made_by = {"valid_auc": history[-1].valid_auc, "epochs": epochs, "examples": len(data.train.images)}
    return TrainedClassifier(made.eval(), network_document(settings), data.labels, image, made_by)


def write_trained_bundle(trained: TrainedClassifier, folder: Path, name: str) -> Bundle:
    """Write a trained network as a bundle without a gate, each label's operating point in the middle."""
    image = classifier_input(trained)
    feature_map = write_classifier(trained, folder)
    write_golden(folder, image)
    (folder / CARD).write_text("A network for an experiment with explanations. Not for diagnostic use.\n", "utf-8")
    draft = Draft(
        name=name,
        version="1.0.0",
        title="For an experiment with explanations",
        licence=Licence(weights="Apache-2.0", data="synthetic"),
        labels=[Label(name=label, operating_point=0.5) for label in trained.labels],
        gate=None,
        gradient=True,
        feature_map=feature_map,
    )
    return write_bundle(folder, draft, {"classifier": image})


def as_input(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return images uint8 [N, H, W] as the network takes them: float32 [N, 1, H, W], -1..1."""
    return (images.astype(np.float32) / np.float32(127.5) - 1)[:, np.newaxis]


def _examples(seeds: range) -> LabelledImages:
    drawn = planted(seeds)
    targets = torch.tensor([[float(mark is not None)] for mark in drawn.marks])
    return LabelledImages(torch.from_numpy(as_input(drawn.images)), targets, torch.ones(len(seeds)))
