"""Where a model comes from, and what its bundle is called: the same for every source."""

import hashlib
import re
from pathlib import Path
from typing import Any

from sitegen.errors import ModelError
from sitegen.importing.settings import ImportSettings

_CHUNK = 1 << 20


def file_origin(file: Path) -> dict[str, Any]:
    """Return a file's name, length in bytes and SHA-256. Raises ModelError where it cannot be read."""
    digest = hashlib.sha256()
    try:
        with file.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
            return {"name": file.name, "bytes": stream.tell(), "sha256": digest.hexdigest()}
    except OSError as error:
        raise ModelError(f"{file} cannot be read: {error.strerror}. Name the model's file.") from error


def names_of(settings: ImportSettings, usual: str) -> tuple[str, str]:
    """Return the bundle's name and title: those of the settings, or made of what is usual, such as a file's stem.

    A title that nobody gave says what it is: "weights" would head a page without telling anything.
    """
    name = settings.name or re.sub(r"[^a-z0-9._-]+", "-", usual.lower()).strip("._-") or "model"
    return name, settings.title or settings.name or f"Imported model: {name}"
