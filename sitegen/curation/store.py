"""What a run keeps on the disk, so that a killed one loses nothing that was written:

manifest.json     what the rows were made with; another bundle or other options are refused
listing.jsonl     the files of the last listing
parts/*.parquet   rows as they came, each part whole or not there: written under another name, then renamed
table.parquet     the finished table (see `table`)
"""

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic
from typing import Any, cast

import pyarrow as pa
import pyarrow.parquet as pq

from sitegen.curation.columns import Row
from sitegen.curation.document_types import ManifestDocument
from sitegen.curation.entries import Entry, from_line
from sitegen.errors import SettingsError
from sitegen.locking import locked

MANIFEST, LISTING, PARTS, TABLE = "manifest.json", "listing.jsonl", "parts", "table.parquet"
ROWS, SECONDS = 1024, 10.0
"""A part is written when so many rows wait, or so long after the last; a killed run loses what waits."""


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Give a path to write to beside `path`, which takes its place at the end, on the disk; nothing after an error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield beside
        with beside.open("rb+") as file:
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException as error:  # Ctrl+C too
        with suppress(OSError):
            beside.unlink()
        if isinstance(error, OSError) and error.filename is None:  # as where the disk is full
            error.filename = str(path)
        raise


class Store:
    """The folder of a run. Only one process may have it open: see `opened`."""

    def __init__(self, folder: Path, schema: pa.Schema, rows: int = ROWS, seconds: float = SECONDS) -> None:
        self.folder = folder
        self.schema = schema
        self._limits = rows, seconds
        self._waiting: list[Row] = []
        self._written = monotonic()
        self._parts = folder / PARTS
        self._number = 1 + max((int(path.stem) for path in self.parts()), default=0)

    def parts(self) -> list[Path]:
        """Return the parts in the order in which they were written; what killed runs left half written is not one."""
        return sorted(path for path in self._parts.glob("*.parquet") if path.stem.isdigit())

    def keys(self, without: Sequence[str] = ()) -> set[bytes]:
        """Return the keys of all rows that are written, but of those whose error is one of `without`."""
        found: set[bytes] = set()
        for table in self.tables(["key", "error"]):
            rows = zip(table["key"].to_pylist(), table["error"].to_pylist(), strict=True)
            found.update(bytes.fromhex(key) for key, error in rows if error not in without)
        return found

    def tables(self, columns: list[str] | None = None) -> Iterator[pa.Table]:
        """Yield the parts as tables. A part that a disk has damaged is taken out: its images are scored again."""
        for path in self.parts():
            try:
                yield pq.read_table(path, columns=columns, partitioning=None)
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
                path.unlink()

    def add(self, rows: Iterable[Row]) -> None:
        """Take rows, and write a part where enough of them wait. Raises OSError where the disk is full."""
        self._waiting.extend(rows)
        most, longest = self._limits
        if len(self._waiting) >= most or monotonic() - self._written >= longest:
            self.flush()

    def flush(self) -> None:
        """Write the rows that wait as a part."""
        if self._waiting:
            table = pa.Table.from_pylist(self._waiting, schema=self.schema)
            with atomic(self._parts / f"{self._number:08d}.parquet") as path:
                pq.write_table(table, path, compression="zstd")
            self._number += 1
            self._waiting = []
        self._written = monotonic()

    def list_files(self, entries: Iterable[Entry]) -> int:
        """Write the listing, and return how many files are in it."""
        count = 0
        with atomic(self.folder / LISTING) as path, path.open("w", encoding="ascii") as file:
            for entry in entries:
                file.write(entry.line())
                count += 1
        return count

    def listing(self) -> Iterator[Entry]:
        """Yield the files of the last listing."""
        with (self.folder / LISTING).open(encoding="ascii") as file:
            yield from map(from_line, file)


@contextmanager
def opened(folder: Path, manifest: ManifestDocument, schema: pa.Schema, rows: int = ROWS) -> Iterator[Store]:
    """Give the store of a folder, made where it is missing, to this process alone; `rows` are those of a part.

    Raises SettingsError where another process has it, or it was made with another bundle or other options.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder / ".curate.lock") as is_mine:
        if not is_mine:
            raise SettingsError(
                f"{folder} is in use: another curation writes there. Wait for it, stop it, or name another --out."
            )
        _clear(folder)
        before = read_manifest(folder)
        if before:
            _check_same(folder, before, manifest)
        write_manifest(folder, _joined(before, manifest))
        yield Store(folder, schema, rows)


def read_manifest(folder: Path) -> ManifestDocument | None:
    """Return a folder's manifest, None where it has none. Raises SettingsError for what is none."""
    try:
        return cast(ManifestDocument, json.loads((folder / MANIFEST).read_text("utf-8")))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise SettingsError(f"{folder / MANIFEST} is no manifest: {error}. Name another folder.") from error


def write_manifest(folder: Path, manifest: ManifestDocument) -> None:
    """Write a folder's manifest, as a whole or not at all."""
    write_json(folder / MANIFEST, manifest)


def write_json(path: Path, document: Any) -> None:
    """Write a document, as a whole or not at all."""
    with atomic(path) as beside:
        beside.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n", encoding="utf-8", newline="\n")


def _joined(before: ManifestDocument | None, now: ManifestDocument) -> ManifestDocument:
    earlier = before["versions"] if before else []
    return {**now, "versions": [*earlier, *(each for each in now["versions"] if each not in earlier)]}


def _check_same(folder: Path, before: ManifestDocument, now: ManifestDocument) -> None:
    for what, first, second in (
        ("in the schema", before.get("schema"), now["schema"]),
        ("with the bundle", before.get("bundle"), now["bundle"]),
        ("with the options", before.get("options"), now["options"]),
    ):
        if first != second:
            raise SettingsError(
                f"{folder} was made {what} {json.dumps(first)}, and this is {json.dumps(second)}. "
                "Rows of both would be mixed: name another --out."
            )


def _clear(folder: Path) -> None:
    """Take away what killed runs left half written."""
    for path in [*folder.glob(".*.tmp"), *(folder / PARTS).glob(".*.tmp")]:
        path.unlink(missing_ok=True)
