"""Writing reports where people asked for them."""

from pathlib import Path

from sitegen.errors import DataError


def check_place(path: Path | None) -> None:
    """Raise DataError at once where a report could not be written after minutes of work."""
    if path and (path.is_dir() or not path.absolute().parent.is_dir()):
        raise DataError(f"{path} cannot be written. Name a file in a folder that exists.")


def write_report(path: Path, text: str) -> None:
    """Write text, the same bytes everywhere. Raises DataError where that cannot be done."""
    try:
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error.strerror}. Name a file in a folder that exists.") from error
