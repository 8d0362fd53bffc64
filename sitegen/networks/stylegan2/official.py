"""Weights of the official StyleGAN2-ADA networks, given as tensors, under the names of the networks here.

    read_official(path)      safetensors, or a state dict of tensors; a pickle's code is never run

Their networks are those of Karras et al. 2020b, whose layers are the same and have other names. The file holds the
state dicts of `G_ema`, and of `D` where there is one, with these as the first part of every name. Whoever has the
official pickle makes such a file with the official code:

    save_file({f"{part}.{name}": value for part in ("G_ema", "D") for name, value in nets[part].state_dict().items()})

The licence of these weights is non-commercial; it is kept in `made_by`, and goes wherever they go.
"""

import re
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from torch import Tensor

from sitegen.errors import CheckpointError, SettingsError
from sitegen.networks.published import named_tensors
from sitegen.networks.stylegan2.discriminator import StyleDiscriminator
from sitegen.networks.stylegan2.generator import StyleGenerator
from sitegen.networks.stylegan2.settings import GeneratorShape, read_shape
from sitegen.networks.stylegan2.trained import TrainedGenerator, fill

LICENCE = "NVIDIA Source Code License for StyleGAN2 with Adaptive Discriminator Augmentation (non-commercial)"
CLAMP = 256.0  # of the configurations whose weights were published
_GENERATOR, _DISCRIMINATOR = "G_ema", "D"
_BLOCK = re.compile(r"(synthesis\.)?b(\d+)\.(.+)")
_LEFT_OUT = re.compile(r"(.*\.)?resample_filter")  # a constant of [1, 3, 3, 1], which the layers here have themselves


def read_official(path: Path, clamp: float | None = CLAMP) -> TrainedGenerator:
    """Return the networks of a file of official weights.

    Raises CheckpointError where it holds other tensors, or where some are missing or do not fit; it names them.
    """
    tensors = named_tensors(path)
    given = _part(tensors, _GENERATOR)
    if "mapping.w_avg" not in given:
        raise CheckpointError(
            f"{path} has no {_GENERATOR}.mapping.w_avg. Name a file with the tensors of {_GENERATOR}, and of D if you "
            "have it, under those names."
        )
    theirs = _part(tensors, _DISCRIMINATOR)
    shape = official_shape(given, theirs, clamp)
    generator = StyleGenerator(shape)
    fill(generator, generator_names(given), path.name)
    discriminator = None
    if theirs:
        discriminator = StyleDiscriminator(shape)
        fill(discriminator, discriminator_names(theirs, shape), path.name)
        discriminator.eval()
    made_by: dict[str, Any] = {
        "official": {"name": path.name, "sha256": sha256(path.read_bytes()).hexdigest()},
        "licence": LICENCE,
    }
    return TrainedGenerator(generator.eval(), discriminator, made_by)


def is_official(path: Path) -> bool:
    """Whether a file holds tensors under the official names, as far as it can be read."""
    try:
        return f"{_GENERATOR}.mapping.w_avg" in named_tensors(path)
    except (CheckpointError, SettingsError):
        return False


def official_shape(
    generator: Mapping[str, Tensor], discriminator: Mapping[str, Tensor], clamp: float | None
) -> GeneratorShape:
    """Return the shape that tensors have by their names and sizes. Raises CheckpointError where that is none here."""
    sides = [int(found[2]) for name in generator if (found := _BLOCK.fullmatch(name)) and found[1]]
    layers = {name for name in generator if re.fullmatch(r"mapping\.fc\d+\.weight", name)}
    try:
        widths = {side: generator[f"synthesis.b{side}.conv1.weight"].shape[0] for side in sides}
        side, most = max(widths), max(widths.values())
        style = generator["mapping.w_avg"].shape[0]
        embed = generator.get("mapping.embed.weight")
        first = generator["mapping.fc0.weight"].shape[1]
        document = {
            "side": side,
            "channels": generator[f"synthesis.b{side}.torgb.weight"].shape[0],
            "classes": embed.shape[1] if embed is not None else 0,
            "latent": first - (style if embed is not None else 0),
            "style": style,
            "mapping_layers": len(layers),
            "channel_base": side * widths[side],
            "channel_max": most,
            "clamp": clamp,
        }
    except (KeyError, ValueError, IndexError) as error:
        raise CheckpointError(f"these are no weights of StyleGAN2: {error} is missing. Name others.") from error
    return read_shape({"name": "stylegan2", **document})


def generator_names(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the official generator's tensors under the names here, and in their shapes."""
    renamed = {}
    for name, value in tensors.items():
        if _LEFT_OUT.fullmatch(name):
            continue
        found = _BLOCK.fullmatch(name)
        if found:
            inside = found[3].replace("torgb", "to_image")
            name = f"synthesis.{_place(int(found[2]))}.{inside}"
        name = re.sub(r"^mapping\.fc(\d+)", r"mapping.layers.\1", name)
        renamed[name] = value.reshape(1, 1, *value.shape) if name.endswith("noise_const") else value
    return renamed


def discriminator_names(tensors: Mapping[str, Tensor], shape: GeneratorShape) -> dict[str, Tensor]:
    """Return the official discriminator's tensors under the names here."""
    renamed = {}
    for name, value in tensors.items():
        found = _BLOCK.fullmatch(name)
        if _LEFT_OUT.fullmatch(name):
            continue
        if found and found[2] == "4":
            name = found[3]
        elif found and found[3].startswith("fromrgb"):
            name = found[3].replace("fromrgb", "from_image")
        elif found:
            name = f"blocks.{shape.sides[::-1].index(int(found[2]))}.{found[3]}"
        renamed[re.sub(r"^mapping\.fc(\d+)", r"mapping.layers.\1", name)] = value
    return renamed


def _part(tensors: Mapping[str, Tensor], part: str) -> dict[str, Tensor]:
    start = f"{part}."
    return {name.removeprefix(start): value for name, value in tensors.items() if name.startswith(start)}


def _place(side: int) -> str:
    return "first" if side == 4 else f"blocks.{side.bit_length() - 4}"
