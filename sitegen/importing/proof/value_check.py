"""Whether the numbers that a source's own code makes of colours are those that the bundle's settings make."""

import io

import numpy as np
from PIL import Image

from sitegen.errors import ModelError
from sitegen.importing.source import Preparation
from sitegen_runtime.bundle.model import NetworkInput

_COLOURS = ((0, 0, 0), (255, 255, 255), (200, 100, 30))
_SPARE = 0.02  # of the way from black to white: grey of colours is rounded


def check_form(preparation: Preparation, image: NetworkInput) -> None:
    """Raise ModelError where pictures of several forms do not all become tensors of the input's."""
    rows, columns = image.grid
    for size in ((columns, rows), (2 * columns, rows), (columns, 2 * rows)):
        try:
            shape = preparation.tensor(_flat(_COLOURS[0], size)).shape
        except (OSError, ValueError) as error:
            raise ModelError(
                f"The source's own code takes no picture of {size[0]} x {size[1]} pixels: {error}. "
                f"{preparation.described}"
            ) from error
        if shape != image.shape[1:]:
            raise ModelError(
                f"The source's own code makes {list(shape)} of a picture of {size[0]} x {size[1]} pixels, and its "
                f"settings as they are understood here say {list(image.shape[1:])}. {preparation.described}"
            )


def check_values(preparation: Preparation, image: NetworkInput) -> None:
    """Raise ModelError where a picture of one colour becomes other numbers than the settings say.

    It holds what is read of a file of settings against the code that the file is for: scales, offsets, means, order of
    channels, whatever key they are under.
    """
    low, high = image.range
    for colour in _COLOURS:
        given = np.asarray(Image.new("RGB", (1, 1), colour).convert("RGB" if image.shape[1] == 3 else "L"), np.float64)
        levels = given.reshape(-1) / 255
        wanted = (low + (high - low) * levels - np.asarray(image.mean)) / np.asarray(image.std)
        made = preparation.tensor(_flat(colour, image.grid[::-1]))
        middle = made[:, made.shape[1] // 2, made.shape[2] // 2].astype(np.float64)
        if np.abs(middle - wanted).max() > _SPARE * np.abs((high - low) / np.asarray(image.std)).max():
            raise ModelError(
                f"The source's own code makes {_told(middle)} of the colour {colour}, and its settings as they are "
                f"understood here say {_told(wanted)}. {preparation.described} Say under [image] what is right: range, "
                "mean and std."
            )


def _flat(colour: tuple[int, int, int], size: tuple[int, int]) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, "PNG")
    return buffer.getvalue()


def _told(values: np.ndarray) -> str:
    return " ".join(f"{value:.4g}" for value in values)
