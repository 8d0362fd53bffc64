"""How far an image is from what the gate's network makes of it: the distances of docs/anomaly.md, as columns."""

import numpy as np
from numpy.typing import NDArray

from sitegen.curation.columns import DISTANCES, Row
from sitegen.evaluation.reconstructions.distances import mean_squared_error, ssim_map, wasserstein_distance
from sitegen.evaluation.reconstructions.patches import (
    Patches,
    patch_errors,
    patch_similarity,
    patch_wasserstein,
    worst,
)
from sitegen_runtime.analysis import Analysis
from sitegen_runtime.bundle.model import Model
from sitegen_runtime.gate.reconstruction_scores import as_shares
from sitegen_runtime.running import image_input

PARTS = 4
"""How many patches lie beside each other along a side."""

Plane = NDArray[np.uint8]


def distance_cells(analysis: Analysis, model: Model) -> Row:
    """Return the distances of the whole and of the worst patch; {} where the gate has not looked at the image."""
    if analysis.decision is None or analysis.seen is None or analysis.seen.image.gate is None:
        return {}
    image, made = planes(analysis, model)
    cells: Row = {"mse": mean_squared_error(image, made), "wasserstein": wasserstein_distance(image, made)}
    similarity = ssim_map(image, made)
    patches = Patches(max(1, image.shape[0] // PARTS))
    cells["patch_mse"] = worst(patch_errors(image, made, patches), image, patches).value
    cells["patch_wasserstein"] = worst(patch_wasserstein(image, made, patches), image, patches).value
    if similarity is not None:
        cells["ssim"] = float(similarity.mean())
        if patches.size >= 7:
            ssims = patch_similarity(similarity, patches, image)
            cells["patch_ssim"] = worst(ssims, image, patches, lowest=True).value
    assert set(cells) <= {*DISTANCES, *(f"patch_{name}" for name in DISTANCES)}  # noqa: S101
    return cells


def planes(analysis: Analysis, model: Model) -> tuple[Plane, Plane]:
    """Return the image as the gate saw it, and its reconstruction: grey values of 0..255, [side, side]."""
    decision, seen = analysis.decision, analysis.seen
    assert decision is not None and seen is not None and seen.image.gate is not None  # noqa: S101 - callers look
    entry = image_input(model, "gate")
    shares = np.array(as_shares(seen.image.gate, entry), np.float64)
    made = np.array(decision.reconstruction, np.float64).reshape(shares.shape)
    first, second = (_grey(each, decision.side) for each in (shares, made))
    return first, second


def _grey(shares: NDArray[np.float64], side: int) -> Plane:
    mean = shares.mean(axis=0).reshape(side, side)
    return np.asarray(np.rint(255 * np.clip(mean, 0.0, 1.0)), np.uint8)
