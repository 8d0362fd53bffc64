"""Image files to network inputs, once: the runtime's own pixel path, run in parallel, kept on disk.

The runtime checks files and computes on pixels in pure Python, some 50 ms for a small image, so that every engine
agrees to the bit: 16-bit images and orientations are what they are in a prediction. Training needs the same tensors
many times; here each is computed once and kept as one .npz file in

    cache / <settings> / <content>.npz

`content` is the SHA-256 of the image file, `settings` that of the inputs asked for and of the runtime's source, so that
a change of either never meets stale tensors.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache, partial
from hashlib import sha256
from pathlib import Path

import numpy as np

from sitegen import parallel
from sitegen.data.images import inspected
from sitegen.data.tensors.stacks import Tensors, stacked
from sitegen.errors import DataError
from sitegen.prediction.pixels import decoded
from sitegen.prediction.reading import read_image_file
from sitegen.resources import runtime_source
from sitegen_runtime.bundle.model import NetworkInput
from sitegen_runtime.errors import AnalysisError, ImageError
from sitegen_runtime.pixels.collect import collect

__all__ = ["Tensors", "Usable", "cached_tensors", "image_tensors", "settings_key", "usable_tensors"]

_TOLD = 5
_PIXEL_CODE = ("formats", "pixels")  # the runtime's rooms that tensors come from


@dataclass(frozen=True)
class Usable:
    """The tensors of the files that can be used, which those are, and what is wrong with the others.

    `tensors[role][i]` is of `paths[kept[i]]`; `kept` rises. `problems` has the other paths, in their order, each with
    a sentence for people.
    """

    tensors: Tensors
    kept: list[int]
    problems: list[tuple[Path, str]]


def cached_tensors(
    paths: Sequence[Path], inputs: Mapping[str, NetworkInput], folder: Path, workers: int | None = None
) -> Tensors:
    """Return the inputs of every image by role: float32 [images, channels, side, side], in the order of `paths`.

    See `usable_tensors`. Raises DataError where images cannot be used, after all have been looked at; the others are
    then in the cache.
    """
    usable = usable_tensors(paths, inputs, folder, workers)
    if usable.problems:
        raise DataError(_told(usable.problems, len(paths)))
    return usable.tensors


def usable_tensors(
    paths: Sequence[Path], inputs: Mapping[str, NetworkInput], folder: Path, workers: int | None = None
) -> Usable:
    """Return the inputs of the images that can be used by role: float32 [kept, channels, side, side].

    `folder` is the cache, made where it is missing; `workers` processes (all cores by default, where there are enough
    images) fill it, see `sitegen.parallel`. Tensors of more than `stacks.IN_MEMORY` bytes are mapped from a file in it.
    """
    store = folder / settings_key(inputs)
    store.mkdir(parents=True, exist_ok=True)
    job = partial(_cached_file, inputs=dict(inputs), store=store)
    found = parallel.each(job, paths, workers)
    kept = [index for index, file in enumerate(found) if isinstance(file, Path)]
    problems = [(path, file) for path, file in zip(paths, found, strict=True) if isinstance(file, str)]
    files = [file for file in found if isinstance(file, Path)]
    return Usable(stacked(files, {role: entry.shape[1:] for role, entry in inputs.items()}, store), kept, problems)


def image_tensors(raw: bytes, inputs: Mapping[str, NetworkInput]) -> Tensors:
    """Return the inputs of one image file by role: float32 of each input's shape, [1, channels, side, side].

    They are what a prediction computes. Raises `sitegen_runtime.errors.ImageError`.
    """
    tensors, _ = decoded(collect(inspected(raw), inputs))
    return {role: np.frombuffer(values, np.float32).reshape(inputs[role].shape) for role, values in tensors.items()}


def settings_key(inputs: Mapping[str, NetworkInput]) -> str:
    """Return 16 hexadecimal digits that change with the inputs asked for and with the runtime's pixel code."""
    described = sorted((role, sorted(asdict(entry).items())) for role, entry in inputs.items())
    return sha256(f"{described}{_runtime_hash()}".encode()).hexdigest()[:16]


@cache
def _runtime_hash() -> str:
    folder = runtime_source()
    files = [path for room in _PIXEL_CODE for path in sorted((folder / room).rglob("*.py"))]
    return sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


def _cached_file(path: Path, inputs: Mapping[str, NetworkInput], store: Path) -> Path | str:
    """The file with an image's tensors, or what is wrong with the image."""
    try:
        raw = read_image_file(path)
    except AnalysisError as error:
        return str(error).removeprefix(f"{path} ")
    file = store / f"{sha256(raw).hexdigest()}.npz"
    if not file.exists():
        try:
            tensors = image_tensors(raw, inputs)
        except ImageError as error:
            return str(error)
        partial_file = file.with_suffix(f".{os.getpid()}.tmp")
        with partial_file.open("wb") as out:  # an interrupted run leaves no half file under the final name
            np.savez(out, allow_pickle=False, **tensors)
        partial_file.replace(file)
    return file


def _told(problems: Sequence[tuple[Path, str]], images: int) -> str:
    """One message for all images that cannot be used."""
    first = [f"{path}: {problem}" for path, problem in problems[:_TOLD]]
    more = [f"… and {len(problems) - _TOLD} more."] if len(problems) > _TOLD else []
    return (
        f"{len(problems)} of {images} images cannot be used. {' '.join(first + more)} "
        "List them all with: sitegen data audit"
    )
