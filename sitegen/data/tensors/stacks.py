"""The tensors of single images as one array: in memory, or, where there are too many, mapped from a file.

A mapped array is read from the disk as it is used, and the system keeps as much of it in memory as there is room for.
Its file lies beside the tensors that it repeats,

    <files>-<role>.npy

where `files` is the SHA-256 of the names of these, so that another list of images is another file, and the same list
is not copied twice.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Tensors = dict[str, NDArray[np.float32]]

IN_MEMORY = 4 * 2**30
"""Bytes of all roles together, up to which arrays are held in memory."""


def stacked(files: Sequence[Path], shapes: Mapping[str, Sequence[int]], folder: Path) -> Tensors:
    """Return by role float32 [files, *shape], of .npz files that hold float32 [1, *shape] for each role.

    Beyond `IN_MEMORY` bytes the arrays are mapped from files in `folder`. Writing to such an array changes nothing on
    the disk.
    """
    whole = {role: (len(files), *shape) for role, shape in shapes.items()}
    if sum(4 * prod(shape) for shape in whole.values()) > IN_MEMORY:
        return _mapped(files, whole, folder)
    arrays = {role: np.empty(shape, np.float32) for role, shape in whole.items()}
    _fill(arrays, files)
    return arrays


def _mapped(files: Sequence[Path], shapes: Mapping[str, tuple[int, ...]], folder: Path) -> Tensors:
    names = sha256("\n".join(file.name for file in files).encode()).hexdigest()
    places = {role: folder / f"{names}-{role}.npy" for role in shapes}
    missing = {role: place for role, place in places.items() if not place.exists()}
    if missing:
        # An interrupted run leaves no half file under the final name.
        partial = {role: place.with_suffix(f".{os.getpid()}.tmp") for role, place in missing.items()}
        try:
            _fill_files({role: (place, shapes[role]) for role, place in partial.items()}, files)
            for role, place in missing.items():
                partial[role].replace(place)
        finally:
            for place in partial.values():
                place.unlink(missing_ok=True)
    return {role: np.load(place, mmap_mode="c") for role, place in places.items()}


def _fill_files(places: Mapping[str, tuple[Path, tuple[int, ...]]], files: Sequence[Path]) -> None:
    arrays = {
        role: np.lib.format.open_memmap(place, "w+", np.float32, shape) for role, (place, shape) in places.items()
    }
    _fill(arrays, files)
    for array in arrays.values():
        array.flush()


def _fill(arrays: Mapping[str, NDArray[np.float32]], files: Sequence[Path]) -> None:
    for index, tensors in enumerate(_read(files)):
        for role, array in arrays.items():
            array[index] = tensors[role][0]


def _read(files: Sequence[Path]) -> Iterator[Tensors]:
    for file in files:
        with np.load(file) as tensors:
            yield tensors
