"""Pyodide, ONNX Runtime Web, codecs and js-sha256, exactly as `engines/package-lock.json` pins them.

npm checks every package against the lock's SHA-512 before it unpacks it. What it installed is kept by the hash of the
lock, so that only the first build needs a network.
"""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from sitegen import resources
from sitegen.errors import AssetError
from sitegen.site.cache import cached_folder, key_of
from sitegen.site.engines.node import find_node


@dataclass(frozen=True)
class EngineFiles:
    """The folders of the packages that are shipped to browsers."""

    modules: Path

    def read(self, package: str, name: str) -> bytes:
        """Return a file of a package. Raises AssetError where it is missing."""
        path = self.modules / package / name
        if not path.is_file():
            raise AssetError(f"{package} has no file {name}: delete {self.modules.parent} and build again.")
        return path.read_bytes()

    def version(self, package: str) -> str:
        """Return the version of a package."""
        return str(json.loads(self.read(package, "package.json"))["version"])

    @property
    def pyodide(self) -> Path:
        """The folder of Pyodide's distribution."""
        return self.modules / "pyodide"


def install_engines() -> EngineFiles:
    """Return the engines, from the cache or from the npm registry."""
    source = resources.engines()
    names = ("package.json", "package-lock.json")

    def install(folder: Path) -> None:
        for name in names:
            shutil.copy(source / name, folder / name)
        # No package may run a script of its own on the machine that builds, nor bring programs for that machine.
        arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--omit=dev", "--omit=optional"]
        find_node().run_npm(arguments, folder=folder, what="Installing Pyodide, ONNX Runtime Web and codecs with npm")

    key = key_of((source / name).read_bytes() for name in names)
    return EngineFiles(cached_folder("engines", key, install) / "node_modules")
