"""Putting a finished folder in the place of an older one, as a whole, with what people added there."""

import shutil
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def in_place_of(out: Path, made: Collection[str]) -> Iterator[Path]:
    """Give a new folder beside `out`, and put it in the place of `out` at the end; after an error all is as it was.

    `made` names those files of `out`, by their paths in it, that the new folder replaces or leaves behind; all others
    are people's, and are kept where the new folder has none of the name. An interruption counts as an error.
    """
    out = out.resolve()  # "." has no parent that a folder could be made in
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".sitegen-") as name:
        folder, old = Path(name) / "new", Path(name) / "old"
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


def _keep_added(old: Path, made: Collection[str], new: Path) -> None:
    for path in old.rglob("*"):
        name = path.relative_to(old).as_posix()
        if path.is_file() and name not in made and not (new / name).exists():
            (new / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, new / name)
