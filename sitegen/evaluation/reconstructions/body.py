"""Where the body is: the largest part of an image that is brighter than a threshold, without holes.

Parts are connected across corners, too; of several of one size it is the first in rows. Holes are what no way across
sides connects with the border.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_fill_holes, label

from sitegen.evaluation.reconstructions.planes import Plane


def body_of(image: Plane, threshold: int = 0) -> NDArray[np.bool_]:
    """Return which pixels are the body's, bool [rows, columns]: none where no grey value is above `threshold`."""
    parts, count = label(image > threshold, structure=np.ones((3, 3)))
    if not count:
        return np.zeros(image.shape, np.bool_)
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    return np.asarray(binary_fill_holes(parts == sizes.argmax()), np.bool_)
