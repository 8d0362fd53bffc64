"""Many images projected, one after another or in batches: files for each, and nothing done twice.

In the folder:

    projection.json       how it is done; another run must say the same
    images/NAME.png       the image as the generator's size has it
    reconstructions/NAME.png
    errors/NAME.png       where both differ: |image − reconstruction|, black for none, white for the whole range
    videos/NAME.png       the way there, where it was asked for
    latents/NAME.npz      what `sitegen generate --latents` takes, and the distances on the way; written last
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sitegen.data.images import inspected
from sitegen.data.layouts.class_folders import images_below
from sitegen.data.tensors.cache import image_tensors
from sitegen.errors import DataError, SettingsError
from sitegen.generation.pictures import as_picture
from sitegen.generation.projection.torch_engine import Fitted
from sitegen.generation.projection.video import write_video
from sitegen.prediction.reading import read_image_file
from sitegen_runtime.bundle.model import NetworkInput
from sitegen_runtime.errors import AnalysisError
from sitegen_runtime.pixels.geometry import upright_size
from sitegen_runtime.projection.schedule import Wish

SCHEMA = "sitegen.projection/1"
DOCUMENT = "projection.json"
IMAGES, RECONSTRUCTIONS, ERRORS, VIDEOS, LATENTS = "images", "reconstructions", "errors", "videos", "latents"

Values = NDArray[np.float32]
Fit = Callable[[Values], Fitted]
"""Projects a batch of images [N, C, side, side]."""


@dataclass(frozen=True)
class Work:
    """What is projected, where to, by what: `made_by` is plain data that names generator, engine and loss.

    With `video`, what fits must give frames.
    """

    images: Sequence[tuple[str, Path]]
    out: Path
    image: NetworkInput
    wish: Wish
    made_by: dict[str, Any]
    crop: bool = False
    batch: int = 1
    video: bool = False


@dataclass(frozen=True)
class Done:
    """An image that was projected, or why it was not, or that it was there already (`distance` None)."""

    name: str
    distance: float | None = None
    problem: str | None = None


def named_images(places: Sequence[Path]) -> list[tuple[str, Path]]:
    """Return all images that files and folders hold, by their names in the folder without ending.

    Raises DataError where there is none, or two have one name.
    """
    found: dict[str, Path] = {}
    for place in places:
        if not place.exists():
            raise DataError(f"{place} does not exist. Name an image, or a folder of images.")
        for path in images_below(place) if place.is_dir() else [place]:
            name = (path.relative_to(place) if place.is_dir() else Path(path.name)).with_suffix("").as_posix()
            if name in found:
                raise DataError(f"{found[name]} and {path} have one name, {name!r}. Rename one, or project it apart.")
            found[name] = path
    if not found:
        raise DataError(f"{', '.join(map(str, places))}: there are no images there (PNG, JPEG, WebP, DICOM).")
    return sorted(found.items())


def project_all(work: Work, fit: Fit) -> Iterator[Done]:
    """Project what is not there yet, and yield each image when its files are written.

    Raises SettingsError where the folder holds projections by other settings.
    """
    _same_settings(work)
    waiting = []
    for name, path in work.images:
        if _latents(work.out, name).is_file() and (not work.video or _video(work.out, name).is_file()):
            yield Done(name)
        else:
            waiting.append((name, path))
    usable: list[tuple[str, Values]] = []
    for name, path in waiting:
        values, problem = _read(path, work)
        if values is None:
            yield Done(name, problem=problem)
            continue
        usable.append((name, values))
        if len(usable) == work.batch:
            yield from _write(work, usable, fit)
            usable = []
    if usable:
        yield from _write(work, usable, fit)


def _read(path: Path, work: Work) -> tuple[Values | None, str | None]:
    """The image as the generator's size has it, or what is wrong with it."""
    try:
        raw = read_image_file(path)
        picture = inspected(raw)
        width, height = upright_size(picture.width, picture.height, picture.orientation)
        if width != height and not work.crop:
            side = work.image.side
            return None, (
                f"{path} is {width} x {height} pixels, and the generator draws {side} x {side}. Give it a square shape "
                "(sitegen data resize), or project its centred square: --crop"
            )
        return image_tensors(raw, {"generator": work.image})["generator"][0], None
    except AnalysisError as error:
        return None, f"{path}: {error}"


def _write(work: Work, batch: Sequence[tuple[str, Values]], fit: Fit) -> Iterator[Done]:
    wanted = np.stack([values for _, values in batch])
    found = fit(wanted)
    for at, (name, values) in enumerate(batch):
        image, made = as_picture(values), as_picture(found.images[at])
        error = np.abs(image.astype(np.int16) - made).astype(np.uint8)
        for folder, picture in ((IMAGES, image), (RECONSTRUCTIONS, made), (ERRORS, error)):
            path = work.out / folder / f"{name}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(picture).save(path)
        if work.video:
            write_video(image, [frame[at] for frame in found.frames], made, _video(work.out, name))
        _save_latents(_latents(work.out, name), found, at)
        yield Done(name, float(found.distances[-1, at]))


def _save_latents(path: Path, found: Fitted, at: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.unfinished")
    with unfinished.open("wb") as file:
        np.savez(
            file,
            latents=found.latents[at : at + 1],
            noise=found.noise[at : at + 1],
            distances=found.distances[:, at],
        )
    unfinished.replace(path)


def _latents(out: Path, name: str) -> Path:
    return out / LATENTS / f"{name}.npz"


def _video(out: Path, name: str) -> Path:
    return out / VIDEOS / f"{name}.png"


def _same_settings(work: Work) -> None:
    wanted = {"schema": SCHEMA, **asdict(work.wish), "crop": work.crop, **work.made_by}
    path = work.out / DOCUMENT
    if path.is_file():
        there = _document(path)
        if differing := [key for key in wanted if there.get(key) != wanted[key]]:
            told = ", ".join(f"{key} {there.get(key)!r} instead of {wanted[key]!r}" for key in differing)
            raise SettingsError(f"{work.out} holds projections made otherwise: {told}. Name another folder.")
        return
    work.out.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(wanted, indent=1) + "\n", encoding="utf-8")


def _document(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise SettingsError(f"{path} is damaged: {error}. Name another folder, or take it away.") from error
    return document if isinstance(document, dict) else {}


def digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    return sha256(path.read_bytes()).hexdigest()
