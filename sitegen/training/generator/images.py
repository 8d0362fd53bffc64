"""The images that a generator learns from, as whole numbers 0..255 of one size: read once, and kept in the work folder.

    images-<key>.npy      uint8 [N, channels, side, side]
    images-<key>.json     names, classes, and what could not be read

`key` is of the files' names, sizes and times, and of the settings. Images of more than 8 bits are rounded to 8.
"""

import json
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sitegen import parallel
from sitegen.data.prepare.pictures import Pixels, read_picture
from sitegen.data.prepare.sizes import AREA, CROP, STRETCH, Size, resized
from sitegen.data.prepare.sources import Source, find_sources
from sitegen.data.prepare.volumes import read_volume
from sitegen.data.tensors.stacks import IN_MEMORY
from sitegen.errors import DataError
from sitegen.training.generator.settings import GeneratorFile, ImagesSettings
from sitegen_runtime.errors import AnalysisError, TooLarge, UnreadableFile

Bytes = NDArray[np.uint8]
_LARGEST = 1 << 30  # bytes of a file in an archive


@dataclass(frozen=True)
class TrainingImages:
    """uint8 [N, channels, side, side]; the class of each, counted from 0, and their names; what could not be read."""

    pixels: Bytes
    classes: NDArray[np.int64]
    names: tuple[str, ...]
    problems: tuple[tuple[str, str], ...]
    key: str


def read_images(file: GeneratorFile, work: Path, workers: int | None = None) -> TrainingImages:
    """Return the images of a settings file. Raises DataError where there are none, or folders give other classes."""
    sources = [found for name in file.images.places for found in _sources(file.place(name))]
    key = _key(file, sources)
    array, listing = work / f"images-{key}.npy", work / f"images-{key}.json"
    if not listing.exists():
        work.mkdir(parents=True, exist_ok=True)
        _read(file, sources, array, listing, workers)
    document = json.loads(listing.read_text("utf-8"))
    mapped = np.load(array, mmap_mode="r")
    pixels = mapped if mapped.nbytes > IN_MEMORY else np.array(mapped)
    names = sorted(set(document["classes"])) if file.images.classes == "folders" else []
    if file.network.classes != len(names):
        found = f"there are {len(names)} ({', '.join(names[:5])})" if names else "images.classes is none"
        raise DataError(
            f"network.classes is {file.network.classes}, and {found}. Set images.classes and network.classes alike."
        )
    classes = [names.index(name) if names else 0 for name in document["classes"]]
    problems = tuple((name, text) for name, text in document["problems"])
    return TrainingImages(pixels, np.array(classes, np.int64), tuple(names), problems, key)


def _sources(place: Path) -> list[Source]:
    return find_sources(place, pictures=True, volumes=True)


def _read(file: GeneratorFile, sources: Sequence[Source], array: Path, listing: Path, workers: int | None) -> None:
    job = partial(_pictures, images=file.images, side=file.network.side, channels=file.network.channels)
    parts, classes, problems = [], [], []
    for source, made in zip(sources, parallel.each(job, sources, workers), strict=True):
        if isinstance(made, str):
            problems.append((source.name, made))
            continue
        parts.append(made)
        classes += [source.name.split("/")[0] if "/" in source.name else ""] * len(made)
    if not parts:
        raise DataError(f"None of {len(sources)} files can be used. The first: {problems[0][0]}: {problems[0][1]}")
    unfinished = array.with_suffix(".unfinished.npy")
    np.save(unfinished, np.concatenate(parts))
    unfinished.replace(array)
    listing.write_text(json.dumps({"classes": classes, "problems": problems}), encoding="utf-8")


def _pictures(source: Source, images: ImagesSettings, side: int, channels: int) -> Bytes | str:
    """A file's pictures [n, channels, side, side], or what is wrong with it."""
    size = Size(side, side, CROP if images.fit == "crop" else STRETCH, AREA)
    try:
        raw = _bytes(source)
        planes = _slices(raw, images) if source.is_volume else iter([read_picture(raw)])
        made = [_channels(resized(_eight_bits(plane), size), channels) for plane in planes]
    except (AnalysisError, DataError) as error:
        return str(error)
    return np.stack(made)


def _slices(raw: bytes, images: ImagesSettings) -> Iterator[Pixels]:
    volume = read_volume(raw)
    low, high = images.window or volume.range()
    if not low < high:
        raise DataError(f"Its values are from {low:g} to {high:g}, which is no range. Give a window that rises.")
    for index in range(0, volume.count(images.axis), images.every):
        grey = (volume.values(images.axis, index) - low) / (high - low)
        yield np.asarray(np.floor(np.clip(grey, 0, 1) * 255 + 0.5), np.uint8)


def _eight_bits(picture: Pixels) -> Bytes:
    if picture.dtype == np.uint8:
        return np.asarray(picture, np.uint8)
    return np.asarray((picture.astype(np.uint32) + 128) // 257, np.uint8)


def _channels(picture: Pixels, channels: int) -> Bytes:
    """[channels, H, W] of grey or colour; colour becomes grey by ITU-R BT.601's luma."""
    colours = picture[..., None] if picture.ndim == 2 else picture
    if channels == 1 and colours.shape[-1] == 3:
        luma = colours.astype(np.float64) @ np.array([0.299, 0.587, 0.114])
        colours = np.floor(luma + 0.5).astype(np.uint8)[..., None]
    return np.ascontiguousarray(np.broadcast_to(colours, (*colours.shape[:2], channels)).transpose(2, 0, 1), np.uint8)


def _bytes(source: Source) -> bytes:
    """A file's bytes; an archive is opened once a process, for its index can be long."""
    if not source.member:
        return source.read()
    try:
        archive = _archive(source.path)
        if archive.getinfo(source.member).file_size > _LARGEST:
            raise TooLarge(f"{source.member} has more than {_LARGEST:,} bytes. Save the image smaller.")
        return archive.read(source.member)
    except (OSError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, KeyError) as error:
        raise UnreadableFile(f"{source.member} cannot be read: {error}. Get the archive again.") from error


@cache
def _archive(path: Path) -> zipfile.ZipFile:
    return zipfile.ZipFile(path)


def _key(file: GeneratorFile, sources: Sequence[Source]) -> str:
    stats = {path: path.stat() for path in {source.path for source in sources}}
    files = [(s.name, s.member, stats[s.path].st_size, stats[s.path].st_mtime_ns) for s in sources]
    chosen = (file.images.fit, file.images.axis, file.images.window, file.images.every)
    described = (files, chosen, file.network.side, file.network.channels)
    return sha256(repr(described).encode()).hexdigest()[:16]
