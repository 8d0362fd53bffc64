"""Images as a small image model sees them: thumbnails, whole or without their middle, as principal components."""

import numpy as np
from numpy.typing import NDArray

from sitegen.data.audit.shortcuts.picture import Plane

THUMBNAIL = 32
"""Pixels a side."""
COMPONENTS = 30
MIDDLE = (slice(3, 28), slice(4, 28))
"""Rows and columns of a thumbnail that are covered: of a chest radiograph both lungs, with the heart between them."""

Thumbnails = NDArray[np.float32]


def covered(thumbnails: Thumbnails) -> Thumbnails:
    """Return thumbnails [N, 32, 32] with their middle black, so that nothing of it is left."""
    changed = thumbnails.copy()
    changed[:, MIDDLE[0], MIDDLE[1]] = 0
    return changed


def components(thumbnails: Thumbnails) -> NDArray[np.float64]:
    """Return the principal components of thumbnails [N, 32, 32] as [N, K], each of unit variance, K at most 30.

    They are found without any label, so they may be found on all images at once.
    """
    from sklearn.decomposition import PCA

    flat = thumbnails.reshape(len(thumbnails), -1).astype(np.float64)
    count = min(COMPONENTS, len(flat) - 1, flat.shape[1])
    if count < 1 or not flat.std(axis=0).any():
        return np.empty((len(flat), 0))
    found: NDArray[np.float64] = PCA(count, svd_solver="covariance_eigh").fit_transform(flat)
    spread = found.std(axis=0)
    kept = spread > 1e-6 * spread.max()
    return np.asarray(found[:, kept] / spread[kept])


def unpacked(thumbnails: list[bytes]) -> Thumbnails:
    """Return thumbnails from their bytes, float32 [N, 32, 32]."""
    planes: list[Plane] = [np.frombuffer(raw, np.float32).reshape(THUMBNAIL, THUMBNAIL) for raw in thumbnails]
    return np.stack(planes) if planes else np.empty((0, THUMBNAIL, THUMBNAIL), np.float32)
