"""Images for the tests of file formats: a PNG encoder that can do what Pillow's cannot, and damage by seed."""

import io
import random
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

Samples = npt.NDArray[np.integer[Any]]
FilterChoice = Callable[[int], int]

SIGNATURE = b"\x89PNG\r\n\x1a\n"
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
KINDS = [(colour_type, bits) for colour_type, depths in DEPTHS.items() for bits in depths]
ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def chunk(name: bytes, body: bytes) -> bytes:
    """A PNG chunk with its length and checksum."""
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def random_samples(seed: int, height: int, width: int, colour_type: int, bits: int) -> Samples:
    """Smooth noise, height x width x channels, in the whole range of `bits`."""
    noise = np.random.default_rng(seed).integers(-3, 4, (height, width, CHANNELS[colour_type])).cumsum(axis=1)
    return (noise * (1 if bits <= 8 else 77)) % (1 << bits)


def encode_png(
    samples: Samples,
    colour_type: int,
    bits: int,
    *,
    interlaced: bool = False,
    filter_of: FilterChoice = lambda row: row % 5,
    before: bytes = b"",
    after: bytes = b"",
    idat_size: int = 1 << 30,
) -> bytes:
    """A PNG file of `samples` (height x width x channels); `before` and `after` are chunks around the pixels."""
    height, width = samples.shape[:2]
    header = struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, int(interlaced))
    grid = ADAM7 if interlaced else ((0, 0, 1, 1),)
    parts = [samples[row::row_step, column::step] for column, row, step, row_step in grid]
    raw = b"".join(filtered(part, bits, filter_of) for part in parts if part.size)
    packed = zlib.compress(raw)
    pixels = b"".join(chunk(b"IDAT", packed[at : at + idat_size]) for at in range(0, len(packed), idat_size))
    return SIGNATURE + chunk(b"IHDR", header) + before + pixels + after + chunk(b"IEND", b"")


def filtered(samples: Samples, bits: int, filter_of: FilterChoice) -> bytes:
    """The rows of one pass, each behind its filter type, straight from the formulas of the PNG standard."""
    distance = max(1, samples.shape[2] * bits // 8)
    above: list[int] = []
    result = bytearray()
    for number, row in enumerate(samples):
        line = list(packed_row(row.reshape(-1), bits))
        above = above or [0] * len(line)
        kind = filter_of(number)
        result.append(kind)
        for at, byte in enumerate(line):
            left = line[at - distance] if at >= distance else 0
            corner = above[at - distance] if at >= distance else 0
            result.append((byte - predicted(kind, left, above[at], corner)) % 256)
        above = line
    return bytes(result)


def packed_row(values: Samples, bits: int) -> bytes:
    """A row of samples as PNG stores it: big-endian, the first sample in the highest bits."""
    if bits >= 8:
        return values.astype(">u2" if bits == 16 else "u1").tobytes()
    planes = values[:, None] >> np.arange(bits - 1, -1, -1) & 1
    return np.packbits(planes.astype(np.uint8).reshape(-1)).tobytes()


def predicted(kind: int, left: int, up: int, corner: int) -> int:
    """What a filter of the PNG standard (9.2) subtracts."""
    if kind == 4:
        estimate = left + up - corner
        return min((left, up, corner), key=lambda value: abs(estimate - value))
    return (0, left, up, (left + up) // 2)[kind] if kind < 4 else 0


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    """The bytes of an image file that Pillow writes."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def picture(width: int = 67, height: int = 45, mode: str = "RGB", seed: int = 0, colour: float = 1.0) -> Image.Image:
    """A picture with smooth parts and edges, so that encoders use all that they have.

    `colour` is how much of the differences between its planes is kept: at 0.05 gates of grey images take it.
    """
    random_numbers = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:height, 0:width]
    planes = [128 + 90 * np.sin(rows / 7 + k) * np.cos(columns / (5 + k)) for k in range(len(mode))]
    noise = random_numbers.normal(0, 12, (height, width, len(mode)))
    vivid = np.stack(planes, axis=2) + noise
    grey = vivid.mean(axis=2, keepdims=True)
    values = np.clip(vivid if colour == 1 else grey + colour * (vivid - grey), 0, 255).astype(np.uint8)
    return Image.fromarray(values[:, :, 0] if len(mode) == 1 else values, mode)


def decoded(payload: bytes) -> Samples:
    """What Pillow makes of a file, as an array."""
    with Image.open(io.BytesIO(payload)) as image:
        return np.asarray(image)


def mutations(data: bytes, count: int, seed: int) -> Iterator[bytes]:
    """`count` damaged copies of `data`: bits flipped, parts cut off, taken out, put in, zeroed or exchanged."""
    choose = random.Random(seed)
    for number in range(count):
        broken = bytearray(data)
        start = choose.randrange(len(data))
        length = choose.choice((1, 2, 7, 60, 1000))
        match number % 6:
            case 0:
                broken[start] ^= 1 << choose.randrange(8)
            case 1:
                del broken[start:]
            case 2:
                del broken[start : start + length]
            case 3:
                broken[start:start] = choose.randbytes(length)
            case 4:
                broken[start : start + length] = bytes(len(broken[start : start + length]))
            case _:
                broken[start : start + length] = choose.randbytes(len(broken[start : start + length]))
        yield bytes(broken)
