"""What was downloaded or made once is kept by the hash of what it was made from."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from platformdirs import user_cache_path


def cache_folder() -> Path:
    """Return the cache's folder: `SITEGEN_CACHE` where that is set, else the place that the system has for caches."""
    named = os.environ.get("SITEGEN_CACHE")
    folder = Path(named) if named else user_cache_path("sitegen")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def key_of(parts: Iterable[bytes]) -> str:
    """Return the key of something made from these inputs, in this order."""
    digest = sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return digest.hexdigest()


def cached_file(kind: str, key: str, make: Callable[[], bytes]) -> bytes:
    """Return what `make` gave for this key the first time it was asked.

    The file's name ends in the SHA-256 of its content, which is compared each time: what a full disk cut short or a bad
    sector changed is made again. A cache that cannot be written costs time only.
    """
    folder = cache_folder() / kind
    for path in folder.glob(f"{key}.*"):
        try:
            kept = path.read_bytes()
        except OSError:
            continue
        if path.name == _name(key, kept):
            return kept
        path.unlink(missing_ok=True)
    content = make()
    with suppress(OSError):
        _keep(folder / _name(key, content), content)
    return content


def _name(key: str, content: bytes) -> str:
    return f"{key}.{sha256(content).hexdigest()}"


def _keep(path: Path, content: bytes) -> None:
    """Write a file under its name when it is whole: an interrupted build leaves no half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as part:
        try:
            part.write(content)
            part.close()
            Path(part.name).replace(path)
        except OSError:
            Path(part.name).unlink(missing_ok=True)
            raise


def cached_folder(
    kind: str, key: str, make: Callable[[Path], None], is_whole: Callable[[Path], bool] = lambda folder: True
) -> Path:
    """Return a folder that `make` filled the first time this key was asked for, and again where it is not whole."""
    path = cache_folder() / kind / key
    if path.is_dir():
        if is_whole(path):
            return path
        shutil.rmtree(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(dir=path.parent))
    try:
        make(part)
        part.replace(path)
    except OSError:
        if not path.is_dir():  # another build was quicker
            raise
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return path
