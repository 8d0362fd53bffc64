"""A look at one file of a data set: whether it can be used, what its content is, and what is measured of it."""

from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from sitegen.data.tensors.dicom_pixels import as_image
from sitegen_runtime.errors import ImageError
from sitegen_runtime.formats import InspectedImage, inspect_image


@dataclass(frozen=True)
class Seen:
    """What a look at one file gave: why it cannot be read, or its content's hash and its size as stored."""

    problem: str = ""
    content: str = ""
    width: int = 0
    height: int = 0


@dataclass(frozen=True)
class Measured:
    """What the shortcut audit wants of one image: its measures in the order of their table, and a thumbnail.

    `thumbnail` is float32 [32, 32] in 0..1 as bytes, the centred square; both are empty for a file that cannot be used.
    """

    seen: Seen
    values: tuple[float, ...] = field(default=())
    thumbnail: bytes = b""


def look(path: Path) -> Seen:
    """Return what one file is. Its type and wholeness are judged by the runtime, as for an image to analyse.

    The content is what remains after metadata that no decoder needs: a copy with another comment is the same image. Of
    a DICOM file it is the grey image: a copy for another patient, or compressed without loss, is the same image.
    """
    opened = _opened(path)
    return opened if isinstance(opened, Seen) else _seen(opened[0])


def measure(path: Path) -> Measured:
    """Return what `look` does, and what is measured; a file whose pixels cannot be decoded has a problem, too."""
    from sitegen.data.audit.shortcuts.measures import MEASURES
    from sitegen.data.audit.shortcuts.picture import picture
    from sitegen.data.audit.shortcuts.thumbnails import THUMBNAIL

    opened = _opened(path)
    if isinstance(opened, Seen):
        return Measured(opened)
    try:
        shown = picture(*opened)
    except ImageError as error:
        return Measured(Seen(str(error)))
    values = tuple(each.of(shown) for each in MEASURES.values())
    return Measured(_seen(opened[0]), values, shown.scaled(THUMBNAIL).tobytes())


def _opened(path: Path) -> tuple[InspectedImage, bytes] | Seen:
    try:
        raw = path.read_bytes()
        return inspect_image(as_image(raw)), raw
    except OSError as error:
        return Seen(f"cannot be read: {error.strerror or type(error).__name__}")
    except ImageError as error:
        return Seen(str(error))


def _seen(image: InspectedImage) -> Seen:
    content = sha256(f"{image.media_type} {image.orientation} ".encode() + image.payload).hexdigest()
    return Seen("", content, image.width, image.height)
