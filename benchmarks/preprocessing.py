"""From image files to network inputs: sitegen's pixel path, and what Pillow and NumPy alone would do.

Both decode, take luma, crop the centred square and average it over areas. sitegen's path also checks files to the last
byte and computes on exact integers, so that every browser gets the same tensor; its peer does neither.
"""

import io
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sitegen.data.tensors.cache import image_tensors
from sitegen.phantom import phantom
from sitegen_runtime.bundle.model import NetworkInput

ENDINGS = {".png", ".jpg", ".jpeg", ".webp"}
FARTHEST = 0.04  # in the middle of tensors from -1 to 1: decoders and rounding differ by some greys of 255
Files = Mapping[str, Sequence[bytes]]
"""File contents by kind."""


def grey_input(side: int) -> NetworkInput:
    """Return the input of a network for grey images of `side`, in -1 to 1."""
    return NetworkInput("image", (1, 1, side, side), "grey", 1.0, (-1.0, 1.0), (0.0,), (1.0,))


def drawn_files(sides: Sequence[int], count: int) -> dict[str, list[bytes]]:
    """Return synthetic radiographs by kind, `count` of each size as PNG and as JPEG."""
    files: dict[str, list[bytes]] = {}
    for side in sides:
        images = [Image.fromarray(phantom(seed, side, opacity=seed % 2 == 1)) for seed in range(count)]
        for kind in ("PNG", "JPEG"):
            files[f"{kind}, {side} x {side}"] = [_encoded(image, kind) for image in images]
    return files


def files_of(folder: Path, count: int) -> dict[str, list[bytes]]:
    """Return the first `count` image files of a folder, as one kind. Raises ValueError where there is none."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in ENDINGS)[:count]
    if not paths:
        raise ValueError(f"{folder} has no file that ends with {', '.join(sorted(ENDINGS))}")
    return {str(folder): [path.read_bytes() for path in paths]}


def by_sitegen(raw: bytes, entry: NetworkInput) -> NDArray[np.float32]:
    """Return the tensor of a file as training caches it."""
    return image_tensors(raw, {"classifier": entry})["classifier"]


def by_pillow(raw: bytes, entry: NetworkInput) -> NDArray[np.float32]:
    """Return about the same tensor by Pillow's decoder, luma and box filter."""
    with Image.open(io.BytesIO(raw)) as image:
        grey = image.convert("L")
        side = min(grey.size)
        left, top = (grey.width - side) // 2, (grey.height - side) // 2
        square = grey.crop((left, top, left + side, top + side))
        small = square.resize((entry.side, entry.side), Image.Resampling.BOX)
    low, high = entry.range
    tensor: NDArray[np.float32] = np.asarray(small, np.float32)[np.newaxis, np.newaxis] * ((high - low) / 255) + low
    return tensor


PEERS = {"sitegen": by_sitegen, "Pillow and NumPy": by_pillow}


def disagreement(raw: bytes, entry: NetworkInput) -> float:
    """Return the mean distance of the two tensors of a file. Raises ValueError where they are of different images."""
    first, second = (compute(raw, entry) for compute in PEERS.values())
    distance = float(np.abs(first - second).mean())
    if distance > FARTHEST:
        raise ValueError(f"the tensors differ by {distance:.3f} on average: they are not of the same image")
    return distance


def time_files(peer: str, files: Sequence[bytes], entry: NetworkInput) -> float:
    """Return the milliseconds that an image takes on one core, on average over the files."""
    compute = PEERS[peer]
    began = time.perf_counter()
    for raw in files:
        compute(raw, entry)
    return 1000 * (time.perf_counter() - began) / len(files)


def _encoded(image: Image.Image, kind: str) -> bytes:
    out = io.BytesIO()
    image.save(out, kind)
    return out.getvalue()
