"""The preview of augmentation: which images of a data set, prepared as the recipe has it, changed how."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sitegen.data.dataset import read_records
from sitegen.data.layouts.known import read_dataset
from sitegen.data.layouts.label_styles import Findings
from sitegen.data.records import Record, select
from sitegen.data.tensors.cache import image_tensors
from sitegen.errors import DataError, SettingsError
from sitegen.settings.recipe import ImageSettings, RecipeFile, network_input
from sitegen.training.augment import LEVELS, AugmentSettings
from sitegen.training.presets import read_recipe
from sitegen.training.preview.picture import augmentation_sheet
from sitegen_runtime.errors import ImageError


def augmentation_preview(
    place: Path | None,
    file: RecipeFile | None = None,
    level: str = "",
    *,
    images: int = 6,
    variants: int = 8,
    seed: int = 1,
    findings: str = "",
) -> Image.Image:
    """Return the picture of `images` images that `seed` chooses, of the training split where there is one.

    Image and augmentation are the recipe's, or the defaults without one; `level` names another augmentation, and
    `findings` a table's column of labels. Images that cannot be read are passed over. Raises DataError where none can,
    SettingsError where neither data nor recipe is named or there is no such level.
    """
    if not place and not file:
        raise SettingsError("there is nothing to draw: name a data set, or a recipe with --config")
    settings = _augmentation(file, level)
    records = _records(place, file, findings)
    records = select(records, "train") or records
    order = np.random.default_rng(seed).permutation(len(records))
    chosen = _readable([records[index] for index in order], file.image if file else ImageSettings(), images)
    names = [_name(record) for record, _ in chosen]
    return augmentation_sheet(np.stack([values for _, values in chosen]), names, settings, variants, seed)


def read_level(name: str) -> AugmentSettings:
    """Return the level of that name; its numbers are enough, such as 15/5/5. Raises SettingsError for another."""
    known = {_numbers(each) or each: settings for each, settings in LEVELS.items()}
    asked = _numbers(name) or name
    if asked not in known:
        raise SettingsError(f"there is no level {name!r}; there are {', '.join(known)}")
    return known[asked]


def _augmentation(file: RecipeFile | None, level: str) -> AugmentSettings:
    if level:
        return read_level(level)
    return read_recipe(file.training).augment if file else AugmentSettings()


def _records(place: Path | None, file: RecipeFile | None, findings: str) -> list[Record]:
    if file:
        named = replace(file, data=replace(file.data, findings=findings or file.data.findings))
        return read_records(named, place)
    return read_dataset(place or Path(), Findings(findings) if findings else None)


def _readable(records: Sequence[Record], image: ImageSettings, count: int) -> list[tuple[Record, NDArray[np.float32]]]:
    """The first records whose images can be read, with values 0 (black) to 1: [channels, side, side]."""
    entry = network_input(image)
    channels = entry.shape[1]
    # Brightness and contrast are in shares of the range, so that another range gives the same picture.
    inputs = {"shown": replace(entry, range=(0.0, 1.0), mean=(0.0,) * channels, std=(1.0,) * channels)}
    found: list[tuple[Record, NDArray[np.float32]]] = []
    problem = "there is no image"
    for record in records:
        try:
            found.append((record, image_tensors(record.path.read_bytes(), inputs)["shown"][0]))
        except (OSError, ImageError) as error:
            problem = f"{record.path}: {error}"
        if len(found) == count:
            break
    if not found:
        raise DataError(f"No image can be shown; the last problem: {problem} See: sitegen data audit")
    return found


def _name(record: Record) -> str:
    labels: Mapping[str, float | None] = record.labels
    present = [name for name, value in labels.items() if value == 1.0]
    known = any(value is not None for value in labels.values())
    return f"{record.path.name}: {', '.join(present) or 'no finding'}" if known else record.path.name


def _numbers(level: str) -> str:
    return "/".join(re.findall(r"\d+", level))
