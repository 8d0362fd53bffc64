"""What a `preprocessor_config.json` of transformers says of images, in sitegen's terms.

Every key is honoured, harmless, or refused by its name.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sitegen.errors import ModelError, SettingsError
from sitegen.settings.reading import read_settings
from sitegen.settings.recipe import ImageSettings

HONOURED = {"crop_pct", "crop_size", "do_center_crop", "do_flip_channel_order", "do_normalize", "do_rescale"}
HONOURED |= {
    "do_pad",
    "pad_size",
    "do_resize",
    "image_mean",
    "image_std",
    "include_top",
    "rescale_factor",
    "rescale_offset",
    "size",
}
# Names, what is told by the report's comparison, what is of other tasks, and what says how a tensor is handed over.
HARMLESS = {"_processor_class", "_valid_processor_keys", "auto_map", "data_format", "default_to_square", "device"}
HARMLESS |= {"disable_grouping", "do_convert_rgb", "do_reduce_labels", "feature_extractor_type", "image_processor_type"}
HARMLESS |= {"image_seq_length", "input_data_format", "model_input_names", "num_channels", "processor_class"}
HARMLESS |= {"resample", "return_tensors", "transformers_version", "use_fast", "reduce_labels", "name_or_path"}
Grid = tuple[int, int]  # rows, columns
_LEVIT = 256 / 224  # by which its processor makes the shorter side longer than it says
_FLIPPED = "The model takes blue before red; the bundle takes red first, and its graph turns them."


@dataclass(frozen=True)
class ImagePlan:
    """How images are prepared: settings, whether the network wants blue first, and sentences for people."""

    settings: ImageSettings
    flipped: bool
    remarks: tuple[str, ...]


def image_plan(config: Mapping[str, Any], channels: int, file: Path) -> ImagePlan:
    """Return how images are prepared. Raises ModelError where that is unknown, naming keys that are."""
    check_keys(config, file)
    try:
        grid, fraction, stretched = _geometry(config)
        _check_padding(config, grid)
        low, high = _range(config)
        normal = bool(config.get("do_normalize", True)) and config.get("image_mean") is not None
        std = _numbers(config["image_std"], channels) if normal else (1.0,)
        if config.get("include_top") and normal:
            std = tuple(value * value for value in std)  # EfficientNet divides by it a second time
        flipped = bool(config.get("do_flip_channel_order")) and channels == 3
        fields = {
            "side": grid[0] if grid[0] == grid[1] else grid,
            "colour": "rgb" if channels == 3 else "grey",
            "fraction": fraction,
            "fit": "squash" if stretched else "crop",
            "range": (low, high),
            "mean": _numbers(config["image_mean"], channels) if normal else (0.0,),
            "std": std,
        }
        return ImagePlan(read_settings(ImageSettings, fields), flipped, (_FLIPPED,) if flipped else ())
    except (KeyError, TypeError, ValueError, ZeroDivisionError, SettingsError) as error:
        raise ModelError(
            f"{file} does not say how images are prepared in a way that is known here. {type(error).__name__}: {error}"
        ) from error


def check_keys(config: Mapping[str, Any], file: Path) -> None:
    """Raise ModelError for keys that may change images in a way that is not known; null or false changes nothing."""
    unknown = [key for key, value in config.items() if key not in HONOURED | HARMLESS and value not in (None, False)]
    if unknown:
        raise ModelError(
            f"{file} has {', '.join(f'{key} = {config[key]!r}' for key in unknown)}, and it is not known here what "
            "that does to images. Where it does nothing, take it out of the file."
        )


def _range(config: Mapping[str, Any]) -> tuple[float, float]:
    """Return what black and white become before the mean is subtracted."""
    if not config.get("do_rescale", True):
        return 0.0, 255.0
    offset = 1.0 if config.get("rescale_offset") else 0.0
    return -offset, 255 * float(config.get("rescale_factor", 1 / 255)) - offset


def _geometry(config: Mapping[str, Any]) -> tuple[Grid, float, bool]:
    """Return rows and columns, the share of both that is seen, and whether images are stretched to that form."""
    size = config.get("size")
    processor = str(config.get("image_processor_type", config.get("feature_extractor_type", "")))
    if config.get("do_center_crop") and config.get("crop_size") is not None:
        crop = _grid(config["crop_size"])
        resized, stretched = _resized(size)
        if processor.startswith("Levit") and not stretched:
            resized = _scaled(resized, _LEVIT)
        if processor.startswith("PoolFormer") and config.get("crop_pct"):
            resized = _scaled(resized, 1 / float(config["crop_pct"]))
        return crop, _share(crop, resized, stretched) if config.get("do_resize", True) else 1.0, stretched
    resized, stretched = _resized(size)
    shorter = min(resized)
    if not stretched and "crop_pct" in config and shorter < 384:  # ConvNeXt: below that size, resized and cropped
        return resized, shorter / int(shorter / float(config["crop_pct"])), False
    return resized, 1.0, stretched or isinstance(size, (int, Mapping))


def _share(crop: Grid, resized: Grid, stretched: bool) -> float:
    """Return the share of rows and of columns that a crop takes. Raises ValueError where no share says it."""
    rows, columns = (part / whole for part, whole in zip(crop, resized, strict=True))
    if max(rows, columns) > 1:
        raise ValueError(f"a crop of {crop[0]} x {crop[1]} out of less, {resized[0]} x {resized[1]}, which is padded")
    if not stretched and crop[0] != crop[1]:
        raise ValueError(
            f"a crop of {crop[0]} x {crop[1]} out of images of which the shorter side alone is set: how much it takes "
            "depends on an image's form, and no fraction says that"
        )
    if rows != columns:
        raise ValueError(f"a crop of {crop[0]} of {resized[0]} rows and {crop[1]} of {resized[1]} columns, two shares")
    return rows


def _scaled(grid: Grid, factor: float) -> Grid:
    return int(factor * grid[0]), int(factor * grid[1])


def _grid(size: object) -> Grid:
    if isinstance(size, Mapping):
        if "height" not in size or "width" not in size:
            raise ValueError(
                f"a size of {dict(size)}, which leaves images in their own form, and a bundle's have one form"
            )
        return int(size["height"]), int(size["width"])
    return int(str(size)), int(str(size))


def _resized(size: object) -> tuple[Grid, bool]:
    """Return rows and columns that images get, and whether all do; otherwise the shorter side gets that size."""
    if isinstance(size, Mapping) and "shortest_edge" in size:
        if size.get("longest_edge"):
            raise ValueError("a longest edge as well, so that images keep their form, and a bundle's have one form")
        return (int(size["shortest_edge"]), int(size["shortest_edge"])), False
    return _grid(size), True


def _check_padding(config: Mapping[str, Any], grid: Grid) -> None:
    """Raise ValueError where images are padded after they were brought to their size."""
    said = {key: config[key] for key in ("do_pad", "pad_size") if config.get(key) not in (None, False)}
    if not said or config.get("do_pad") is False:
        return
    if "pad_size" not in said or _grid(said["pad_size"]) != grid:
        raise ValueError(
            f"{', '.join(f'{key} = {value!r}' for key, value in said.items())}: transformers pads at the right and "
            'below, and a bundle (fit = "pad") on both sides alike'
        )


def _numbers(values: object, channels: int) -> tuple[float, ...]:
    listed = list(values) if isinstance(values, (list, tuple)) else [values]
    return tuple(float(str(value)) for value in listed[:channels])
