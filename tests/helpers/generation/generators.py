"""Small generators that tests make: random weights, noise that can be seen, a bundle that has one."""

import functools
from pathlib import Path

import torch

from sitegen.bundle import Bundle
from sitegen.generation.attach import attach
from sitegen.networks.stylegan2.generator import StyleGenerator
from sitegen.networks.stylegan2.settings import read_shape
from sitegen.networks.stylegan2.trained import TrainedGenerator, save_generator


@functools.cache
def small_generator(classes: int = 0, channels: int = 1) -> TrainedGenerator:
    """Return a generator of 32 x 32 pixels with random weights, always the same ones."""
    shape = read_shape({"name": "tiny", "classes": classes, "channels": channels})
    with torch.random.fork_rng():
        torch.manual_seed(5)
        generator = StyleGenerator(shape).eval()
    for name, value in generator.named_parameters():
        if name.endswith("noise_strength"):
            value.data.fill_(0.1)
    return TrainedGenerator(generator, made_by={"step": 0})


def saved_generator(folder: Path) -> Path:
    """Write it to a file, and return that."""
    path = folder / "generator.safetensors"
    save_generator(small_generator(), path)
    return path


def bundle_with_generator(bundle: Bundle, folder: Path) -> Bundle:
    """Return a copy of a bundle, in a folder, that has it."""
    return attach(bundle, saved_generator(folder), folder / "with-generator", weights="CC0", data="made up")
