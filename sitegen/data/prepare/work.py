"""All files of a folder through one change, into another folder: shared by processes, resumed, bad files reported.

    OUT/prepared.json     what went in, by SHA-256, what was made of it, and how
    OUT/.prepared.jsonl   the same while it is made, a line for each file, in case the work is killed

The same command goes on where it was: what is recorded is taken as done where the bytes that went in, and those that
came out, still have the hashes that were written down.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeAlias

from sitegen import __version__
from sitegen.data.prepare.document_types import SCHEMA, MadeFile, PreparedDocument, PreparedFile, Setting
from sitegen.data.prepare.sources import Source, listed
from sitegen.errors import DataError
from sitegen.parallel import streamed
from sitegen.prediction.reading import read_image_file
from sitegen_runtime.errors import AnalysisError

DOCUMENT = "prepared.json"
_JOURNAL = ".prepared.jsonl"
_ALONE = 8
"""Files that one process reads by itself: more are worth the start of others."""

Settings: TypeAlias = "Mapping[str, Setting]"
Made: TypeAlias = "tuple[str, bytes]"
"""A file to write: its name below OUT, and its bytes."""
Change: TypeAlias = "Callable[[Source, bytes], Iterable[Made]]"
"""What is made of a source and its bytes. It raises DataError or AnalysisError where nothing can be."""


@dataclass(frozen=True)
class Task:
    """What a verb does: its name, what was chosen, and the change. It is sent to other processes."""

    verb: str
    settings: Settings
    change: Change


def prepare(task: Task, sources: Sequence[Source], out: Path, workers: int | None = None) -> PreparedDocument:
    """Write what the change makes of every source into `out`, and `prepared.json`; return that document.

    A source of which nothing can be made has a problem in the document; the others are done all the same. Raises
    DataError, before any work, where `out` holds what this command did not make, or made with other settings or of
    other files. Raises OSError where `out` cannot be written.
    """
    done = _done_before(task, sources, out)
    out.mkdir(parents=True, exist_ok=True)
    files: list[PreparedFile] = []
    with (out / _JOURNAL).open("a", encoding="utf-8", newline="\n") as journal:
        _note(journal, _head(task))
        for file in streamed(_Worker(task, out, done), sources, workers, alone=_ALONE, chunk=2, of="files"):
            files.append(file)
            if not file["problem"]:
                _note(journal, file)
    document = PreparedDocument(
        schema=SCHEMA, sitegen=__version__, verb=task.verb, settings=dict(task.settings), files=files
    )
    _write(out / DOCUMENT, (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode())
    (out / _JOURNAL).unlink()
    return document


def problems(document: PreparedDocument) -> list[tuple[str, str]]:
    """Return the names of files of which nothing was made, each with the reason."""
    return [(file["file"], file["problem"]) for file in document["files"] if file["problem"]]


@dataclass(frozen=True)
class _Worker:
    """What a process does with one source. Called, it returns what the document says of it."""

    task: Task
    out: Path
    done: Mapping[str, PreparedFile]

    def __call__(self, source: Source) -> PreparedFile:
        file = PreparedFile(file=source.name, sha256="", mask_sha256="", made=[], problem="")
        try:
            raw = source.read()
            file["sha256"] = sha256(raw).hexdigest()
            if source.mask:
                file["mask_sha256"] = sha256(read_image_file(source.mask)).hexdigest()
        except AnalysisError as error:
            return file | {"problem": _said(error, source)}
        before = self.done.get(source.name)
        return before if before and _is_intact(before, file, self.out) else self._made(source, raw, file)

    def _made(self, source: Source, raw: bytes, file: PreparedFile) -> PreparedFile:
        changed = iter(self.task.change(source, raw))
        while True:
            try:
                made = next(changed, None)
            except (AnalysisError, DataError, MemoryError) as error:
                for each in file["made"]:
                    (self.out / each["file"]).unlink(missing_ok=True)
                return file | {"made": [], "problem": _said(error, source)}
            if made is None:
                return file
            name, data = made
            _write(self.out / name, data)  # a full disk is no fault of the file, and ends the work
            file["made"].append(MadeFile(file=name, sha256=sha256(data).hexdigest()))


def _said(error: Exception, source: Source) -> str:
    if isinstance(error, MemoryError):
        return "It does not fit into memory. Close other programs, or name fewer --workers."
    return str(error).removeprefix(f"{source.path} ").removeprefix(f"{source.path}: ")


def _is_intact(before: PreparedFile, now: PreparedFile, out: Path) -> bool:
    same = before["sha256"] == now["sha256"] and before["mask_sha256"] == now["mask_sha256"]
    return same and all(_hash_of(out / each["file"]) == each["sha256"] for each in before["made"])


def _hash_of(path: Path) -> str:
    try:
        return sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


def _head(task: Task) -> dict[str, Any]:
    return {"schema": SCHEMA, "verb": task.verb, "settings": dict(task.settings)}


def _done_before(task: Task, sources: Sequence[Source], out: Path) -> dict[str, PreparedFile]:
    """What earlier runs of the same command made, by the names of its sources."""
    if out.exists() and not out.is_dir():
        raise DataError(f"{out} is a file. Name a folder for what is made.")
    if any(source.path.resolve().is_relative_to(out.resolve()) for source in sources):
        raise DataError(f"{out} holds the files that are read. Name another folder, so that nothing gets mixed.")
    heads, files = _recorded(out)
    if not heads and out.exists() and any(out.iterdir()):
        raise DataError(f"{out} is not an empty folder. Name another, so that nothing gets mixed.")
    if other := next((head for head in heads if head != _head(task)), None):
        raise DataError(
            f"{out} was made by `sitegen data {other.get('verb')}` with {_in_words(other.get('settings'))}, and now "
            f"it is `{task.verb}` with {_in_words(task.settings)}. Name another folder, or remove that one."
        )
    names = {source.name for source in sources}
    if gone := [name for name, file in files.items() if file["made"] and name not in names]:
        raise DataError(f"{out} holds what was made of files that are gone: {listed(gone)}. Name another folder.")
    return files


def _in_words(settings: object) -> str:
    if not isinstance(settings, Mapping):
        return "other settings"
    return ", ".join(f"{name} {value}" for name, value in settings.items()) or "no settings"


def _recorded(out: Path) -> tuple[list[dict[str, Any]], dict[str, PreparedFile]]:
    """The heads of document and journal, and the files that they record. A journal's last line may be cut short."""
    heads: list[dict[str, Any]] = []
    files: dict[str, PreparedFile] = {}
    document = _json(_text(out / DOCUMENT))
    if document.get("schema") == SCHEMA:
        heads.append({key: document.get(key) for key in ("schema", "verb", "settings")})
        files.update({file["file"]: file for file in document["files"] if not file["problem"]})
    for line in _text(out / _JOURNAL).splitlines():
        entry = _json(line)
        if "schema" in entry:
            heads.append(entry)
        elif "file" in entry:
            files[entry["file"]] = PreparedFile(**entry)  # type: ignore[typeddict-item]
    return heads, files


def _text(path: Path) -> str:
    return path.read_text("utf-8", "replace") if path.is_file() else ""


def _json(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _note(journal: Any, entry: Mapping[str, Any]) -> None:
    journal.write(json.dumps(entry) + "\n")
    journal.flush()


def _write(path: Path, data: bytes) -> None:
    """Write a file whole, or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f".{path.name[-100:]}.half")
    half.write_bytes(data)
    half.replace(path)
