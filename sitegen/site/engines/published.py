"""What the packages of the lock hold, as they were published: the SHA-256 of each file.

The lock has the SHA-512 of each package's archive. An installed folder cannot be compared with that, and npm itself
ends well on a full disk, with empty files. So the archives are fetched once, compared with the lock, and listed.
"""

import base64
import binascii
import io
import json
import tarfile
import tempfile
import zlib
from hashlib import sha256, sha512
from pathlib import Path

from sitegen.errors import AssetError
from sitegen.site.cache import cached_file, key_of
from sitegen.site.engines.node import find_node

Hashes = dict[str, str]  # file below node_modules, with slashes -> SHA-256


def published_files(lock: bytes) -> Hashes:
    """Return the hashes of all files of the packages in a package-lock.json, but for optional ones.

    Raises AssetError where an archive cannot be had, or is not the one that the lock names.
    """
    content = cached_file("published", key_of([b"files of packages", lock]), lambda: _listed(lock))
    return {str(name): str(digest) for name, digest in json.loads(content).items()}


def damaged_file(modules: Path, published: Hashes) -> str | None:
    """Return the first file below `modules` that is missing or not as it was published; None where all are."""
    return next((name for name, digest in published.items() if _hash_of(modules / name) != digest), None)


def _hash_of(path: Path) -> str | None:
    try:
        return sha256(path.read_bytes()).hexdigest()
    except OSError:
        return None


def _listed(lock: bytes) -> bytes:
    entries = {
        place.removeprefix("node_modules/"): entry
        for place, entry in json.loads(lock)["packages"].items()
        if place and not entry.get("optional")
    }
    wanted = [f"{name}@{entry['version']}" for name, entry in entries.items()]
    hashes: Hashes = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        what = "Fetching the archives of Pyodide, ONNX Runtime Web and codecs with npm"
        find_node().run_npm(["pack", "--ignore-scripts", "--prefer-offline", *wanted], folder=folder, what=what)
        for package, entry in entries.items():
            hashes |= files_of_archive(package, _archive(folder, package, entry["version"]), entry["integrity"])
    return json.dumps(hashes, sort_keys=True).encode()


def _archive(folder: Path, package: str, version: str) -> bytes:
    path = folder / f"{package.removeprefix('@').replace('/', '-')}-{version}.tgz"  # as npm calls them
    return path.read_bytes() if path.is_file() else b""


def files_of_archive(package: str, archive: bytes, integrity: str) -> Hashes:
    """Return the hashes of the files in a package's archive, by their places below node_modules.

    `integrity` is the lock's: "sha512-" and the hash in base64. Raises AssetError where the archive has another one.
    """
    found = f"sha512-{base64.b64encode(sha512(archive).digest()).decode()}"
    if found != integrity:
        raise AssetError(
            f"The archive of {package} that npm fetched ({len(archive)} bytes) is not the one that package-lock.json "
            "names. Look whether the disk is full, then build again; if that does not help, run "
            "`npm cache clean --force` first."
        )
    try:
        with tarfile.open(fileobj=io.BytesIO(archive)) as members:
            return {
                f"{package}/{member.name.partition('/')[2]}": sha256(file.read()).hexdigest()
                for member in members
                if (file := members.extractfile(member))
            }
    except (tarfile.TarError, zlib.error, binascii.Error, EOFError, OSError) as error:
        raise AssetError(f"The archive of {package} cannot be read: {error}.") from None
