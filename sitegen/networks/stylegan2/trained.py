"""A trained generator as one file of safetensors, whose metadata holds all the rest as JSON.

    save_generator(trained, path)
    load_generator(path)

A tensor is named `generator.…`, `discriminator.…`; nothing in a file is ever run. The discriminator is kept for
further training, and may be missing.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from sitegen.errors import CheckpointError, SettingsError
from sitegen.networks.stylegan2.discriminator import StyleDiscriminator
from sitegen.networks.stylegan2.generator import StyleGenerator
from sitegen.networks.stylegan2.settings import GeneratorShape, read_shape, shape_document
from sitegen.networks.trained import described

SCHEMA = "sitegen.generator/1"
_KEY = "sitegen"
_PARTS = ("generator", "discriminator")


@dataclass(frozen=True)
class TrainedGenerator:
    """A generator in evaluation mode, the discriminator if it was kept, and how they came about, as plain data.

    `made_by` has the settings under "settings", the step under "step", a row of figures for each snapshot under
    "history", and under "licence" what weights of others ask for.
    """

    generator: StyleGenerator
    discriminator: StyleDiscriminator | None = None
    made_by: Mapping[str, Any] = field(default_factory=dict)

    @property
    def shape(self) -> GeneratorShape:
        """The networks' shape."""
        return self.generator.shape


def need_safetensors() -> None:
    """Raise SettingsError where the package that reads and writes these files is not installed."""
    _safetensors("save_file")


def save_generator(trained: TrainedGenerator, path: Path) -> None:
    """Write a generator, replacing an older file as a whole."""
    save_file = _safetensors("save_file")
    document = {"schema": SCHEMA, "shape": shape_document(trained.shape), "made_by": dict(trained.made_by)}
    networks = dict(zip(_PARTS, (trained.generator, trained.discriminator), strict=True))
    tensors = {
        f"{part}.{name}": value.detach().cpu().contiguous()
        for part, network in networks.items()
        if network
        for name, value in network.state_dict().items()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.unfinished")
    save_file(tensors, str(unfinished), metadata={_KEY: json.dumps(document)})
    unfinished.replace(path)


def load_generator(path: Path) -> TrainedGenerator:
    """Read a generator, on the CPU and in evaluation mode.

    Raises CheckpointError where the file is none, or where weights are missing or do not fit; it names them.
    """
    document, tensors = _read(path)
    with described(path):
        shape, made_by = read_shape(document["shape"]), dict(document["made_by"])
    generator = StyleGenerator(shape)
    _fill(path, generator, "generator", tensors)
    discriminator = None
    if any(name.startswith("discriminator.") for name in tensors):
        discriminator = StyleDiscriminator(shape)
        _fill(path, discriminator, "discriminator", tensors)
        discriminator.eval()
    return TrainedGenerator(generator.eval(), discriminator, made_by)


def fill(network: nn.Module, tensors: Mapping[str, Tensor], name: str) -> None:
    """Give a network its weights. Raises CheckpointError, which names what is missing, what is not known, what differs.

    `name` is that of the file, for the message.
    """
    own = network.state_dict()
    problems = [f"{key} is missing" for key in own if key not in tensors]
    problems += [f"{key} is of no such network" for key in tensors if key not in own]
    problems += [
        f"{key} is {tuple(value.shape)}, not {tuple(own[key].shape)}"
        for key, value in tensors.items()
        if key in own and value.shape != own[key].shape
    ]
    if problems:
        more = f", and {len(problems) - 3} more" if len(problems) > 3 else ""
        raise CheckpointError(
            f"{name} does not fit this generator: {'; '.join(problems[:3])}{more}. Name weights of the same shape."
        )
    network.load_state_dict(dict(tensors))


def _fill(path: Path, network: nn.Module, part: str, tensors: Mapping[str, Tensor]) -> None:
    start = f"{part}."
    fill(network, {k.removeprefix(start): v for k, v in tensors.items() if k.startswith(start)}, str(path))


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    if not path.is_file():
        raise CheckpointError(f"{path} does not exist; name the file that sitegen train generator wrote")
    safe_open = _safetensors("safe_open")
    try:
        with safe_open(str(path), framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        document = json.loads(metadata.get(_KEY, "null"))
    except Exception as error:  # of a library that reads a file of anybody
        raise CheckpointError(f"{path} cannot be read as safetensors: {error}. Take another copy.") from error
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise CheckpointError(f"{path} is no generator ({SCHEMA}); make one with: sitegen train generator")
    return document, tensors


def _safetensors(function: str) -> Any:
    try:
        import safetensors
        import safetensors.torch
    except ImportError:
        raise SettingsError("A generator's file needs the package safetensors: pip install safetensors") from None
    return {"save_file": safetensors.torch.save_file, "safe_open": safetensors.safe_open}[function]


def drawn_z(seed: int, latent: int) -> Tensor:
    """Return the z [1, latent] of a seed: the same on every machine, whatever else is drawn."""
    return torch.randn((1, latent), generator=torch.Generator().manual_seed(seed))
