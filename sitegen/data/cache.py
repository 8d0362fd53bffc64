"""Image files to network inputs, once: the runtime's own pixel path, run in parallel, kept on disk.

The runtime checks files and computes on pixels in pure Python, some 50 ms for a small image, so that every engine
agrees to the bit: 16-bit images and orientations are what they are in a prediction. Training needs the same tensors
many times; here each is computed once and kept as one .npz file in

    cache / <settings> / <content>.npz

`content` is the SHA-256 of the image file, `settings` that of the inputs asked for and of the runtime's source, so
that a change of either never meets stale tensors.
"""

import os
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from sitegen.errors import DataError
from sitegen.prediction.images import OpenedImage
from sitegen.resources import runtime_source
from sitegen_runtime.errors import ImageError
from sitegen_runtime.formats import inspect_image
from sitegen_runtime.model import NetworkInput
from sitegen_runtime.pixels import Pixels, collect
from sitegen_runtime.requests import OpenImage, ReadRows, Request

Tensors = dict[str, NDArray[np.float32]]
_PIXEL_MODULES = (
    "area_average.py",
    "geometry.py",
    "luma.py",
    "pixels.py",
    "preprocess.py",
    "tensor.py",
    "formats/*.py",
)


def cached_tensors(
    paths: Sequence[Path], inputs: Mapping[str, NetworkInput], folder: Path, workers: int | None = None
) -> Tensors:
    """Return the inputs of every image by role: float32 [images, channels, side, side], in the order of `paths`.

    `folder` is the cache, made where it is missing; `workers` processes (all cores by default) fill it. Raises
    DataError, naming the file, for the first image that cannot be used.
    """
    store = folder / settings_key(inputs)
    store.mkdir(parents=True, exist_ok=True)
    job = partial(_cached_file, inputs=dict(inputs), store=store)
    stacks = {role: np.empty((len(paths), *entry.shape[1:]), np.float32) for role, entry in inputs.items()}
    with ProcessPoolExecutor(workers) as pool:
        files = pool.map(job, paths, chunksize=16)
        for index, file in enumerate(track(files, "images", total=len(paths), transient=True)):
            with np.load(file) as tensors:
                for role, stack in stacks.items():
                    stack[index] = tensors[role][0]
    return stacks


def image_tensors(raw: bytes, inputs: Mapping[str, NetworkInput]) -> Tensors:
    """Return the inputs of one image file by role: float32 of each input's shape, [1, channels, side, side].

    They are what a prediction computes. Raises `sitegen_runtime.errors.ImageError`.
    """
    tensors, _ = _decoded(collect(inspect_image(raw), inputs))
    return {role: np.frombuffer(values, np.float32).reshape(inputs[role].shape) for role, values in tensors.items()}


def settings_key(inputs: Mapping[str, NetworkInput]) -> str:
    """Return 16 hexadecimal digits that change with the inputs asked for and with the runtime's pixel code."""
    described = sorted((role, sorted(asdict(entry).items())) for role, entry in inputs.items())
    return sha256(f"{described}{_runtime_hash()}".encode()).hexdigest()[:16]


@cache
def _runtime_hash() -> str:
    folder = runtime_source()
    files = [path for name in _PIXEL_MODULES for path in sorted(folder.glob(name))]
    return sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


def _decoded(requests: Generator[Request, Any, Pixels]) -> Pixels:
    """Answer the requests for pixels with Pillow; return what the generator does."""
    opened: list[OpenedImage] = []
    answer: Any = None
    while True:
        try:
            request = requests.send(answer)
        except StopIteration as end:
            pixels: Pixels = end.value
            return pixels
        answer = None
        if isinstance(request, OpenImage):
            opened[:] = [OpenedImage(request.media_type, request.payload)]
            answer = opened[0].size
        elif isinstance(request, ReadRows):
            answer = opened[0].rows(request.left, request.top, request.width, request.height)


def _cached_file(path: Path, inputs: Mapping[str, NetworkInput], store: Path) -> Path:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise DataError(
            f"{path} cannot be read: {error.strerror}. Check the data set with: sitegen data audit"
        ) from error
    file = store / f"{sha256(raw).hexdigest()}.npz"
    if not file.exists():
        try:
            tensors = image_tensors(raw, inputs)
        except ImageError as error:
            raise DataError(f"{path}: {error} Check the data set with: sitegen data audit") from error
        partial_file = file.with_suffix(f".{os.getpid()}.tmp")
        with partial_file.open("wb") as out:  # an interrupted run leaves no half file under the final name
            np.savez(out, allow_pickle=False, **tensors)
        partial_file.replace(file)
    return file
