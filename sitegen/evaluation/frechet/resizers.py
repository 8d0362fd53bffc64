"""Three ways to scale an image to a network's side, which give other features, and so other distances.

    legacy      bilinear between four pixels, without a filter against aliasing, as the first implementations of FID
    clean       bicubic with a filter (Parmar, Zhang, Zhu, "On aliased resizing and surprising subtleties in GAN
                evaluation", CVPR 2022)
    friendly    the filter that the network was trained with (Kang, Shin, Park, "StudioGAN", TPAMI 2023): it is named,
                one of FILTERS

None rounds on the way. A distance is to be compared with those of the same resizer alone.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

RESIZERS = ("legacy", "clean", "friendly")
FILTERS = {
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}
Plane = NDArray[np.float32]


def resized(plane: NDArray[np.generic], side: int, resizer: str, filter_: str = "bilinear") -> Plane:
    """Return a grey plane as float32 [side, side], in its own units; what is not square is squeezed."""
    values = np.asarray(plane, np.float32)
    if resizer == "legacy":
        return _between_four(_between_four(values, side).T, side).T
    kernel = FILTERS["bicubic" if resizer == "clean" else filter_]
    return np.asarray(Image.fromarray(values).resize((side, side), kernel), np.float32)


def _between_four(values: Plane, side: int) -> Plane:
    """Scale the first axis linearly between the two nearest rows, the centres of pixels on each other."""
    length = len(values)
    places = np.clip((np.arange(side) + 0.5) * (length / side) - 0.5, 0, length - 1)
    below = np.minimum(places.astype(np.intp), max(length - 2, 0))
    share = (places - below).astype(np.float32)[:, np.newaxis]
    above = np.minimum(below + 1, length - 1)
    return np.asarray(values[below] * (1 - share) + values[above] * share, np.float32)
