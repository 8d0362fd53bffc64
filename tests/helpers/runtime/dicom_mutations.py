"""DICOM files with something changed: in their headers, in their frames, and what becomes of them."""

import random
import struct
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from time import process_time
from typing import Any

import numpy as np
from pydicom.dataset import Dataset

from sitegen.prediction.pixels import shown_frame
from sitegen_runtime.errors import ImageError
from sitegen_runtime.formats import inspect_image
from tests.helpers.dicom_files import LOSSLESS, as_bytes, radiograph, table, without_prefix

LENGTHS = (0, 1, 2, 7, 0x7FFF, 0xFFFE, 0xFFFF, 0x10000, 0x7FFFFFFF, 0xFFFFFFFE, 0xFFFFFFFF)
TAGS = (0x00280010, 0x00280100, 0x00283010, 0x7FE00010, 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD, 0x00020010, 0x00041220)
WORDS = (
    b"1E999999999",
    b"-1e-99",
    b"0",
    b"",
    b"2000,5",
    b"MONOCHROME1",
    b"SIGMOID",
    b"1A",
    b"\xff" * 16,
    b"1.2.840.10008.1.2.4.90",
)


@dataclass
class Outcomes:
    """How often files were shown or refused by which code, and the slowest in seconds of CPU."""

    counts: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0

    def try_out(self, data: bytes) -> None:
        """Show a file. Raises whatever it should not raise."""
        start = process_time()
        try:
            shown_frame(inspect_image(data, max_pixels=1_000_000))
            self.counts["shown"] += 1
        except ImageError as error:
            self.counts[error.code] += 1
        self.slowest = max(self.slowest, process_time() - start)


def small_files() -> list[bytes]:
    """Files with all that a header may have, in every syntax; most in 8 bits, whose tables of shades are soon made."""
    pixels = np.random.default_rng(0).integers(0, 4000, (20, 17), dtype=np.uint16)
    rich: dict[str, Any] = {
        "WindowCenter": [2000, 3],
        "WindowWidth": [3000, 4],
        "VOILUTFunction": "SIGMOID",
        "RescaleSlope": "1.5",
    }
    rich |= {"RescaleIntercept": "-20", "NumberOfFrames": 1, "Modality": "DX", "PatientName": "Doe^Jane"}
    small = (pixels >> 4).astype(np.uint8)
    files = [as_bytes(radiograph(small, syntax, **rich)) for syntax in LOSSLESS]
    files.append(as_bytes(radiograph(pixels, **rich)))
    tables = radiograph(small, ModalityLUTSequence=[table([9, 5, 1], 0, 8)], VOILUTSequence=[table([0, 99, 255], 1, 8)])
    tables.ReferencedImageSequence = [Dataset()]
    tables.add_new("PixelPaddingValue", "US", 7)
    return [*files, as_bytes(tables), without_prefix(tables)]


def altered(data: bytes, chance: random.Random, within: int | None = None) -> bytes:
    """A file with one to four changes before a place; in all of it where there is none."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        _alter(changed, chance, min(len(changed), within or len(changed)))
    return bytes(changed)


def _alter(data: bytearray, chance: random.Random, within: int) -> None:
    if within < 1:
        return
    place, kind = chance.randrange(within), chance.randrange(7)
    if kind == 0:
        data[place] = chance.randrange(256)
    elif kind == 1:
        data[place] ^= 1 << chance.randrange(8)
    elif kind == 2:
        del data[place : place + chance.randrange(1, 40)]
    elif kind == 3:
        data[place:place] = data[chance.randrange(within) :][: chance.randrange(1, 60)]
    elif kind == 4:
        data[place : place + 4] = struct.pack("<I", chance.choice(LENGTHS))
    elif kind == 5:
        tag = chance.choice(TAGS)
        data[place : place + 4] = struct.pack("<HH", tag >> 16, tag & 0xFFFF)
    else:
        word = chance.choice(WORDS)
        data[place : place + len(word)] = word


def altered_headers(seed: int, count: int) -> Iterator[bytes]:
    """Files whose headers are changed; a deflated one is changed as it lies there."""
    chance, files = random.Random(seed), small_files()
    ends = [max(200, len(file) - 700) for file in files]
    for _ in range(count):
        which = chance.randrange(len(files))
        yield altered(files[which], chance, ends[which])


def altered_frames(seed: int, count: int) -> Iterator[bytes]:
    """Files whose compressed frames are changed; headers are as they were."""
    chance = random.Random(seed)
    pixels = np.random.default_rng(1).integers(0, 4000, (48, 40), dtype=np.uint16)
    pixels[:, :20] = np.arange(20, dtype=np.uint16) * 50
    files = [as_bytes(radiograph(pixels, syntax)) for syntax in LOSSLESS[4:]]
    starts = [file.index(b"\xe0\x7f\x10\x00") + 28 for file in files]  # behind the table and the frame's own length
    for _ in range(count):
        which = chance.randrange(len(files))
        file, start = files[which], starts[which]
        yield file[:start] + altered(file[start:-8], chance) + file[-8:]
