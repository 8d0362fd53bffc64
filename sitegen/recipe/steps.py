"""Steps that are skipped where they are done: each has a key of all that its outcome depends on.

The keys of finished steps are kept in a file. A step runs again where its key is another one, or where what it wrote is
gone; a step that is interrupted has no key yet, and so runs again.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path


@dataclass(frozen=True)
class Step:
    """Something to be done: `key` says what it depends on when its turn comes, `writes` what must be there after it."""

    name: str
    key: Callable[[], str]
    writes: tuple[Path, ...]
    run: Callable[[], None]


def run_steps(steps: Iterable[Step], stamps: Path, say: Callable[[str], None]) -> list[str]:
    """Run those steps that are not done yet, in order; return their names. `say` is told of every step.

    `stamps` is the file with the keys of finished steps, made where it is missing; a damaged one counts as none.
    """
    done = _read(stamps)
    ran = []
    for step in steps:
        key = step.key()
        if done.get(step.name) == key and all(path.exists() for path in step.writes):
            say(f"{step.name}: done before")
            continue
        say(f"{step.name}: begins")
        done.pop(step.name, None)
        _write(stamps, done)
        step.run()
        done[step.name] = key
        _write(stamps, done)
        ran.append(step.name)
    return ran


def key_of(*parts: object) -> str:
    """Return a key of plain values and of the contents of files and folders, for which their paths stand."""
    return sha256("\n".join(_described(part) for part in parts).encode()).hexdigest()


def _described(part: object) -> str:
    if not isinstance(part, Path):
        return repr(part)
    files = sorted(path for path in part.rglob("*") if path.is_file()) if part.is_dir() else [part]
    return repr([(path.name, sha256(path.read_bytes()).hexdigest()) for path in files if path.exists()])


def _read(stamps: Path) -> dict[str, str]:
    try:
        document = json.loads(stamps.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}


def _write(stamps: Path, done: dict[str, str]) -> None:
    stamps.parent.mkdir(parents=True, exist_ok=True)
    unfinished = stamps.with_suffix(".unfinished")
    unfinished.write_text(json.dumps(done, indent=1), encoding="utf-8")
    unfinished.replace(stamps)
