"""What a `preprocessor_config.json` of transformers says of images, in sitegen's terms."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sitegen.errors import ModelError, SettingsError
from sitegen.settings.reading import read_settings
from sitegen.settings.recipe import ImageSettings

_STRETCHED = (
    "The model's own code stretches images that are not square to one; sitegen takes the centred square, so what "
    "it sees of those differs."
)


def image_settings(config: Mapping[str, Any], channels: int, file: Path) -> tuple[ImageSettings, list[str]]:
    """Return the settings, and a sentence where they cannot say all. Raises ModelError where they are unknown."""
    try:
        side, fraction, stretched = _geometry(config)
        scale = float(config.get("rescale_factor", 1 / 255)) if config.get("do_rescale", True) else 1.0
        normal = bool(config.get("do_normalize", True)) and config.get("image_mean") is not None
        fields = {
            "side": side,
            "colour": "rgb" if channels == 3 else "grey",
            "fraction": fraction,
            "range": (0.0, 255 * scale),
            "mean": _numbers(config["image_mean"], channels) if normal else (0.0,),
            "std": _numbers(config["image_std"], channels) if normal else (1.0,),
        }
        return read_settings(ImageSettings, fields), [_STRETCHED] if stretched else []
    except (KeyError, TypeError, ValueError, ZeroDivisionError, SettingsError) as error:
        raise ModelError(
            f"{file} does not say how images are prepared in a way that is known here. {type(error).__name__}: {error}"
        ) from error


def _geometry(config: Mapping[str, Any]) -> tuple[int, float, bool]:
    """Return the side, the share of the shorter side that is seen, and whether images are stretched to a square."""
    size = config.get("size")
    if config.get("do_center_crop") and config.get("crop_size") is not None:
        side = _square(config["crop_size"])
        shorter, stretched = _shorter(size)
        return side, min(side / shorter, 1.0) if config.get("do_resize", True) else 1.0, stretched
    shorter, stretched = _shorter(size)
    if not stretched and "crop_pct" in config and shorter < 384:  # ConvNeXt: below that size, resized and cropped
        return shorter, shorter / int(shorter / float(config["crop_pct"])), False
    return shorter, 1.0, stretched or isinstance(size, (int, Mapping))


def _square(size: object) -> int:
    if isinstance(size, Mapping):
        height, width = int(size["height"]), int(size["width"])
        if height != width:
            raise ValueError(f"images of {height} x {width}, and a bundle's are square")
        return height
    return int(str(size))


def _shorter(size: object) -> tuple[int, bool]:
    """Return the size that the shorter side gets, and whether the longer one gets the same."""
    if isinstance(size, Mapping) and "shortest_edge" in size:
        return int(size["shortest_edge"]), False
    return _square(size), True


def _numbers(values: object, channels: int) -> tuple[float, ...]:
    listed = list(values) if isinstance(values, (list, tuple)) else [values]
    return tuple(float(str(value)) for value in listed[:channels])
