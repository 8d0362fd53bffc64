"""CIFAR-100 and MNIST, as published, to a PNG file an image: `OUT/train/apple/00017.png`.

Both serve to see whether a gate refuses what is no radiograph. Unpacked, they are a folder a class (see
`class_folders`), and everything that reads image files reads them.
"""

import gzip
import pickle
import struct
import tarfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sitegen.data.unpacking.safe_pickle import load_plain
from sitegen.errors import DataError

Pixels = NDArray[np.uint8]
_CIFAR = ("train", "test", "meta")
_CIFAR_FOLDER = "cifar-100-python"
_MNIST = {"train": "train", "test": "t10k"}
_UNSIGNED_BYTES = 0x08
_LARGEST = 1 << 30  # bytes of a part: MNIST's largest has 47 million, CIFAR-100's 155


def unpack(source: Path, out: Path) -> tuple[str, int]:
    """Write the images of whichever of the two `source` is; return its name and how many they are.

    It is told by what lies in the archive or folder. Raises DataError where it is neither, where `out` holds files
    already, or what the two raise.
    """
    name = next((name for name, (is_one, _) in _KINDS.items() if is_one(source)), None)
    if name is None:
        raise DataError(
            f"{source} is neither CIFAR-100 (cifar-100-python.tar.gz, or the folder in it) nor MNIST (the folder with "
            "its four files). Name one of them."
        )
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise DataError(f"{out} is not an empty folder. Name another, so that nothing gets mixed.")
    return name, _KINDS[name][1](source, out)


def _is_cifar100(source: Path) -> bool:
    if source.is_dir():
        return all((source / name).is_file() for name in _CIFAR)
    if not source.is_file() or not tarfile.is_tarfile(source):
        return False
    with tarfile.open(source) as archive:
        first = archive.next()  # the whole list would need the whole archive
    return first is not None and first.name.split("/")[0] == _CIFAR_FOLDER


def _is_mnist(source: Path) -> bool:
    return any((source / f"train-images-idx3-ubyte{ending}").is_file() for ending in ("", ".gz"))


def unpack_cifar100(source: Path, out: Path) -> int:
    """Write the images of CIFAR-100, 32 x 32 RGB, by their fine labels; return how many.

    `source` is the publisher's `cifar-100-python.tar.gz`, or the folder in it. The pickles in it are read as data: see
    `safe_pickle`. Raises DataError where a part is missing or is not what it should be.
    """
    parts = {name: _read(source, name, _cifar_part, load_plain) for name in _CIFAR}
    return sum(_write(out / split, *_cifar_images(source, split, parts)) for split in ("train", "test"))


def unpack_mnist(source: Path, out: Path) -> int:
    """Write the images of MNIST, 28 x 28 grey, by their digits; return how many.

    `source` is the folder with the publisher's four files, `train-images-idx3-ubyte.gz` and so on, or the same without
    `.gz`. Raises DataError where a file is missing or is not what it should be.
    """
    count = 0
    for split, prefix in _MNIST.items():
        images, digits = (
            _read(source, name, _mnist_file, idx_array)
            for name in (f"{prefix}-images-idx3-ubyte", f"{prefix}-labels-idx1-ubyte")
        )
        if images.ndim != 3 or digits.shape != images.shape[:1]:
            raise DataError(
                f"{source}: {len(digits)} labels do not fit {prefix} images of {images.shape}. Get it again."
            )
        count += _write(out / split, images, [str(digit) for digit in digits])
    return count


def idx_array(raw: bytes) -> Pixels:
    """Return the array in an IDX file of unsigned bytes. Raises ValueError for anything else."""
    if len(raw) < 4 or raw[:2] != b"\0\0" or raw[2] != _UNSIGNED_BYTES:
        raise ValueError("it is no IDX file of unsigned bytes")
    start = 4 + 4 * raw[3]
    if len(raw) < start:
        raise ValueError("it ends within its header")
    shape = struct.unpack(f">{raw[3]}I", raw[4:start])
    return np.frombuffer(raw, np.uint8, offset=start).reshape(shape)


def _cifar_part(source: Path, name: str) -> bytes:
    if source.is_dir():
        return (source / name).read_bytes()
    with tarfile.open(source) as archive:  # read in place: nothing is extracted to paths that an archive chooses
        try:
            member = archive.extractfile(f"{_CIFAR_FOLDER}/{name}")
        except KeyError:
            member = None
        if member is None:
            raise ValueError("the archive lacks it")
        content = member.read(_LARGEST + 1)
        if len(content) > _LARGEST:
            raise ValueError(f"unpacked it has more than {_LARGEST:,} bytes")
        return content


def _cifar_images(source: Path, split: str, parts: dict[str, Any]) -> tuple[Pixels, list[str]]:
    try:
        names = [name.decode("ascii") for name in parts["meta"][b"fine_label_names"]]
        if not all(name.isidentifier() for name in names):  # they become names of folders
            raise ValueError("a label is no plain word")
        pixels, labels = parts[split][b"data"], parts[split][b"fine_labels"]
        planes = np.asarray(pixels, np.uint8).reshape(len(labels), 3, 32, 32)
        return np.ascontiguousarray(planes.transpose(0, 2, 3, 1)), [names[label] for label in labels]
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise DataError(f"{source}: {split} is not what CIFAR-100 has there ({error}). Get it again.") from error


def _mnist_file(source: Path, name: str) -> bytes:
    packed = source / f"{name}.gz"
    if not packed.is_file():
        return (source / name).read_bytes()
    with gzip.open(packed) as file:
        content = file.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise ValueError(f"unpacked it has more than {_LARGEST:,} bytes")
    return content


def _read(source: Path, name: str, fetch: Callable[[Path, str], bytes], parse: Callable[[bytes], Any]) -> Any:
    try:
        return parse(fetch(source, name))
    except (OSError, EOFError, zlib.error, tarfile.TarError, ValueError, pickle.UnpicklingError) as error:
        raise DataError(f"{source}: {name} cannot be read: {error}. Get it again from its publisher.") from error


def _write(folder: Path, images: Pixels, names: Sequence[str]) -> int:
    for number, (pixels, name) in enumerate(zip(images, names, strict=True)):
        (folder / name).mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(folder / name / f"{number:05d}.png")
    return len(names)


_KINDS = {"CIFAR-100": (_is_cifar100, unpack_cifar100), "MNIST": (_is_mnist, unpack_mnist)}
