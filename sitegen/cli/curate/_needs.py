"""What curating needs beside sitegen itself."""

from importlib.util import find_spec

from sitegen.errors import SettingsError


def require_curation() -> None:
    """Raise SettingsError, saying what to install, where the packages for curating are not all there."""
    if missing := [name for name in ("dask", "distributed", "fsspec", "pyarrow") if find_spec(name) is None]:
        raise SettingsError(f"This needs {', '.join(missing)}: pip install 'offline-sitegen[curate]'")
