"""Good files of every kind of picture, and endless damaged copies: changed blindly, or so that checksums stay right."""

import random
import struct
import zlib
from collections.abc import Callable, Iterator

from sitegen_runtime.errors import ImageError
from sitegen_runtime.formats import inspect_image
from tests.helpers.runtime.images import KINDS, chunk, decoded, encode_png, picture, random_samples, saved

Chance = random.Random
_KEEP_BELOW = 1 << 20
"""Pixels. A header that says more is answered by what is too large, and hundreds of those tell nothing more."""


def good_files() -> dict[str, bytes]:
    """Small pictures by name, the first word of which is their kind: each way of coding that is read."""
    files = {f"png type {kind}, {bits} bits": _png(kind, bits) for kind, bits in KINDS}
    files["png interlaced"] = encode_png(random_samples(2, 45, 67, 2, 8), 2, 8, interlaced=True)
    files["png in parts"] = encode_png(random_samples(3, 45, 67, 0, 16), 0, 16, idat_size=500)
    for mode in ("L", "RGB"):
        for name, options in _JPEG.items():
            files[f"jpeg {mode}, {name}"] = saved(picture(150, 101, mode), "JPEG", **options)
    for name, options in _WEBP.items():
        files[f"webp {name}"] = saved(picture(122, 97), "WEBP", **options)
    files["webp with alpha"] = saved(picture(122, 97, "RGBA"), "WEBP", quality=70)
    return files


_JPEG: dict[str, dict[str, object]] = {
    "plain": {"quality": 85},
    "progressive": {"quality": 70, "progressive": True},
    "restarts": {"quality": 90, "restart_marker_blocks": 3},
    "optimised": {"quality": 40, "optimize": True},
    "all colour": {"quality": 95, "subsampling": 0},
}
_WEBP: dict[str, dict[str, object]] = {
    "lossy": {"quality": 60},
    "fine": {"quality": 97, "method": 6},
    "lossless": {"lossless": True},
    "fast lossless": {"lossless": True, "method": 0, "quality": 0},
    "turned": {"quality": 80, "exif": b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"},
    "animated": {"save_all": True, "append_images": [picture(122, 97, seed=1)]},
}


def _png(kind: int, bits: int) -> bytes:
    palette = chunk(b"PLTE", random.Random(bits).randbytes(3 << bits)) if kind == 3 else b""
    return encode_png(random_samples(kind + bits, 45, 67, kind, bits), kind, bits, before=palette)


def mutated(seed: int, count: int) -> Iterator[tuple[str, bytes]]:
    """`count` damaged files with names: half of them changed blindly, half so that lengths and checksums stay right."""
    chance, files = random.Random(seed), good_files()
    kinds = {kind: [name for name in files if name.startswith(kind)] for kind in ("png", "jpeg", "webp")}
    for number in range(count):
        kind = ("png", "jpeg", "webp")[number % 3]
        name = chance.choice(kinds[kind])
        change = chance.choice((_anywhere, _SKILLED[kind]))
        data = files[name]
        for _ in range(chance.choice((1, 1, 1, 2, 5))):
            data = change(data, chance) or data
        yield f"{number} {name}", data


def _anywhere(data: bytes, chance: Chance) -> bytes:
    """Cut, flip, overwrite, insert, leave out, zero, repeat or exchange some bytes."""
    at, length = chance.randrange(len(data)), chance.choice((1, 2, 4, 16, 200, 2_000))
    end, other = at + length, chance.randrange(len(data))
    changes: tuple[Callable[[], bytes], ...] = (
        lambda: data[:at],
        lambda: data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :],
        lambda: data[:at] + chance.randbytes(len(data[at:end])) + data[end:],
        lambda: data[:at] + chance.randbytes(length) + data[at:],
        lambda: data[:at] + data[end:],
        lambda: data[:at] + bytes(len(data[at:end])) + data[end:],
        lambda: data[:at] + data[at:end] + data[at:],
        lambda: data[:at] + data[other : other + length] + data[end:],
    )
    return chance.choice(changes)()


