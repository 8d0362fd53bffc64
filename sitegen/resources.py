"""Where the files that ship with sitegen are, in a checkout and when installed: the one place that knows.

A wheel carries templates and models inside the package (`sitegen/_shipped/`); in a checkout they lie at its root.
The runtime is a package of its own, found by importing it.
"""

from pathlib import Path

import sitegen_runtime

_PACKAGE = Path(__file__).parent
_SHIPPED = _PACKAGE / "_shipped"
DEFAULT_BUNDLE = "chest-radiograph"


def runtime_source() -> Path:
    """Return the folder of the package `sitegen_runtime`."""
    return Path(sitegen_runtime.__file__).parent


def templates() -> Path:
    """Return the folder of page templates, styles and JavaScript."""
    return _shipped("templates")


def models() -> Path:
    """Return the folder of the bundles that ship."""
    return _shipped("models")


def default_bundle() -> Path:
    """Return the bundle that is used where none is named."""
    return models() / DEFAULT_BUNDLE


def engines() -> Path:
    """Return the folder of `package.json` and its lock, which pin what is shipped to browsers."""
    return _PACKAGE / "site" / "engines"


def _shipped(name: str) -> Path:
    installed = _SHIPPED / name
    return installed if installed.is_dir() else _PACKAGE.parent / name
