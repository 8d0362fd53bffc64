"""What a site was built from, exactly, so that it can be built again and compared: `build.json` (sitegen.build/1).

It names what the files depend on and nothing else: no time, no place, no machine. So two builds of the same sources
with the same packages have the same record, as they have the same site; where two sites differ, two records tell why.
"""

import json
from collections.abc import Sequence
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from sitegen import __version__, resources
from sitegen.bundle import Bundle
from sitegen.site.bundle_assets import identity
from sitegen.site.options import SiteOptions

SCHEMA = "sitegen.build/1"
WRITERS = (
    *("cyclonedx-python-lib", "deflate", "jinja2", "markdown-it-py", "markupsafe", "mdurl", "numpy"),
    *("onnxruntime", "packageurl-python", "packaging", "pillow", "pyodide-lock"),
)
"""Packages whose version may change a byte of a site. Python's and Node.js's do not (docs/security.md)."""


def build_record(bundles: Sequence[Bundle], options: SiteOptions | None = None) -> str:
    """Return the record as JSON."""
    fields = {
        "schema": SCHEMA,
        "sitegen": __version__,
        "sources": {
            "sitegen": tree_hash(resources.engines().parents[1], but=("_shipped",)),
            "sitegen_runtime": tree_hash(resources.runtime_source()),
            "templates": tree_hash(resources.templates()),
        },
        "packages": {name: _version(name) for name in WRITERS},
        "engines": _engines(),
        "bundles": [identity(bundle) for bundle in bundles],
        "wheels": {wheel.file: sha256(wheel.content).hexdigest() for wheel in options.wheels} if options else {},
    }
    return json.dumps(fields, indent=1, ensure_ascii=False) + "\n"


def tree_hash(folder: Path, but: Sequence[str] = ()) -> str:
    """Return the SHA-256 of a folder's files: of lines as `sha256sum` writes them, sorted by path.

    Bytecode, and what lies in a folder of a name in `but`, is left out.
    """
    left_out = {"__pycache__", *but}
    paths = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    lines = (
        f"{sha256(path.read_bytes()).hexdigest()}  {name}\n"
        for name, path in sorted(paths.items())
        if not left_out & set(name.split("/"))
    )
    return sha256("".join(lines).encode()).hexdigest()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:  # vendored, or under another name
        return None


def _engines() -> dict[str, dict[str, Any]]:
    """Version and hash of the packages that are shipped to browsers, as the lock has them."""
    lock = json.loads((resources.engines() / "package-lock.json").read_bytes())["packages"]
    return {
        name.removeprefix("node_modules/"): {"version": entry["version"], "integrity": entry["integrity"]}
        for name, entry in sorted(lock.items())
        if "integrity" in entry and not (entry.get("optional") or entry.get("dev"))
    }
