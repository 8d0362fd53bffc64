"""Pixels to tensors: every network input of a bundle, in one pass over the rows of the image.

The caller asks for the `window` of the stored image that is needed at all, hands over its rows from the top, and takes
the tensors. Rows may come in strips of any height, so memory does not grow with the image.
"""

from __future__ import annotations  # array[float] is a name for type checkers until Python 3.12

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TypeAlias

from sitegen_runtime.bundle.model import NetworkInput
from sitegen_runtime.errors import TooSmall
from sitegen_runtime.pixels.area_average import AreaAverage
from sitegen_runtime.pixels.colour_sample import ColourSample
from sitegen_runtime.pixels.geometry import Place, orient, stored_place, upright_size
from sitegen_runtime.pixels.luma import colour_planes, first_plane, luma, paired_plane, sample_planes
from sitegen_runtime.pixels.tensor import to_tensor
from sitegen_runtime.pixels.views import View, padded, view
from sitegen_runtime.requests import COLOURS, FIRST, LUMA, PAIR, CellGrid

_Pixels: TypeAlias = "tuple[int, int, int, int]"  # left, top, width and height
SMALLEST_SIDE = 16  # pixels of the shorter side; less than this holds no picture of anything


@dataclass(frozen=True)
class PixelFormat:
    """How the rows of a decoded image are stored.

    `channels` is 4 for RGBA (whose alpha is ignored), 3 for RGB, 1 for grey; samples are interleaved, unsigned, of
    `sample_bits` 8 or 16 (little-endian). `grey` says that red, green and blue are known to be equal. Four channels of
    16 bits are RGBA of 8 whose red is the upper and green the lower byte of a grey sample.
    """

    channels: int
    sample_bits: int = 8
    grey: bool = False

    @property
    def pixel_bytes(self) -> int:
        """Bytes from one pixel to the next."""
        return 4 if self.is_paired else self.channels * self.sample_bits // 8

    @property
    def is_paired(self) -> bool:
        """Whether a sample of 16 bits lies in two channels of 8."""
        return self.channels == 4 and self.sample_bits == 16

    @property
    def colour_channels(self) -> int:
        """How many planes differ: 3, or 1 where the image is grey."""
        return 1 if self.grey or self.channels == 1 else 3

    @property
    def full_scale(self) -> int:
        """The largest sample."""
        return (1 << self.sample_bits) - 1


@dataclass(frozen=True)
class _Target:
    """One network input on its way: the part of the stored image that it sees, and the averages of its planes."""

    role: str
    network_input: NetworkInput
    view: View  # of the upright image
    place: _Pixels  # in the stored image
    averages: tuple[AreaAverage, ...]

    def add(self, planes: tuple[int, ...], grey: int) -> None:
        for average, plane in zip(
            self.averages, planes if self.network_input.colour == "rgb" else (grey,), strict=True
        ):
            average.add(plane)


