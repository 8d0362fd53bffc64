"""What TorchXRayVision's own code makes of an image file, with scikit-image, as it has it."""

import io

import numpy as np
from skimage.io import imread
from skimage.transform import resize

from sitegen.importing.source import Images

_LARGEST = 255


class XrvPreparation:
    """`load_image`, XRayCenterCrop and XRayResizer of the library, its default engine."""

    def __init__(self, side: int) -> None:
        self.side = side
        self.described = (
            "TorchXRayVision: the first channel, 0 to 255 as -1024 to 1024, the centred square, then scikit-image's "
            f"resize to {side} (linear, after a Gaussian filter where it shrinks)."
        )

    def tensor(self, content: bytes) -> Images:
        """Return float32 [1, side, side] for an image file. Raises OSError or ValueError, also for more than 8 bits."""
        pixels = np.asarray(imread(io.BytesIO(content)))
        plane = pixels[:, :, 0] if pixels.ndim > 2 else pixels
        if plane.max() > _LARGEST:
            raise ValueError(f"the library takes values up to {_LARGEST}, and there is {plane.max()}")
        values = (2 * (plane.astype(np.float32) / _LARGEST) - 1) * 1024
        rows, columns = values.shape
        length = min(rows, columns)
        top, left = rows // 2 - length // 2, columns // 2 - length // 2
        square = values[np.newaxis, top : top + length, left : left + length]
        shape, options = (1, self.side, self.side), {"mode": "constant", "preserve_range": True}
        return np.asarray(resize(square, shape, **options), np.float32)  # type: ignore[no-untyped-call]
