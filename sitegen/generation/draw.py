"""Images of a trained generator, a batch at a time: memory holds one batch, however many images are asked for."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from sitegen.errors import SettingsError
from sitegen.generation.pictures import Picture, as_picture
from sitegen.networks.stylegan2.trained import TrainedGenerator, drawn_z

NOISES = ("const", "random", "none")
"""The noise that belongs to the weights, new noise for each image, drawn from its seed, or none."""


@dataclass(frozen=True)
class Draw:
    """How images are drawn: truncation ψ (1 is none, 0 the mean image), the class or None, which noise, how many at
    once, and on which device."""

    psi: float = 1.0
    label: int | None = None
    noise: str = "const"
    batch: int = 16
    device: str = "cpu"


def drawn_of_seeds(trained: TrainedGenerator, seeds: Sequence[range], how: Draw) -> Iterator[tuple[str, Picture]]:
    """Yield a name for each seed and its image, uint8 [side, side] or [side, side, 3].

    Raises SettingsError where the class does not fit the generator.
    """
    condition = _condition(trained, how.label)
    shape, places = trained.shape, iter(chain.from_iterable(seeds))
    while batch := list(islice(places, how.batch)):
        z = torch.cat([drawn_z(seed, shape.latent) for seed in batch]).to(how.device)
        label = None if condition is None else condition.expand(len(batch), -1).to(how.device)
        with torch.inference_mode():
            styles = trained.generator.to(how.device).styles(z, label, how.psi)
        images = _images(trained, styles, batch, how)
        yield from ((f"seed{seed:06d}", image) for seed, image in zip(batch, images, strict=True))


def drawn_of_latents(trained: TrainedGenerator, file: Path, how: Draw) -> Iterator[tuple[str, Picture]]:
    """Yield a name and an image for each latent of a file that `sitegen project` wrote.

    The noise that was found with it is used, unless `how` asks for random noise or none. Raises SettingsError where the
    file has no latents, or those of another generator.
    """
    latents, noise = _read_latents(trained, file)
    trained.generator.to(how.device)
    for at in range(0, len(latents), how.batch):
        part = latents[at : at + how.batch].to(how.device)
        given = None if noise is None or how.noise != "const" else noise[at : at + how.batch].to(how.device)
        images = _images(trained, part, list(range(at, at + len(part))), how, given)
        yield from ((f"latent{at + n:06d}", image) for n, image in enumerate(images))


@torch.inference_mode()
def _images(
    trained: TrainedGenerator, styles: Tensor, seeds: Sequence[int], how: Draw, found: Tensor | None = None
) -> list[Picture]:
    synthesis = trained.generator.synthesis
    noise: Sequence[Tensor] | None = None
    if found is not None:
        shapes = synthesis.noise_shapes
        parts = torch.split(found, [shape[-1] ** 2 for shape in shapes], dim=1)
        noise = [part.reshape(-1, *shape[1:]) for part, shape in zip(parts, shapes, strict=True)]
    elif how.noise == "const":
        noise = synthesis.constant_noise()
    elif how.noise == "random":
        each = [synthesis.random_noise(1, torch.Generator().manual_seed(seed + 1)) for seed in seeds]
        noise = [torch.cat(parts) for parts in zip(*each, strict=True)]
    return [as_picture(image) for image in synthesis(styles, noise).cpu().numpy()]


def _condition(trained: TrainedGenerator, label: int | None) -> Tensor | None:
    """The class as a row of zeros and a one; None where there are no classes."""
    classes = trained.shape.classes
    if not classes:
        if label is not None:
            raise SettingsError(f"This generator has no classes, so it has no class {label}. Leave --class out.")
        return None
    if label is None or not 0 <= label < classes:
        given = "no class was named" if label is None else f"there is no class {label}"
        raise SettingsError(f"This generator has the classes 0 to {classes - 1}, and {given}. Name one by --class.")
    return torch.nn.functional.one_hot(torch.tensor([label]), classes).float()


def _read_latents(trained: TrainedGenerator, file: Path) -> tuple[Tensor, Tensor | None]:
    """The latents [N, layers, length] of a file, and the noise [N, values] that was found with them, if it is there."""
    shape = trained.shape
    try:
        with np.load(file, allow_pickle=False) as parts:
            latents = np.asarray(parts["latents"], np.float32)
            noise = np.asarray(parts["noise"], np.float32) if "noise" in parts else None
    except (OSError, ValueError, KeyError) as error:
        raise SettingsError(
            f"{file} has no latents: {error}. Name a .npz file that sitegen project wrote, with [images, layers, "
            'length] under "latents".'
        ) from error
    wanted = (shape.layers, shape.style)
    if latents.ndim != 3 or latents.shape[1:] != wanted:
        raise SettingsError(
            f"The latents of {file} have the shape {list(latents.shape)}; this generator takes [images, {wanted[0]}, "
            f"{wanted[1]}]. Name the generator that they were found with."
        )
    values = sum(each[-1] ** 2 for each in trained.generator.synthesis.noise_shapes)
    if noise is not None and noise.shape != (len(latents), values):
        raise SettingsError(
            f"The noise of {file} has the shape {list(noise.shape)}; this generator takes [{len(latents)}, {values}]. "
            "Name the generator that it was found with, or ask for --noise none."
        )
    return torch.from_numpy(latents), None if noise is None else torch.from_numpy(noise)
