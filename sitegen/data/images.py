"""An image file of a data set: the runtime's own reading, less what is no single image."""

from sitegen_runtime.errors import UnsupportedType
from sitegen_runtime.formats import InspectedImage, inspect_image


def inspected(raw: bytes) -> InspectedImage:
    """Return a file's image, checked whole.

    Raises `sitegen_runtime.errors.ImageError`; for a DICOM file of several frames, too: a prediction can be told to
    take the first, a training cannot.
    """
    image = inspect_image(raw)
    frames = image.acquisition.frames if image.acquisition else 1
    if frames > 1:
        raise UnsupportedType(f"This DICOM file has {frames} frames, and one is read. Export the one you want as PNG.")
    return image
