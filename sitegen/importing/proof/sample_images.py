"""The images that an import is proved on: those that people name, or synthetic radiographs."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sitegen.data.listing import images_in
from sitegen.data.tensors.cache import image_tensors
from sitegen.errors import DataError
from sitegen.export.agreement import samples
from sitegen.phantom import phantom
from sitegen_runtime.bundle.model import NetworkInput
from sitegen_runtime.errors import ImageError

PHANTOMS = 8
_SIDES = (320, 448, 512, 640)
_CUT = 0.82  # of every second phantom the height that is left: radiographs are seldom square


@dataclass(frozen=True)
class SampleImages:
    """Image files that can be read: names, bytes, and what sitegen makes of them, float32 [N, channels, side, side].

    `problems` has the name of each file that could not be read, with a sentence for people.
    """

    names: Sequence[str]
    contents: Sequence[bytes]
    tensors: NDArray[np.float32]
    problems: Sequence[tuple[str, str]]
    synthetic: bool


def sample_images(named: Sequence[Path], image: NetworkInput) -> SampleImages:
    """Return at most 32 of the files that are named, or of those in folders that are, spread evenly; else phantoms.

    Raises DataError where a path does not exist, or where no file can be read.
    """
    files = _drawn(image.shape[1] == 3) if not named else [(path.name, _content(path)) for path in _spread(named)]
    names, contents, tensors, problems = [], [], [], []
    for name, content in files:
        try:
            tensors.append(image_tensors(content, {"image": image})["image"])
        except ImageError as error:
            problems.append((name, str(error)))
            continue
        names.append(name)
        contents.append(content)
    if not tensors:
        raise DataError(f"None of the {len(files)} images can be read. The first: {problems[0][0]}: {problems[0][1]}")
    return SampleImages(names, contents, np.concatenate(tensors), problems, synthetic=not named)


def _spread(named: Sequence[Path]) -> list[Path]:
    files: list[Path] = []
    for path in named:
        if not path.exists():
            raise DataError(f"{path} does not exist. Name image files, or folders of them, with --images.")
        files += images_in(path) if path.is_dir() else [path]
    if not files:
        raise DataError(f"There is no file in {', '.join(map(str, named))}. Name image files with --images.")
    return [files[at] for at in samples(len(files))]


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}. Name other images with --images.") from error


def _drawn(colour: bool) -> list[tuple[str, bytes]]:
    """Phantoms of several sizes as PNG, every second one wider than it is high; in colour, for networks that see it."""
    files = []
    for seed in range(PHANTOMS):
        pixels = phantom(seed, _SIDES[seed % len(_SIDES)])
        if seed % 2:
            pixels = pixels[: round(_CUT * len(pixels))]
        buffer = io.BytesIO()
        Image.fromarray(_coloured(pixels, seed) if colour else pixels).save(buffer, "PNG")
        files.append((f"phantom-{seed}.png", buffer.getvalue()))
    return files


def _coloured(pixels: NDArray[np.uint8], seed: int) -> NDArray[np.uint8]:
    """Return [rows, columns, 3]: the picture in a colour of its own, over another that runs from left to right."""
    random = np.random.default_rng(seed)
    front, back = random.uniform(0.3, 1, 3), random.uniform(0, 0.6, 3)
    share = np.linspace(0, 1, pixels.shape[1])[np.newaxis, :, np.newaxis]
    values = pixels[..., np.newaxis] * (front * (1 - share) + front[::-1] * share)
    return np.asarray(np.clip(values + 120 * back * share, 0, 255), np.uint8)
