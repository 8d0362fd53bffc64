"""Putting a finished bundle in the place of an older one, as a whole, with what people added there."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sitegen.bundle import DESCRIPTION
from sitegen.errors import BundleError


@contextmanager
def in_place_of(out: Path) -> Iterator[Path]:
    """Give a new folder beside `out`, and put it in the place of `out` at the end; after an error all is as it was.

    Files in `out` that are no part of the old bundle are kept. Raises BundleError where `out` is a file, or a folder of
    other things.
    """
    old_files = _files_of_bundle(out)
    out = out.resolve()  # "." has no parent that a folder could be made in
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".sitegen-") as name:
        folder = Path(name) / "bundle"
        folder.mkdir()
        yield folder
        if not out.exists():
            folder.replace(out)
            return
        _keep_added(out, old_files, folder)
        old = Path(name) / "old"
        out.replace(old)
        try:
            folder.replace(out)
        except OSError:
            old.replace(out)
            raise


def _files_of_bundle(out: Path) -> set[str]:
    """The files of the bundle that is in `out`; none where there is nothing at all."""
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return set()
    try:
        return {DESCRIPTION, *json.loads((out / DESCRIPTION).read_bytes())["files"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BundleError(f"{out} is there and is no bundle: name another folder with -o.") from error


def _keep_added(old: Path, known: set[str], new: Path) -> None:
    for path in old.rglob("*"):
        name = path.relative_to(old).as_posix()
        if path.is_file() and name not in known and not (new / name).exists():
            (new / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, new / name)
