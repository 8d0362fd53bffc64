"""Image files to network inputs, once: the runtime's own pixel path, run in parallel, kept on disk.

The runtime computes on pixels in pure Python, some 30 ms for a small image, so that every engine agrees to the bit.
Training needs the same tensors many times; here each is computed once and kept as one .npz file in

    cache / <settings> / <content>.npz

`content` is the SHA-256 of the image file, `settings` that of the inputs asked for and of the runtime's source, so
that a change of either never meets stale tensors.
"""

import io
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from functools import cache, partial
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from rich.progress import track

from sitegen.resources import runtime_source
from sitegen_runtime.model import NetworkInput
from sitegen_runtime.preprocess import PixelFormat, Preprocessor

Tensors = dict[str, NDArray[np.float32]]
_RGBA = PixelFormat(4)
_UPRIGHT = 1  # data sets are stored upright; EXIF orientation is for the prediction of strangers' files
_PIXEL_MODULES = ("area_average.py", "geometry.py", "luma.py", "preprocess.py", "tensor.py")


def cached_tensors(
    paths: Sequence[Path], inputs: Mapping[str, NetworkInput], folder: Path, workers: int | None = None
) -> Tensors:
    """Return the inputs of every image by role: float32 [images, channels, side, side], in the order of `paths`.

    `folder` is the cache, made where it is missing; `workers` processes (all cores by default) fill it. Raises what
    `image_tensors` raises, for the first image that fails.
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
    """Return the inputs of one 8-bit image file by role: float32 of each input's shape, [1, channels, side, side].

    Raises PIL.UnidentifiedImageError where Pillow cannot read it and `sitegen_runtime.errors.TooSmall`.
    """
    with Image.open(io.BytesIO(raw)) as image:
        pixels = image.convert("RGBA")
    preprocessor = Preprocessor(pixels.width, pixels.height, _UPRIGHT, _RGBA, inputs)
    left, top, width, height = preprocessor.window
    preprocessor.add_rows(pixels.crop((left, top, left + width, top + height)).tobytes())
    return {
        role: np.frombuffer(values, np.float32).reshape(inputs[role].shape)
        for role, values in preprocessor.tensors().items()
    }


def settings_key(inputs: Mapping[str, NetworkInput]) -> str:
    """Return 16 hexadecimal digits that change with the inputs asked for and with the runtime's pixel code."""
    described = sorted((role, sorted(asdict(entry).items())) for role, entry in inputs.items())
    return sha256(f"{described}{_runtime_hash()}".encode()).hexdigest()[:16]


@cache
def _runtime_hash() -> str:
    folder = runtime_source()
    return sha256(b"".join((folder / name).read_bytes() for name in _PIXEL_MODULES)).hexdigest()


def _cached_file(path: Path, inputs: Mapping[str, NetworkInput], store: Path) -> Path:
    raw = path.read_bytes()
    file = store / f"{sha256(raw).hexdigest()}.npz"
    if not file.exists():
        partial_file = file.with_suffix(f".{os.getpid()}.tmp")
        with partial_file.open("wb") as out:  # an interrupted run leaves no half file under the final name
            np.savez(out, allow_pickle=False, **image_tensors(raw, inputs))
        partial_file.replace(file)
    return file
