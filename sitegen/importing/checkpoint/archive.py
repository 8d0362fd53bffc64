"""Zip archives of strangers: how long a file is and what it would unpack to, before anything of it is read."""

import zipfile
from collections import Counter
from pathlib import Path

from sitegen.errors import ModelError

_UNPACKED = 64 << 20  # bytes that compressed members may have together: the code of a TorchScript archive is small
_MEMBERS = 200_000


def check_archive(file: Path) -> list[str]:
    """Return the names of a zip archive's members.

    Raises ModelError where it is cut off, or would unpack to more than it can hold.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
        raise ModelError(f"{file} is cut off or damaged: {error}. Get it again from its source.") from error
    weight = file.stat().st_size
    stored = sum(entry.file_size for entry in members if entry.compress_type == zipfile.ZIP_STORED)
    packed = sum(entry.file_size for entry in members if entry.compress_type != zipfile.ZIP_STORED)
    if stored > weight or packed > _UNPACKED or len(members) > _MEMBERS:
        raise ModelError(
            f"{file} has {weight} bytes and would unpack to {stored + packed}, in {len(members)} members. torch.save "
            "compresses no weights: this was made to fill memory, or packed anew. Unpack it where you trust it, and "
            "save it with torch.save."
        )
    return _told_apart([entry.filename for entry in members], file)


def _told_apart(names: list[str], file: Path) -> list[str]:
    """Return the names. Raises ModelError where readers would differ in what the file holds."""
    pickles = [name for name in names if name.partition("/")[2] == "data.pkl"]
    if twice := [name for name, times in Counter(names).items() if times > 1] or pickles[1:]:
        raise ModelError(
            f"{file} has more than one {twice[0].rpartition('/')[2]!r}: which is read depends on the reader, so what "
            "is checked might not be what is used. Get the file again from its source."
        )
    return names


def head_of(file: Path) -> bytes:
    """Return the first four bytes. Raises ModelError where there is no such file."""
    try:
        with file.open("rb") as stream:
            return stream.read(4)
    except OSError as error:
        raise ModelError(f"{file} cannot be read: {error.strerror}. Name the checkpoint's file.") from error
