"""Putting a finished bundle in the place of an older one, as a whole, with what people added there."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sitegen import replacing
from sitegen.bundle import DESCRIPTION
from sitegen.errors import BundleError


@contextmanager
def in_place_of(out: Path) -> Iterator[Path]:
    """Give a new folder beside `out`, and put it in the place of `out` at the end; after an error all is as it was.

    Files in `out` that are no part of the old bundle are kept. Raises BundleError where `out` is a file, or a folder of
    other things.
    """
    replacing.recover(out)
    with replacing.in_place_of(out, _files_of_bundle(out)) as folder:
        yield folder


def _files_of_bundle(out: Path) -> set[str]:
    """The files of the bundle that is in `out`; none where there is nothing at all."""
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return set()
    try:
        return {DESCRIPTION, *json.loads((out / DESCRIPTION).read_bytes())["files"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BundleError(f"{out} is there and is no bundle: name another folder with -o.") from error
