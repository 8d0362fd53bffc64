"""Checkpoints of PyTorch: weights for a network that the user names, and TorchScript archives."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from sitegen.bundle import Label
from sitegen.errors import ModelError
from sitegen.importing.checkpoint.archive import check_archive
from sitegen.importing.checkpoint.network_choice import factory_network, is_factory, registered_network
from sitegen.importing.checkpoint.safe_checkpoint import is_torchscript, read_checkpoint
from sitegen.importing.checkpoint.weights import check_finite, find_weights, fit_weights, renamed
from sitegen.importing.origin import file_origin, names_of
from sitegen.importing.settings import ImportSettings, as_label, image_of
from sitegen.importing.source import ImportedClassifier
from sitegen.importing.sources.image_settings import as_settings, assumed
from sitegen.importing.sources.torch_classifier import TorchSource, as_remarks, torch_classifier, usual_for
from sitegen.networks.trained import SCHEMA, load_trained
from sitegen.settings.recipe import ImageSettings


@dataclass(frozen=True)
class _Read:
    """A network with its weights, and what the file and the choice of the network say of it."""

    network: nn.Module
    image: ImageSettings
    described: dict[str, Any]
    labels: tuple[Label, ...] = ()
    changes: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def import_torch(file: Path, settings: ImportSettings, network: str) -> ImportedClassifier:
    """Return the classifier of a checkpoint: a state dict, bare or under a usual key, in the network that is named.

    `network` is as `checkpoint.network_choice` says; a checkpoint of `sitegen train` names its own, and "" will do. The
    file is read as data alone, see `checkpoint.safe_checkpoint`; the user's function is the user's code and is run.
    Raises ModelError where the file cannot be read or does not fit the network, SettingsError where the network, the
    labels or the output are not known.
    """
    origin = file_origin(file)
    document = read_checkpoint(file)
    if isinstance(document, dict) and document.get("schema") == SCHEMA:
        read = _own(file)
    else:
        read = _foreign(document, file, settings, network)
    source = TorchSource(
        names=names_of(settings, file.stem),
        image=image_of(settings, read.image),
        labels=read.labels,
        provenance={"source": "torch", "file": origin, **read.described, "changes": list(read.changes)},
        remarks=[*as_remarks(read.changes), *read.remarks],
    )
    return torch_classifier(read.network, source, settings)


def import_torchscript(file: Path, settings: ImportSettings) -> ImportedClassifier:
    """Return the classifier of a TorchScript archive.

    Such an archive is a program, and it is run: not by Python, so that it cannot call any function it likes, but by
    torch's own interpreter, whose operators can take memory and time without end, and read and write files. Call this
    for archives of people that you trust. Raises ModelError where the file is none, or is damaged.
    """
    origin = file_origin(file)
    if not is_torchscript(file):
        raise ModelError(
            f"{file} is no TorchScript archive. Import a checkpoint of weights with sitegen import torch --network."
        )
    check_archive(file)
    try:
        network: nn.Module = torch.jit.load(str(file), map_location="cpu").eval()  # type: ignore[no-untyped-call]
    except Exception as error:  # its own code runs as it is loaded
        raise ModelError(
            f"{file} cannot be loaded: {_reason(error)}. It is damaged, or needs another torch."
        ) from error
    _check_weights(network, file)
    usual = usual_for(network)
    source = TorchSource(
        names=names_of(settings, file.stem),
        image=image_of(settings, usual),
        library=f"PyTorch {torch.__version__}, TorchScript",
        provenance={"source": "torchscript", "file": origin, "changes": []},
        remarks=assumed(settings, usual),
    )
    return torch_classifier(network, source, settings)


def _own(file: Path) -> _Read:
    """A checkpoint of sitegen's own training, which says all of itself."""
    trained = load_trained(file)
    _check_weights(trained.network, file)
    labels = tuple(as_label(name) for name in trained.labels)
    return _Read(trained.network, as_settings(trained.image), {"network": dict(trained.network_settings)}, labels)


def _foreign(document: object, file: Path, settings: ImportSettings, network: str) -> _Read:
    """Weights, for a network that only the user knows."""
    found = find_weights(document, file)
    if is_factory(network):
        made: nn.Module = factory_network(network)
        described: dict[str, Any] = {"network": {"function": network}}
        found = renamed(found, made.state_dict())
    else:
        found = renamed(found, ())
        made, of_network = registered_network(network, found.weights)
        described = {"network": of_network}
    changes = [*found.changes, *fit_weights(made, found.weights, file)]
    usual = usual_for(made)
    return _Read(made, usual, described, changes=tuple(changes), remarks=tuple(assumed(settings, usual)))


def _check_weights(network: nn.Module, file: Path) -> None:
    for name, value in network.state_dict().items():
        if value.is_floating_point():
            check_finite(name, value, file)


def _reason(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
