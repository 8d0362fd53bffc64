"""A look at one file of a data set: whether it can be used, and what its content is."""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from sitegen.data.images import inspected
from sitegen.prediction.pixels import shown_frame
from sitegen.prediction.reading import read_image_file
from sitegen_runtime.errors import AnalysisError, ImageError
from sitegen_runtime.formats import CELLS, InspectedImage


@dataclass(frozen=True)
class Seen:
    """What a look at one file gave: why it cannot be read, or its content's hash and its size as stored."""

    problem: str = ""
    content: str = ""
    width: int = 0
    height: int = 0


def look(path: Path) -> Seen:
    """Return what one file is. Its type and wholeness are judged by the runtime, as for an image to analyse.

    The content is what remains after metadata that no decoder needs: a copy with another comment is the same image. Of
    a DICOM file it is the grey image: a copy for another patient, or compressed without loss, is the same image.
    """
    found = opened(path)
    try:
        return found if isinstance(found, Seen) else seen(found[0])
    except ImageError as error:
        return Seen(str(error))


def opened(path: Path) -> tuple[InspectedImage, bytes] | Seen:
    """Return the image in a file, inspected, with the file's bytes; or what is wrong with it."""
    try:
        raw = read_image_file(path)
        return inspected(raw), raw
    except AnalysisError as error:
        return Seen(str(error).removeprefix(f"{path} "))


def seen(image: InspectedImage) -> Seen:
    """Return what an image is that passed the runtime's checks. Raises ImageError where a frame cannot be decoded."""
    if image.decoder == CELLS:
        what, content = f"{image.media_type} {image.width} {image.height} ", shown_frame(image).tobytes()
    else:
        what, content = f"{image.media_type} {image.orientation} ", image.payload
    return Seen("", sha256(what.encode() + content).hexdigest(), image.width, image.height)
