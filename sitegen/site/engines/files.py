"""Pyodide, ONNX Runtime Web, codecs and js-sha256, exactly as `engines/package-lock.json` pins them.

npm checks every package against the lock's SHA-512 before it unpacks it. What it installed is kept by the hash of the
lock, so that only the first build needs a network. Each file is compared with the published one when the folder is
taken from the cache, and again when it is read to be packed.
"""

import json
import shutil
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from sitegen import resources
from sitegen.errors import AssetError
from sitegen.site.cache import cached_folder, key_of
from sitegen.site.engines.node import find_node
from sitegen.site.engines.published import Hashes, damaged_file, published_files

MODULES = "node_modules"


@dataclass(frozen=True)
class EngineFiles:
    """The folders of the packages that are shipped to browsers, and the hashes that their files must have."""

    modules: Path
    published: Hashes = field(repr=False)

    def read(self, package: str, name: str) -> bytes:
        """Return a file of a package. Raises AssetError where it is missing, or is not as it was published."""
        path = self.modules / package / name
        if not path.is_file():
            raise AssetError(f"{package} has no file {name}: delete {self.modules.parent} and build again.")
        content = path.read_bytes()
        if sha256(content).hexdigest() != self.published.get(f"{package}/{name}"):
            raise AssetError(
                f"{path} is not the file that {package} was published with: delete {self.modules.parent} and "
                "build again."
            )
        return content

    def version(self, package: str) -> str:
        """Return the version of a package."""
        return str(json.loads(self.read(package, "package.json"))["version"])

    @property
    def pyodide(self) -> Path:
        """The folder of Pyodide's distribution."""
        return self.modules / "pyodide"


def install_engines() -> EngineFiles:
    """Return the engines, from the cache or from the npm registry.

    Raises AssetError where they cannot be had, or what npm installed is not what was published.
    """
    source = resources.engines()
    names = ("package.json", "package-lock.json")
    published = published_files((source / "package-lock.json").read_bytes())

    def install(folder: Path) -> None:
        for name in names:
            shutil.copy(source / name, folder / name)
        # No package may run a script of its own on the machine that builds, nor bring programs for that machine.
        arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--omit=dev", "--omit=optional"]
        find_node().run_npm(arguments, folder=folder, what="Installing Pyodide, ONNX Runtime Web and codecs with npm")
        damaged = damaged_file(folder / MODULES, published)
        if damaged:
            raise AssetError(
                f"npm installed {damaged}, but not as it was published. Look whether the disk is full, then build "
                "again."
            )

    key = key_of((source / name).read_bytes() for name in names)
    folder = cached_folder("engines", key, install, lambda kept: damaged_file(kept / MODULES, published) is None)
    return EngineFiles(folder / MODULES, published)
