"""Pyodide's memory after it has imported the runtime: start-up in the page becomes a copy.

The snapshot is made by Node.js and kept by the hash of everything it depends on.
"""

import tempfile
from pathlib import Path

from sitegen import resources
from sitegen.site.cache import cached_file, key_of
from sitegen.site.engines.files import EngineFiles
from sitegen.site.engines.node import find_node
from sitegen.site.python.runtime_wheel import RuntimeWheel, write_wheel


def make_snapshot(engines: EngineFiles, wheel: RuntimeWheel, lock: str) -> bytes:
    """Return the snapshot (about 30 MB, 5 MB compressed). Raises AssetError where Node.js fails."""
    script = resources.engines() / "snapshot.mjs"

    def make() -> bytes:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            write_wheel(wheel, folder)
            (folder / "lock.json").write_text(lock, encoding="utf-8")
            arguments = [
                str(script),
                str(engines.pyodide),
                str(folder / "lock.json"),
                name,
                str(folder / "snapshot.bin"),
            ]
            find_node().run(arguments, folder=folder, what="Making Pyodide's memory snapshot")
            return (folder / "snapshot.bin").read_bytes()

    parts = (engines.version("pyodide").encode(), lock.encode(), script.read_bytes())
    return cached_file("snapshots", key_of(parts), make)
