"""What the verbs of `sitegen data` make of one file: pictures of volumes and DICOM files, other sizes, noise, blur.

Each is a small object with its settings that is called with a source and its bytes, and yields files to write.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from sitegen.data.prepare.pictures import png_of, read_picture, rounded, white_of
from sitegen.data.prepare.sizes import Size, resized
from sitegen.data.prepare.sources import Source
from sitegen.data.prepare.volumes import Volume, read_mask, read_volume, slice_file, touched
from sitegen.data.prepare.windows import Greys, dicom_picture, full_range, graded
from sitegen.data.prepare.work import Made

IMAGES, MASKS = "images", "masks"


@dataclass(frozen=True)
class Windowed:
    """DICOM files to a picture each, NIfTI volumes to a picture for each slice along an axis."""

    greys: Greys
    axis: str = "axial"

    def __call__(self, source: Source, raw: bytes) -> Iterator[Made]:
        """Yield PNG files: `NAME.png` of a DICOM file, `NAME/axial-0000.png` and so on of a volume."""
        if not source.is_volume:
            yield f"{source.stem}.png", png_of(dicom_picture(raw, self.greys))
            return
        volume = read_volume(raw)
        window = _window(volume, self.greys)
        for index in range(volume.count(self.axis)):
            picture = graded(volume.values(self.axis, index), window, self.greys.top)
            yield f"{_place(source, self.axis, index)}.png", png_of(picture)


@dataclass(frozen=True)
class Sliced:
    """Slices of NIfTI volumes: all, or those that a mask touches; as NIfTI files, or as pictures where greys are given.

    With masks, pictures and masks can lie in a folder each, under the same names.
    """

    axis: str
    greys: Greys | None
    labels: tuple[int, ...] = ()
    write_masks: bool = False

    def __call__(self, source: Source, raw: bytes) -> Iterator[Made]:
        """Yield a file for each slice, and one for its mask; none where a mask touches no slice."""
        volume = read_volume(raw)
        window = _window(volume, self.greys) if self.greys else None
        folder = f"{IMAGES}/" if self.write_masks else ""
        for index, where in self._chosen(source, volume):
            place = _place(source, self.axis, index)
            if self.greys and window:
                picture = graded(volume.values(self.axis, index), window, self.greys.top)
                yield f"{folder}{place}.png", png_of(picture)
            else:
                yield f"{folder}{place}.nii.gz", slice_file(volume, self.axis, index)
            if self.write_masks and where is not None:
                yield f"{MASKS}/{place}.png", png_of(where.astype(np.uint8) * np.uint8(255))

    def _chosen(self, source: Source, volume: Volume) -> Iterator[tuple[int, NDArray[np.bool_] | None]]:
        if source.mask is None:
            yield from ((index, None) for index in range(volume.count(self.axis)))
        else:
            yield from touched(read_mask(source.mask), volume, self.axis, self.labels)


@dataclass(frozen=True)
class Resized:
    """Pictures at another size."""

    size: Size

    def __call__(self, source: Source, raw: bytes) -> Iterator[Made]:
        """Yield the picture as `NAME.png`."""
        yield f"{source.stem}.png", png_of(resized(read_picture(raw), self.size))


@dataclass(frozen=True)
class Noisy:
    """Pictures with Gaussian noise, at several levels: standard deviations as shares of white."""

    levels: tuple[float, ...]
    seed: int

    def __call__(self, source: Source, raw: bytes) -> Iterator[Made]:
        """Yield `noise-LEVEL/NAME.png` for each level.

        The draw depends on seed, level and name alone: not on the other files, nor on how many processes share them.
        """
        picture = read_picture(raw)
        name = int.from_bytes(sha256(source.stem.encode()).digest()[:8], "big")
        for level in self.levels:
            draw = np.random.default_rng([self.seed, name, round(level * 1e9)])
            noise = draw.standard_normal(picture.shape) * (level * white_of(picture))
            yield f"noise-{level:g}/{source.stem}.png", png_of(rounded(picture + noise, picture))


@dataclass(frozen=True)
class Blurred:
    """Pictures blurred by a Gaussian, at several widths: standard deviations in pixels."""

    levels: tuple[float, ...]

    def __call__(self, source: Source, raw: bytes) -> Iterator[Made]:
        """Yield `blur-LEVEL/NAME.png` for each level. Beyond its edges a picture goes on mirrored."""
        from scipy.ndimage import gaussian_filter

        picture = read_picture(raw)
        for level in self.levels:
            blurred = gaussian_filter(picture.astype(np.float64), level, axes=(0, 1))
            yield f"blur-{level:g}/{source.stem}.png", png_of(rounded(blurred, picture))


@dataclass(frozen=True)
class Copied:
    """Files as they are, each in the folder that its source names, once they were found whole."""

    def __call__(self, source: Source, raw: bytes) -> Iterator[Made]:
        """Yield the file."""
        read_picture(raw)
        yield f"{source.target}/{source.name}", raw


def _place(source: Source, axis: str, index: int) -> str:
    return f"{source.stem}/{axis}-{index:04}"


def _window(volume: Volume, greys: Greys) -> tuple[Fraction, Fraction]:
    """Centre and width of a volume's window. Raises DataError where the volume has one value alone."""
    return full_range(*volume.range()) if greys.full else greys.window
