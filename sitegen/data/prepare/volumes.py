"""NIfTI volumes: their slices, as pictures hold them or as files of their own, and masks that say which to take.

A volume is brought to the axes right, anterior, superior first, by exchanging and turning axes alone. Slices are
counted from 0 along these: from the left, from behind, from below. In pictures the patient's right is at the left
edge, front or head at the upper one; sagittal pictures look to the left.
"""

import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sitegen.errors import DataError, SettingsError
from sitegen.prediction.reading import LARGEST_FILE, read_image_file

AXES = {"sagittal": 0, "coronal": 1, "axial": 2}
_SAME_PLACE = 1e-3
"""How far apart, in the units of the file (millimetres), voxels of a volume and of its mask may be."""
_ZIPPED = b"\x1f\x8b"

Slice = NDArray[np.float64]


@dataclass(frozen=True)
class Volume:
    """A volume of voxels [right, anterior, superior], as stored; a value is `voxel * slope + inter`."""

    voxels: NDArray[Any]
    affine: NDArray[np.float64]
    slope: float
    inter: float

    def values(self, axis: str, index: int) -> Slice:
        """Return a slice's values as a picture has them, [height, width]. Raises DataError for what is no number."""
        values = self._scaled(np.take(self.voxels, index, AXES[axis]))
        if wrong := int(np.count_nonzero(~np.isfinite(values))):
            raise DataError(f"Slice {index} ({axis}) has {wrong} values that are no numbers. Replace them first.")
        return values[::-1, ::-1].T  # right or anterior to the left edge, anterior or superior to the upper one

    def range(self) -> tuple[float, float]:
        """Return the least and the greatest value. Raises DataError for what is no number."""
        ends = self._scaled(np.array([self.voxels.min(), self.voxels.max()]))
        if not np.isfinite(ends).all():
            raise DataError("It has values that are no numbers. Replace them first.")
        return float(ends.min()), float(ends.max())

    def count(self, axis: str) -> int:
        """Return how many slices there are along an axis."""
        return int(self.voxels.shape[AXES[axis]])

    def _scaled(self, voxels: NDArray[Any]) -> NDArray[np.float64]:
        return voxels.astype(np.float64) * self.slope + self.inter


def require_nibabel() -> None:
    """Raise SettingsError where the package that reads NIfTI is not installed."""
    if find_spec("nibabel") is None:
        raise SettingsError("NIfTI files are read by nibabel, which is missing: pip install 'offline-sitegen[anomaly]'")


def read_volume(raw: bytes) -> Volume:
    """Return the volume in a NIfTI file's bytes, compressed with gzip or not. Raises DataError."""
    image, voxels = _image(_unzipped(raw))
    shape = image.shape
    if len(shape) > 3 and all(side == 1 for side in shape[3:]):
        shape = shape[:3]
    if len(shape) not in (2, 3) or 0 in shape:
        raise DataError(f"It has the shape {'x'.join(map(str, image.shape))}, and is no single volume.")
    voxels = voxels.reshape((*shape, 1)[:3])
    if voxels.dtype.kind not in "iuf":
        raise DataError(f"Its voxels are of the type {voxels.dtype}, and whole or real numbers are read.")
    orientations = import_module("nibabel.orientations")
    turned = orientations.io_orientation(image.affine)
    if np.isnan(turned).any():
        raise DataError("Its affine does not say where its axes point. Give it one.")
    affine = image.affine @ orientations.inv_ornt_aff(turned, voxels.shape)
    slope, inter = float(image.dataobj.slope), float(image.dataobj.inter)
    return Volume(orientations.apply_orientation(voxels, turned), affine, slope, inter)


def touched(mask: Volume, volume: Volume, axis: str, labels: Sequence[int]) -> Iterator[tuple[int, NDArray[np.bool_]]]:
    """Yield the slices that a mask touches: each index, and where, as a picture has it.

    `labels` are the mask's values that count; none of them stands for all but 0. Raises DataError where the mask is
    not of the volume's shape and place.
    """
    if mask.voxels.shape != volume.voxels.shape:
        shapes = ["x".join(map(str, each.voxels.shape)) for each in (mask, volume)]
        raise DataError(f"Its mask has {shapes[0]} voxels, and it has {shapes[1]}. Resample one to the other.")
    if not np.allclose(mask.affine, volume.affine, atol=_SAME_PLACE, rtol=0):
        raise DataError("Its mask lies elsewhere in space: the affines differ. Resample one to the other.")
    for index in range(mask.count(axis)):
        values = mask.values(axis, index)
        where = np.isin(values, labels) if labels else values != 0
        if where.any():
            yield index, where


def read_mask(path: Path) -> Volume:
    """Return a mask's volume. Raises DataError, or `sitegen_runtime.errors.AnalysisError`."""
    try:
        return read_volume(read_image_file(path))
    except DataError as error:
        raise DataError(f"Its mask {path.name}: {error}") from error


def slice_file(volume: Volume, axis: str, index: int) -> bytes:
    """Return a slice as a NIfTI file, one voxel thick, in its place in space, with values as they were."""
    nifti = import_module("nibabel.nifti1")
    where = [slice(None)] * 3
    where[AXES[axis]] = slice(index, index + 1)
    affine = volume.affine.copy()
    affine[:3, 3] += affine[:3, AXES[axis]] * index
    image = nifti.Nifti1Image(np.ascontiguousarray(volume.voxels[tuple(where)]), affine)
    image.header.set_slope_inter(volume.slope, volume.inter)
    # The packed file says nothing of when it was made, so that it is the same every time.
    return gzip.compress(image.to_bytes(), 6, mtime=0)


def _image(raw: bytes) -> tuple[Any, NDArray[Any]]:
    nibabel = import_module("nibabel")
    kind = nibabel.Nifti2Image if raw[4:7] == b"n+2" else nibabel.Nifti1Image
    try:
        image = kind.from_bytes(raw)
        return image, image.dataobj.get_unscaled()
    except MemoryError:
        raise
    except Exception as error:  # of the many that nibabel and what it calls may raise
        raise DataError(f"It is no NIfTI file that can be read: {error}. Get it again.") from error


def _unzipped(raw: bytes) -> bytes:
    if not raw.startswith(_ZIPPED):
        return raw
    try:
        with gzip.open(io.BytesIO(raw)) as file:
            data = file.read(LARGEST_FILE + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"It cannot be unpacked: {error}. Get it again.") from error
    if len(data) > LARGEST_FILE:
        raise DataError(f"Unpacked it has more than {LARGEST_FILE:,} bytes. Cut it into parts.")
    return data