class Preprocessor:
    """Collects the exact area averages of one image for several networks at once."""

    def __init__(
        self,
        width: int,
        height: int,
        orientation: int,
        pixels: PixelFormat,
        inputs: Mapping[str, NetworkInput],
        colour: ColourSample | None = None,
    ) -> None:
        """Plan for a stored image of `width` x `height` and the network inputs by role.

        `colour` is shown the rows, but of an image whose red, green and blue are known to be equal.
        Raises TooSmall where the shorter side has less than SMALLEST_SIDE pixels.
        """
        if min(width, height) < SMALLEST_SIDE:
            raise TooSmall(
                f"The image is {width} x {height} pixels; at least {SMALLEST_SIDE} x {SMALLEST_SIDE} are needed. "
                "Use the original image, not a thumbnail."
            )
        self._orientation, self._pixels = orientation, pixels
        upright = upright_size(width, height, orientation)
        self.views = {role: view(*upright, entry) for role, entry in inputs.items()}
        self._targets = [
            self._target(role, entry, stored_place(self.views[role].seen, width, height, orientation))
            for role, entry in inputs.items()
        ]
        self._targets.sort(key=_place_of)
        places = [target.place for target in self._targets]
        self._left, self._top = min(place[0] for place in places), min(place[1] for place in places)
        self._width = max(left + across for left, _, across, _ in places) - self._left
        self._height = max(top + down for _, top, _, down in places) - self._top
        self._row = self._top
        self._colour = colour if pixels.colour_channels > 1 else None
        if self._colour:
            self._colour.expect(self._width, self._height, pixels.channels, pixels.sample_bits)

    def _target(self, role: str, entry: NetworkInput, place: Place) -> _Target:
        channels = self._pixels.colour_channels if entry.colour == "rgb" else 1
        seen = self.views[role]
        columns, rows = upright_size(seen.columns, seen.rows, self._orientation)  # a transposition is its own way back
        pixels = (int(place.left), int(place.top), int(place.width), int(place.height))
        averages = tuple(AreaAverage(*pixels[2:], columns, rows) for _ in range(channels))
        return _Target(role, entry, seen, pixels, averages)

    @property
    def window(self) -> tuple[int, int, int, int]:
        """Left, top, width and height of the part of the stored image that any network sees."""
        return self._left, self._top, self._width, self._height

    def add_rows(self, rows: bytes | memoryview) -> None:
        """Take the next rows of the window: whole rows of `window[2]` pixels each, in the announced pixel format."""
        stride = self._width * self._pixels.pixel_bytes
        view = memoryview(rows)
        for start in range(0, len(view), stride):
            self._add_row(view[start : start + stride])

    def _add_row(self, row: memoryview) -> None:
        size = self._pixels.pixel_bytes
        if self._colour:
            self._colour.take(self._row - self._top, row)
        for (left, top, width, height), targets in groupby(self._targets, key=_place_of):
            if top <= self._row < top + height:
                start = left - self._left
                planes = self._planes(row[start * size : (start + width) * size], width)
                grey = luma(planes, width)
                for target in targets:
                    target.add(planes, grey)
        self._row += 1

    def _planes(self, part: memoryview, width: int) -> tuple[int, ...]:
        pixels = self._pixels
        if pixels.is_paired:
            return (paired_plane(part, width),)
        if pixels.channels == 4:
            return (first_plane(part, width),) if pixels.grey else colour_planes(part, width)
        return sample_planes(part, width, pixels.channels, pixels.sample_bits)

    def grids(self) -> tuple[CellGrid, ...]:
        """Return what each network input needs of an image that has been decoded to RGBA."""
        return tuple(self._grid(target) for target in self._targets)

    def _grid(self, target: _Target) -> CellGrid:
        (average, *_) = target.averages
        return CellGrid(*target.place, average.columns, average.rows, self._samples(target))

    def _samples(self, target: _Target) -> str:
        if self._pixels.is_paired:
            return PAIR
        if self._pixels.grey:
            return FIRST
        return COLOURS if len(target.averages) > 1 else LUMA

    def enter(self, sums: Sequence[float]) -> None:
        """Take the sums of all `grids`, as `SumCells` gives them, instead of rows."""
        start = 0
        for target in self._targets:
            for average in target.averages:
                count = average.columns * average.rows
                average.sums = list(sums[start : start + count])
                start += count

    def tensors(self) -> dict[str, array[float]]:
        """Return the float32 NCHW values of each network input by role, once all rows of the window were added."""
        return {target.role: self._tensor(target) for target in self._targets}

    def _tensor(self, target: _Target) -> array[float]:
        entry = target.network_input
        planes = [orient(average.sums, average.columns, self._orientation) for average in target.averages]
        if len(planes) < entry.shape[1]:  # a grey image for a colour network
            planes = planes * entry.shape[1]
        _, _, width, height = target.place
        return padded(to_tensor(planes, width * height * self._pixels.full_scale, entry), target.view, entry)


def _place_of(target: _Target) -> _Pixels:
    return target.place
