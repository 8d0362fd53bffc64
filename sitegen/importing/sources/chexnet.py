"""CheXNet as it was re-made in PyTorch: `model.pth.tar`, a DenseNet-121 for the fourteen findings of ChestX-ray14.

Rajpurkar et al.: "CheXNet: Radiologist-Level Pneumonia Detection on Chest X-Rays with Deep Learning" (2017). The file
was saved before 2018: its names begin with those of two wrappers, and layers' names have a dot more than today. The
network ends with a sigmoid.
"""

from dataclasses import replace
from pathlib import Path

from sitegen.data.layouts.nih import FINDINGS
from sitegen.importing.checkpoint.densenet_weights import densenet_settings
from sitegen.importing.checkpoint.safe_checkpoint import read_checkpoint
from sitegen.importing.checkpoint.weights import Found, find_weights, fit_weights, renamed, without_prefix
from sitegen.importing.origin import file_origin, names_of
from sitegen.importing.settings import ImportSettings, as_label, image_of
from sitegen.importing.source import ImportedClassifier
from sitegen.importing.sources.image_settings import IMAGENET_MEAN, IMAGENET_STD, usual_image
from sitegen.importing.sources.pillow_preparation import ResizeAndCrop
from sitegen.importing.sources.torch_classifier import TorchSource, as_remarks, torch_classifier
from sitegen.networks.registry import make_network, network_document

LABELS = FINDINGS  # the network gives them in the order of the publication
SHORTER, SIDE = 256, 224
_WRAPPER, _HEAD = "densenet121.", "classifier.0."
_SIGMOID = "The network's last layer, a sigmoid, was left out: the bundle's graph gives logits, the page probabilities."
_CROPS = (
    "Its authors also average over ten crops (corners and middle, and their mirror images), which is not done here."
)


def import_chexnet(file: Path, settings: ImportSettings) -> ImportedClassifier:
    """Return the classifier of a `model.pth.tar`, or of a state dict with its names.

    What settings leave out is CheXNet's: its labels, three channels from 0 to 1 less ImageNet's mean by its deviation,
    and the middle 224 of 256. Raises ModelError where the file is another network's, or cannot be read.
    """
    origin = file_origin(file)
    found = _renamed(find_weights(read_checkpoint(file), file))
    shape = densenet_settings(found.weights, file)
    network = make_network(shape)
    changes = [*found.changes, *fit_weights(network, found.weights, file)]
    usual = replace(usual_image(shape.channels, SIDE), fraction=SIDE / SHORTER)
    image = image_of(settings, usual)
    source = TorchSource(
        names=names_of(settings, settings.name or "chexnet"),
        image=image,
        labels=[as_label(name) for name in LABELS],
        usual="logits",
        preparation=_preparation(shape.channels),
        provenance={
            "source": "CheXNet",
            "file": origin,
            "network": network_document(shape),
            "changes": changes,
        },
        remarks=[*as_remarks(changes), _SIGMOID],
    )
    return torch_classifier(network, source, replace(settings, output="logits"))


def _renamed(found: Found) -> Found:
    """Return the weights with torchvision's names: without wrappers, without dots, with the head as one layer."""
    found = renamed(without_prefix(renamed(found, ()), _WRAPPER), ())
    weights = {name.replace(_HEAD, "classifier."): value for name, value in found.weights.items()}
    if weights.keys() == found.weights.keys():
        return found
    return Found(weights, found.others, [*found.changes, f"{_HEAD!r} in the names became 'classifier.'"])


def _preparation(channels: int) -> ResizeAndCrop | None:
    if channels != len(IMAGENET_MEAN):
        return None
    return ResizeAndCrop(SHORTER, SIDE, IMAGENET_MEAN, IMAGENET_STD, _CROPS)