def _png_with_right_sums(data: bytes, chance: Chance) -> bytes:
    """Change a chunk, or the bytes beneath the compression, and put all sums right."""
    parts = _png_chunks(data)
    if not parts:
        return data
    which = chance.randrange(len(parts))
    name, body = parts[which]
    if name == b"IDAT" and chance.random() < 0.7:
        try:
            body = _packed_anew(zlib.decompress(b"".join(part for kind, part in parts if kind == name)), chance)
        except zlib.error:
            return data
        parts = [part for part in parts if part[0] != name]
        which = next((at for at, part in enumerate(parts) if part[0] == b"IEND"), len(parts))
        parts.insert(which, (name, body))
    elif chance.random() < 0.2:
        parts.insert(chance.randrange(len(parts)), parts[which])
    else:
        parts[which] = (name, _anywhere(body, chance) if body else chance.randbytes(4))
    changed = data[:8] + b"".join(chunk(*part) for part in parts)
    sides = struct.unpack(">II", changed[16:24]) if len(changed) > 24 else (0, 0)
    return changed if sides[0] * sides[1] < _KEEP_BELOW or chance.random() < 0.05 else data


def _png_chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    parts, at = [], 8
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        name = data[at + 4 : at + 8]
        if at + 12 + length > len(data) or not name.isalpha():
            return []
        parts.append((name, data[at + 8 : at + 8 + length]))
        at += 12 + length
    return parts


def _packed_anew(rows: bytes, chance: Chance) -> bytes:
    """Rows that are changed, in a stream that is right, or promises too small a window, or breaks off."""
    changed = _anywhere(rows, chance) if chance.random() < 0.7 else rows
    packer = zlib.compressobj(chance.choice((0, 1, 6, 9)), wbits=chance.choice((9, 12, 15)))
    packed = packer.compress(changed) + packer.flush(chance.choice((zlib.Z_FINISH,) * 4 + (zlib.Z_FULL_FLUSH,)))
    if chance.random() < 0.2:
        window = chance.randrange(8) << 4 | 8
        packed = bytes([window, 31 - (window << 8) % 31]) + packed[2:]
    return packed


def _jpeg_within(data: bytes, chance: Chance) -> bytes:
    """Change what a marker says, or some of a scan, without making a marker or taking one away."""
    scan = data.find(b"\xff\xda")
    start = 2 if scan < 0 or chance.random() < 0.4 else scan
    end = len(data) - 2
    if end - start < 8:
        return data
    at = chance.randrange(start, end)
    length = min(chance.choice((1, 2, 8, 64)), end - at)
    new = bytes(byte if byte == 0xFF else chance.randrange(255) for byte in data[at : at + length])
    return data[:at] + new + data[at + length :]


def _webp_with_right_lengths(data: bytes, chance: Chance) -> bytes:
    """Change the bitstream, and put the lengths around it right."""
    start = next((at for at in (data.find(b"VP8L"), data.find(b"VP8 ")) if at >= 0), -1) + 8
    if start < 8 or start >= len(data):
        return data
    head = chance.choice((start, start, start + 10, start + 60))
    frame = data[start:head] + _anywhere(data[head:] or b"\0", chance)
    padded = frame + b"\0" * (len(frame) % 2)
    changed = data[: start - 4] + len(frame).to_bytes(4, "little") + padded
    return changed[:4] + (len(changed) - 8).to_bytes(4, "little") + changed[8:]


_SKILLED: dict[str, Callable[[bytes, Chance], bytes]] = {
    "png": _png_with_right_sums,
    "jpeg": _jpeg_within,
    "webp": _webp_with_right_lengths,
}


def broken_off(webp: bytes) -> bytes:
    """A damaged copy that passes every check of its structure, and that a decoder gives up in the midst of it."""
    for seed in range(1_000):
        damaged = _webp_with_right_lengths(webp, Chance(seed))
        try:
            image = inspect_image(damaged)
        except ImageError:
            continue
        try:
            decoded(image.payload)
        except OSError:
            return damaged
    raise AssertionError("no damage was found that only decoding tells")
