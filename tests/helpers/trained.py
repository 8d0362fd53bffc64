"""A trained classifier of random weights for a recipe: what evaluation and export begin with."""

from pathlib import Path
from typing import Any

import torch
from torch import nn

from sitegen.data.dataset import read_records
from sitegen.networks.classifier import Classifier
from sitegen.networks.registry import make_network, network_document, read_network
from sitegen.networks.trained import TrainedClassifier, save_trained
from sitegen.recipe.audited import AUDIT, audit_recipe, write_audit
from sitegen.settings.reading import settings_document
from sitegen.settings.recipe import network_input, read_recipe_file


def write_trained(recipe: Path, **made_by: Any) -> Path:
    """Write `classifier.pt` beside a recipe file, for its labels, and return its path."""
    file = read_recipe_file(recipe)
    settings = read_network({**file.network, "labels": len(file.data.labels)})
    torch.manual_seed(0)  # of the tests' small network, whose logits then happen to be higher where there is an opacity
    trained = TrainedClassifier(
        lived_in(make_network(settings)),
        network_document(settings),
        tuple(file.data.labels),
        network_input(file.image),
        {"recipe": settings_document(file), "folder": file.folder, **made_by},
    )
    path = recipe.with_name("classifier.pt")
    save_trained(trained, path)
    return path


def write_recipe_audit(recipe: Path, work: Path) -> Path:
    """Write the audit of a recipe's data in a work folder, which an export asks for before it opens test images."""
    file = read_recipe_file(recipe)
    write_audit(audit_recipe(file, read_records(file), 1), work / AUDIT)
    return work / AUDIT


def lived_in(network: Classifier) -> Classifier:
    """Give normalisation statistics that are not a new network's, and logits that differ from image to image."""
    generator = torch.Generator().manual_seed(5)
    for module in network.modules():
        if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
            assert module.running_mean is not None
            assert module.running_var is not None
            module.running_mean.add_(torch.randn(module.running_mean.shape, generator=generator) * 0.2)
            module.running_var.mul_(1 + torch.rand(module.running_var.shape, generator=generator))
    final = network.head.final
    final.weight.data.mul_(10)
    final.bias.data.add_(torch.randn(final.bias.shape, generator=generator) * 0.2)
    return network.eval()
