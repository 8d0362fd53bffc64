"""What an analysis asks of the machine it runs on.

`analysis.analyse`, `gradient.differentiate` and `explanation.explain` are generators that do no input or output: they
yield these requests and are sent the answers. In CPython a short loop answers them with Pillow and native ONNX Runtime;
in the page the worker answers them with a canvas and ONNX Runtime Web. So the order of steps, and everything computed
between them, exists once.
"""

from __future__ import annotations  # array[float] is a name for type checkers until Python 3.12

from array import array
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """The stage that begins or goes on, and how much of it is done (0..1). The answer is None.

    The moment to let other events in: a driver that was asked to stop throws `Cancelled` here.
    """

    stage: str
    done: float


@dataclass(frozen=True)
class OpenImage:
    """Decode the payload, an opaque 8-bit image, as stored: no colour management, no orientation.

    The answer is (width, height). Where the decoder refuses it, the driver throws `DamagedImage`.
    """

    media_type: str
    payload: bytes


@dataclass(frozen=True)
class ReadRows:
    """Give a rectangle of the open image. The answer is its RGBA bytes, row by row."""

    left: int
    top: int
    width: int
    height: int


@dataclass(frozen=True)
class ReadPixels:
    """Give single pixels of the open image: those where `rows` and `columns` meet. The answer is as for `ReadRows`."""

    rows: range
    columns: range


FIRST, LUMA, COLOURS, PAIR = "first", "luma", "colours", "pair"
"""What samples a pixel of R, G and B has (`CellGrid.samples`): R, the luma, all three apart, or one of 256 R + G."""


@dataclass(frozen=True)
class CellGrid:
    """A rectangle of the open image, parted into `columns` x `rows` cells."""

    left: int
    top: int
    width: int
    height: int
    columns: int
    rows: int
    samples: str

    @property
    def planes(self) -> int:
        """How many sums each cell has."""
        return 3 if self.samples == COLOURS else 1


@dataclass(frozen=True)
class SumCells:
    """Add the samples of the open image up, cell by cell, exactly as `pixels.luma` and `pixels.area_average` define it.

    The answer is a flat sequence of whole numbers below 2**53: for each grid, plane by plane, the sums of its cells row
    by row, in units of 1 / (columns * rows) pixel.
    """

    grids: tuple[CellGrid, ...]


@dataclass(frozen=True)
class DecodeFrame:
    """Decode one compressed frame of grey cells by the codec of that name (`formats.dicom.syntaxes`).

    The codestream's own size and precision have been read and are given: a decoder that finds others refuses. The
    answer is the cells as the codestream has them, row by row, one byte each for a precision of up to 8 bits, else two,
    the lower first; of signed codestreams two's complement in as many bytes. Where the codec refuses the frame, the
    driver throws `DamagedImage`; where there is no such codec, `UnsupportedType`.
    """

    codec: str
    frame: bytes
    columns: int
    rows: int
    precision: int


@dataclass(frozen=True)
class ShadeCells:
    """Look every cell of a frame up in a table of shades. The answer is 8-bit luma, row by row, a byte a pixel.

    Cells are unsigned, of `cell_bytes` 1 or 2, the lower byte first; `table` has a shade for each there can be, 256 or
    65,536. A driver that draws keeps the answer: it is the whole picture, as it is analysed.
    """

    width: int
    height: int
    cell_bytes: int
    cells: bytes | memoryview
    table: bytes


@dataclass(frozen=True)
class LoadGraph:
    """Make the network of a role ready to run, where it is not yet. The answer is None."""

    role: str


@dataclass(frozen=True)
class ReadFile:
    """Give a file of the bundle by its name there. The answer is its bytes."""

    name: str


@dataclass(frozen=True)
class Feed:
    """One float32 input of a network: its name there, its shape, and its values, flat and in row-major order."""

    name: str
    shape: tuple[int, ...]
    values: array[float]


@dataclass(frozen=True)
class RunGraph:
    """Run the network of a role on these inputs.

    The answer maps the names of `outputs` to their float32 values, flat and in row-major order. With `reference` the
    network runs on WebAssembly, wherever else it is ready (see `golden`); CPython has only one of each.
    """

    role: str
    feeds: tuple[Feed, ...]
    outputs: tuple[str, ...]
    reference: bool = False


@dataclass(frozen=True)
class Sketch:
    """What was asked for, as far as it has come: here a map after some of its runs. The answer is None.

    `made` is the map's `explanation.Explained`. A driver that shows nothing before the end passes over it.
    """

    made: object


Pixels = OpenImage | ReadRows | ReadPixels | SumCells | DecodeFrame | ShadeCells
Question = Progress | Pixels | LoadGraph | ReadFile | RunGraph
Request = Question | Sketch
