"""A trained classifier as one file: the network's settings and weights, its labels, its input, and how it was made.

It is what training ends with, and what evaluation and export begin with. It is read as data alone: no code in a
checkpoint is ever run.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

import torch
from torch import nn

from sitegen.errors import CheckpointError, SitegenError
from sitegen.networks.classifier import Classifier
from sitegen.networks.registry import make_network, network_document, read_network
from sitegen_runtime.bundle.model import NetworkInput

SCHEMA = "sitegen.classifier/1"
N = TypeVar("N", bound=nn.Module)


class Trained(Protocol):
    """What trained networks of all kinds have: the network, its input, and plain data on how it was made."""

    @property
    def network(self) -> nn.Module:
        """The network itself."""

    @property
    def image(self) -> NetworkInput:
        """The image that it takes."""

    @property
    def made_by(self) -> Mapping[str, Any]:
        """How it came about."""


@dataclass(frozen=True)
class TrainedClassifier:
    """A classifier with one logit for each of `labels`, in evaluation mode, for images as `image` says.

    `network_settings` is what `registry.read_network` makes the network of. `made_by` is plain data: the recipe file
    with all its defaults under "recipe", where that file lies under "folder", and the training's history.
    """

    network: Classifier
    network_settings: Mapping[str, Any]
    labels: Sequence[str]
    image: NetworkInput
    made_by: Mapping[str, Any] = field(default_factory=dict)


def save_trained(trained: TrainedClassifier, path: Path) -> None:
    """Write a trained classifier, replacing an older file as a whole."""
    settings = network_document(read_network(trained.network_settings))
    save_network(trained, {"schema": SCHEMA, "network": settings, "labels": list(trained.labels)}, path)


def load_trained(path: Path) -> TrainedClassifier:
    """Read a trained classifier. Raises CheckpointError where the file is none, or does not fit its own description."""
    wanted = f"trained classifier of this version ({SCHEMA}); make one with: sitegen train classifier"
    network, document = load_network(path, SCHEMA, wanted, lambda settings: make_network(read_network(settings)))
    with described(path):
        labels, image = tuple(map(str, document["labels"])), read_image(document["image"])
        made_by = dict(document["made_by"])
    return TrainedClassifier(network, document["network"], labels, image, made_by)


def save_network(trained: Trained, head: Mapping[str, Any], path: Path) -> None:
    """Write `head`, then a network's input, how it was made and its weights, replacing an older file as a whole."""
    weights = {name: value.detach().cpu() for name, value in trained.network.state_dict().items()}
    rest = {"image": asdict(trained.image), "made_by": dict(trained.made_by), "weights": weights}
    write_checkpoint({**head, **rest}, path)


def load_network(
    path: Path, schema: str, wanted: str, make: Callable[[Any], N], advice: str = ""
) -> tuple[N, dict[str, Any]]:
    """Return the network of a file, in evaluation mode, with the file's document; `make` makes it of its settings.

    Raises CheckpointError where the document is none of `schema`, and says what is `wanted`; or where the weights do
    not fit, and gives `advice`.
    """
    document = read_checkpoint(path)
    if document.get("schema") != schema:
        raise CheckpointError(f"{path} is no {wanted}")
    with described(path):
        network = make(document["network"])
        weights = dict(document["weights"])
    try:
        network.load_state_dict(weights)
    except (RuntimeError, TypeError, AttributeError) as error:  # of what is no tensor, too
        raise CheckpointError(f"{path} has weights that do not fit its own network: {error}{advice}") from error
    return network.eval(), document


@contextmanager
def described(path: Path) -> Iterator[None]:
    """Raise CheckpointError for what fails while a checkpoint's description of itself is read: it is damaged."""
    try:
        yield
    except SitegenError as error:
        raise CheckpointError(f"{path} does not describe itself: {error}. It is damaged; take another copy.") from error
    except Exception as error:  # whatever was changed in it may be of another type now
        reason = f"{type(error).__name__}: {error}"
        raise CheckpointError(
            f"{path} does not describe itself: {reason}. It is damaged; take another copy."
        ) from error


def write_checkpoint(document: Mapping[str, Any], path: Path) -> None:
    """Write tensors and plain data to `path`, so that an interruption leaves the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.unfinished")
    torch.save(dict(document), unfinished)
    unfinished.replace(path)


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Return tensors and plain data, on the CPU. Raises CheckpointError where the file has none, or other things."""
    if not path.is_file():
        raise CheckpointError(f"{path} does not exist; name the file that training wrote")
    try:
        document: object = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged pickle can fail in any way that a program can
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise CheckpointError(f"{path} cannot be read as a checkpoint: {reason}") from error
    if not isinstance(document, dict):
        raise CheckpointError(f"{path} holds a {type(document).__name__}, not a checkpoint's dictionary")
    return document


def read_image(fields: Mapping[str, Any]) -> NetworkInput:
    """Return the input that `dataclasses.asdict` described."""
    plain: dict[str, Any] = {
        name: tuple(value) if isinstance(value, (list, tuple)) else value for name, value in fields.items()
    }
    return NetworkInput(**plain)
