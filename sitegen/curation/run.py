"""A run: list the files, score those that have no row yet, finish the table. Stopped, the same call goes on."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from platform import python_version
from typing import Protocol

from sitegen import __version__
from sitegen.bundle import Bundle
from sitegen.curation.addresses import listed
from sitegen.curation.columns import SCHEMA, Options, columns_of
from sitegen.curation.document_types import ManifestDocument
from sitegen.curation.engine.work import Batch, Rows
from sitegen.curation.entries import Entry
from sitegen.curation.scoring import LOST
from sitegen.curation.store import ROWS, Store, opened, read_manifest, write_manifest
from sitegen.curation.table import finish
from sitegen_runtime.errors import EngineFailed, UnreadableFile

BATCH = 16
AGAIN = (UnreadableFile.code, EngineFailed.code, LOST)
"""Errors that another time might not be there: `retry` scores these files again."""

_PACKAGES = ("numpy", "onnxruntime", "pillow", "pyarrow")


class Engine(Protocol):
    """Scores batches, and gives their rows in any order."""

    def rows(self, batches: Iterator[Batch]) -> Iterator[Rows]:
        """Yield the rows of each batch once."""
        ...


@dataclass(frozen=True)
class Asked:
    """What is looked through, with what, and where the rows go."""

    roots: Sequence[str]
    out: Path
    bundle: Bundle
    options: Options = field(default_factory=Options)
    batch: int = BATCH
    part: int = ROWS
    retry: bool = False


@dataclass
class State:
    """How far a run has come: files in all, those that had a row before, those that were scored, and bad ones."""

    total: int = 0
    before: int = 0
    scored: int = 0
    failed: int = 0


def run(asked: Asked, engine: Engine, tell: Callable[[State], None] = lambda state: None) -> State:
    """Bring a folder to the state of the files, and return what was done; `tell` hears of every batch.

    Rows that came are written when it ends, however that may be. Raises DataError where an address cannot be listed,
    SettingsError where the folder is of another bundle or in use, OSError where the disk is full, and what the engine
    raises.
    """
    manifest = _manifest(asked)
    with opened(asked.out, manifest, columns_of(asked.bundle.model, asked.options).schema, asked.part) as store:
        skip = asked.out.resolve()
        state = State(total=store.list_files(listed(asked.roots, skip)))
        done = store.keys(AGAIN if asked.retry else ())
        state.before = sum(bytes.fromhex(entry.key) in done for entry in store.listing())
        tell(state)
        _score(store, engine, _batches(store, done, asked.batch), state, tell)
        table = finish(store)
        written = read_manifest(asked.out) or manifest
        state.failed = len(table) - table["error"].null_count
        write_manifest(asked.out, {**written, "complete": True, "images": state.total, "failed": state.failed})
    return state


def _score(store: Store, engine: Engine, batches: Iterator[Batch], state: State, tell: Callable[[State], None]) -> None:
    try:
        for rows in engine.rows(batches):
            store.add(rows)
            state.scored += len(rows)
            state.failed += sum("error" in row for row in rows)
            tell(state)
    except BaseException:  # Ctrl+C too
        with suppress(OSError):  # as where the disk is full already
            store.flush()
        raise
    store.flush()


def _batches(store: Store, done: set[bytes], size: int) -> Iterator[Batch]:
    todo = (entry for entry in store.listing() if bytes.fromhex(entry.key) not in done)
    while batch := list[Entry](islice(todo, size)):
        yield batch


def _manifest(asked: Asked) -> ManifestDocument:
    model = asked.bundle.model
    versions = {name: version(name) for name in _PACKAGES} | {"python": python_version(), "sitegen": __version__}
    return {
        "schema": SCHEMA,
        "bundle": {"name": model.name, "version": model.version, "sha256": model.sha256},
        "options": {"force": asked.options.force, "distances": asked.options.distances},
        "roots": list(asked.roots),
        "versions": [versions],
        "complete": False,
        "images": None,
        "failed": None,
    }
