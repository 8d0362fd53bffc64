"""Where images are: local folders and files, and whatever else fsspec opens, by folder, file, glob or list.

    scans/                      a folder, and all below it
    scans/**/*.dcm              a glob
    s3://bucket/scans           a bucket, where the package for it (s3fs) is installed
    zip://*.png::/data/a.zip    files in an archive

Names that begin with a dot are passed over, and links to folders are not followed. A folder that cannot be opened is
listed as if it were a file, so that it gets a row that says so.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

import fsspec
from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

from sitegen.curation.entries import Entry
from sitegen.errors import DataError
from sitegen.prediction.reading import LARGEST_FILE, read_image_file
from sitegen_runtime.errors import TooLarge, UnreadableFile

_MAGIC = "*?["
_STAMPS = ("ETag", "etag", "md5Hash", "CRC", "mtime", "LastModified", "last_modified", "updated", "date_time")
"""What file systems call that which changes with a file, the surest first."""

Info = Mapping[str, Any]


def listed(roots: Sequence[str], skip: Path | None = None) -> Iterator[Entry]:
    """Yield the files of all roots, each once; nothing below the local folder `skip` is among them.

    Raises DataError where there is nothing at an address, or no package opens it.
    """
    seen: set[bytes] = set()
    for number, root in enumerate(roots):
        for entry in _of_root(number, root):
            key = bytes.fromhex(entry.id)
            if key not in seen and not (skip and Path(entry.address).is_relative_to(skip)):
                seen.add(key)
                yield entry


def read_list(path: Path) -> list[str]:
    """Return the addresses of a text file, one a line. Raises DataError where it cannot be read or has none."""
    try:
        lines = [line.strip() for line in path.read_text("utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read as a list: {error}. Name a text file, an address a line.") from error
    found = [line for line in lines if line and not line.startswith("#")]
    if not found:
        raise DataError(f"{path} lists nothing. Write an address on each line.")
    return found


def read_entry(entry: Entry) -> bytes:
    """Return a file's bytes, as `sitegen predict` reads them. Raises UnreadableFile or TooLarge."""
    return read_address(entry.address)


def read_address(address: str) -> bytes:
    """Return the bytes at an address. Raises UnreadableFile, or TooLarge beyond `LARGEST_FILE` bytes."""
    if _is_local(address):
        return read_image_file(Path(address))
    try:
        system, path = _parted(address)
        with system.open(path, "rb") as file:
            data: bytes = file.read(LARGEST_FILE + 1)
    except Exception as error:  # file systems of fsspec raise what their own libraries do
        raise UnreadableFile(f"{address} cannot be read: {error}. Check the address, and your rights to it.") from error
    if len(data) > LARGEST_FILE:
        raise TooLarge(f"{address} has more than {LARGEST_FILE:,} bytes. Save the image smaller.")
    return data


def _of_root(number: int, root: str) -> Iterator[Entry]:
    try:
        system, path = url_to_fs(root)
        if any(sign in path for sign in _MAGIC) and not system.exists(path):
            base = path[: min(path.index(sign) for sign in _MAGIC if sign in path)].rpartition("/")[0]
            found: Iterable[Info] = (each for _, each in sorted(system.glob(path, detail=True).items()))
        else:
            base, found = path, _walk(system, path)
        files = (each for each in found if each["type"] != "directory" or each.get("unreadable"))
        first = next(iter(files), None)
    except Exception as error:  # file systems of fsspec raise what their own libraries do
        raise DataError(f"{root} cannot be listed: {error}. Check the address.") from error
    if first is None:
        raise DataError(f"{root} has no files. Name a folder, a file, a glob or an address that has.")
    for info in _chain(first, files):
        if not PurePosixPath(info["name"]).name.startswith("."):
            yield _entry(number, root, system, base, info)


def _chain(first: Info, others: Iterable[Info]) -> Iterator[Info]:
    yield first
    yield from others


def _walk(system: Any, path: str) -> Iterator[Info]:
    if not system.isdir(path):
        yield system.info(path)
        return
    failed: list[OSError] = []
    for _, folders, files in system.walk(path, detail=True, on_error=failed.append):
        for name in [name for name in folders if name.startswith(".")]:
            del folders[name]
        yield from (files[name] for name in sorted(files))
    for error in failed:
        yield {"name": str(error.filename or path), "type": "directory", "size": None, "unreadable": True}


def _entry(number: int, root: str, system: Any, base: str, info: Info) -> Entry:
    name = info["name"]
    inner = name.removeprefix(base).strip("/") or PurePosixPath(name).name
    stamp = next((str(info[each]) for each in _STAMPS if info.get(each) is not None), "")
    size = info.get("size")
    return Entry(_address(root, system, name), number, inner, None if size is None else int(size), stamp)


def _address(root: str, system: Any, name: str) -> str:
    if isinstance(system, LocalFileSystem):
        return name
    head, chained, tail = root.partition("::")
    if chained:
        return f"{head.partition('://')[0]}://{name}::{tail}"
    return str(system.unstrip_protocol(name))


def _is_local(address: str) -> bool:
    return "://" not in address


def _parted(address: str) -> tuple[Any, str]:
    """The file system of an address, and the path there."""
    head, chained, tail = address.partition("::")
    protocol, _, path = head.partition("://")
    return (_system(f"{protocol}://::{tail}"), path) if chained else (_system(protocol), address)


@lru_cache(4)
def _system(prefix: str) -> Any:
    """The file system of a protocol or an archive, kept: a table of contents is read once a process."""
    return url_to_fs(prefix)[0] if "::" in prefix else fsspec.filesystem(prefix)
