"""Putting a finished folder in the place of an older one, as a whole, with what people added there.

The new folder is made in a hidden one beside its place, `.sitegen-…`, and the old one waits there while it is
replaced:

    .sitegen-…/lock    locked as long as the process runs that made it
    .sitegen-…/place   the name of the folder to be replaced
    .sitegen-…/new     the folder that is being made
    .sitegen-…/old     the old one, from the moment in which it is complete

A process that is killed leaves it behind. Whoever works beside it next clears it away; and where the old folder had
left its place already, the new one, which is complete then, takes it.
"""

import shutil
import tempfile
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sitegen.errors import SettingsError
from sitegen.locking import locked

PREFIX = ".sitegen-"
_NEW, _OLD, _LOCK, _PLACE = "new", "old", "lock", "place"
_UNLOCKED_SECONDS = 3600.0  # a folder without a lock was made a moment ago, or by an older version


@contextmanager
def in_place_of(out: Path, made: Collection[str]) -> Iterator[Path]:
    """Give a new folder beside `out`, and put it in the place of `out` at the end; after an error all is as it was.

    `made` names those files of `out`, by their paths in it, that the new folder replaces or leaves behind; all others
    are people's, and are kept where the new folder has none of the name. An interruption counts as an error. Raises
    SettingsError as `check_place` does.
    """
    check_place(out)
    out = out.resolve()  # a link stays, and what it leads to is replaced
    out.parent.mkdir(parents=True, exist_ok=True)
    recover(out)
    with _beside(out) as work:
        folder, old = work / _NEW, work / _OLD
        folder.mkdir()
        yield folder
        if not out.exists():
            folder.replace(out)
            return
        _keep_added(out, made, folder)
        out.replace(old)
        try:
            folder.replace(out)
        except BaseException:  # Ctrl+C too
            if not out.exists():
                old.replace(out)
            raise


def check_place(out: Path) -> None:
    """Raise SettingsError where a folder cannot be replaced as a whole: somebody stands in it, or it is a disk's root.

    It is moved away, and the current folder, or the shell's, would go with it.
    """
    place = out.resolve()
    if Path.cwd().is_relative_to(place) or place.parent == place:
        raise SettingsError(
            f"{out} is the folder that you are in, or one above it, and is replaced as a whole. Name a folder inside "
            "it, such as dist, or run the command from elsewhere."
        )


def recover(out: Path) -> None:
    """Clear away what killed processes left beside `out`; where one of them had taken it away, put it back, complete.

    What belongs to a process that runs is left alone. Nothing is raised where there is nothing to do, or no right to.
    """
    with suppress(OSError):
        place = out.resolve()
        for left in sorted(place.parent.glob(f"{PREFIX}*")):
            with suppress(OSError):
                _recover(left)


def _recover(left: Path) -> None:
    if not left.is_dir() or left.is_symlink():
        return
    if not (left / _PLACE).exists():  # it is written once the lock is held
        known = all(entry.name in (_LOCK, _NEW, _OLD) for entry in left.iterdir())
        if known and time.time() - left.stat().st_mtime > _UNLOCKED_SECONDS and not (left / _OLD).exists():
            shutil.rmtree(left)
        return
    with locked(left / _LOCK, where_there_are_none=False) as is_dead:
        if is_dead:
            _put_back(left)
    if is_dead:
        shutil.rmtree(left)


def _put_back(left: Path) -> None:
    """Fill an empty place: with the new folder, for the old one was moved away only when that was complete."""
    if not (left / _OLD).exists():
        return
    place = left.parent / Path((left / _PLACE).read_text("utf-8")).name
    if not place.exists():
        (left / (_NEW if (left / _NEW).exists() else _OLD)).replace(place)


@contextmanager
def _beside(out: Path) -> Iterator[Path]:
    """Give a hidden folder beside `out`, locked while it is there."""
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=PREFIX, ignore_cleanup_errors=True) as name:
        work = Path(name)
        with locked(work / _LOCK):
            (work / _PLACE).write_text(out.name, encoding="utf-8")
            yield work


def _keep_added(old: Path, made: Collection[str], new: Path) -> None:
    for path in old.rglob("*"):
        name = path.relative_to(old).as_posix()
        if path.is_file() and name not in made and not (new / name).exists():
            (new / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, new / name)
