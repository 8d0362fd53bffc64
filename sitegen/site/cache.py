"""What was downloaded or made once is kept by the hash of what it was made from."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
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
    """Return what `make` gave for this key the first time it was asked."""
    path = cache_folder() / kind / key
    if path.is_file():
        return path.read_bytes()
    content = make()
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as part:
        part.write(content)
    Path(part.name).replace(path)  # so that an interrupted build leaves no half of a file
    return content


def cached_folder(kind: str, key: str, make: Callable[[Path], None]) -> Path:
    """Return a folder that `make` filled the first time this key was asked for."""
    path = cache_folder() / kind / key
    if path.is_dir():
        return path
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
