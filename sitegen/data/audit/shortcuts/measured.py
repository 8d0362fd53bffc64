"""What the shortcut audit takes from one file, in the process that looks at it."""

from dataclasses import dataclass
from pathlib import Path

from sitegen.data.audit.look import Seen, look, opened, seen
from sitegen.data.audit.shortcuts.measures import MEASURES
from sitegen.data.audit.shortcuts.picture import picture
from sitegen.data.audit.shortcuts.thumbnails import THUMBNAIL
from sitegen_runtime.errors import ImageError


@dataclass(frozen=True)
class Measured:
    """What was seen of a file, its measures in the order of `MEASURES`, and a thumbnail.

    `thumbnail` is the centred square, float32 [32, 32] in 0..1, as bytes. Both are empty for a file that cannot be
    used, and for one that was not measured.
    """

    seen: Seen
    values: tuple[float, ...] = ()
    thumbnail: bytes = b""


def looked(item: tuple[Path, bool]) -> Measured:
    """Return what `measure` does of a path where the item says so, else what `look` does."""
    path, wanted = item
    return measure(path) if wanted else Measured(look(path))


def measure(path: Path) -> Measured:
    """Return what is seen and measured of a file. A file whose pixels cannot be decoded has a problem, too."""
    found = opened(path)
    if isinstance(found, Seen):
        return Measured(found)
    try:
        shown = picture(*found)
    except ImageError as error:
        return Measured(Seen(str(error)))
    values = tuple(each.of(shown) for each in MEASURES.values())
    return Measured(seen(found[0]), values, shown.scaled(THUMBNAIL).tobytes())
