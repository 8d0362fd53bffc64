"""All distances of one image from its reconstruction, as a row of the table."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray

from sitegen.evaluation.reconstructions.body import body_of
from sitegen.evaluation.reconstructions.distances import (
    SIDE,
    mean_squared_error,
    ssim_map,
    wasserstein_distance,
)
from sitegen.evaluation.reconstructions.patches import (
    Patches,
    Worst,
    patch_errors,
    patch_similarity,
    patch_wasserstein,
    worst,
)
from sitegen.evaluation.reconstructions.planes import Plane, bits, described

DISTANCES = ("mse", "wasserstein", "ssim")
REGIONS = ("whole", "body", "patch")

Cell = str | int | float | None
Row = dict[str, Cell]
_Map = NDArray[np.float64] | None


@dataclass(frozen=True)
class How:
    """Which regions are measured, and how: the windows, and above which grey value the body begins."""

    regions: tuple[str, ...] = REGIONS
    patches: Patches = field(default_factory=Patches)
    threshold: int = 0


@dataclass(frozen=True)
class Measured:
    """The cells of a row by column, where the worst windows are by distance, and what could not be measured."""

    cells: Row
    worst: dict[str, Worst]
    notes: list[str]


def measure(image: Plane, reconstruction: Plane, how: How, mask: NDArray[np.bool_] | None = None) -> Measured:
    """Return the distances of two planes that are alike in shape and type; `mask` is the body, instead of `body_of`."""
    similarity = ssim_map(image, reconstruction)
    found = Measured({"width": image.shape[1], "height": image.shape[0], "bits": bits(image)}, {}, [])
    if (lowest := int(image.min())) == int(image.max()):
        found.notes.append(f"every grey value of the image is {lowest}")
    if similarity is None:
        found.notes.append(f"no SSIM: it needs {SIDE} x {SIDE} pixels, and the image is {described(image)}")
    if "whole" in how.regions:
        _whole(found, image, reconstruction, similarity)
    if "body" in how.regions:
        _body(found, image, reconstruction, similarity, body_of(image, how.threshold) if mask is None else mask, how)
    if "patch" in how.regions:
        _patch(found, image, reconstruction, similarity, how.patches)
    return found


def _whole(found: Measured, image: Plane, reconstruction: Plane, similarity: _Map) -> None:
    found.cells["mse"] = mean_squared_error(image, reconstruction)
    found.cells["wasserstein"] = wasserstein_distance(image, reconstruction)
    if similarity is not None:
        found.cells["ssim"] = float(similarity.mean())


def _body(
    found: Measured, image: Plane, reconstruction: Plane, similarity: _Map, body: NDArray[np.bool_], how: How
) -> None:
    found.cells["body_pixels"] = int(body.sum())
    if not body.any():
        found.notes.append(f"no body: no pixel is above {how.threshold}, or in the mask")
        return
    found.cells["body_mse"] = mean_squared_error(image[body], reconstruction[body])
    found.cells["body_wasserstein"] = wasserstein_distance(image[body], reconstruction[body])
    if similarity is not None:
        border = SIDE // 2
        inner = body[border:-border, border:-border]
        if inner.any():
            found.cells["body_ssim"] = float(similarity[inner].mean())
        else:
            found.notes.append(f"no SSIM of the body: it lies within {border} pixels of the border")


def _patch(found: Measured, image: Plane, reconstruction: Plane, similarity: _Map, patches: Patches) -> None:
    found.cells["patch"] = patches.size
    if min(image.shape) < patches.size:
        found.notes.append(f"a patch of {patches.size} pixels is larger than the image, {described(image)}")
        return
    for distance, window in _worst(image, reconstruction, similarity, patches):
        found.worst[distance] = window
        name = f"patch_{distance}"
        found.cells.update({name: window.value, f"{name}_x": window.x, f"{name}_y": window.y})
    if "ssim" not in found.worst:
        found.notes.append(f"no SSIM of patches: it needs {SIDE} pixels a side, not {patches.size}")


def _worst(image: Plane, reconstruction: Plane, similarity: _Map, patches: Patches) -> Iterator[tuple[str, Worst]]:
    """The worst window by each distance that windows have."""
    chosen = partial(worst, image=image, patches=patches)
    yield "mse", chosen(patch_errors(image, reconstruction, patches))
    yield "wasserstein", chosen(patch_wasserstein(image, reconstruction, patches))
    if similarity is not None and patches.size >= SIDE:
        yield "ssim", chosen(patch_similarity(similarity, patches, image), lowest=True)
