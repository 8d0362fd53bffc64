"""Folders, files and bundles, as they may be named."""

from os import PathLike
from pathlib import Path
from typing import TypeAlias

from sitegen import bundle, resources
from sitegen.bundle import Bundle

PathName: TypeAlias = str | PathLike[str]
BundleLike: TypeAlias = Bundle | PathName


def as_path(value: object, what: str) -> Path:
    """Return a path that was given as `str` or as a path. Raises TypeError, which says `what` it should be."""
    if not isinstance(value, str | PathLike):
        raise TypeError(f"{what} is a path, as str or pathlib.Path, not {type(value).__name__}.")
    return Path(value)


def load_bundle(path: PathName | None = None) -> Bundle:
    """Read a bundle's folder, the one that ships where none is named, and check it: schema, hashes, graphs.

    Raises BundleError with everything that is wrong, and TypeError for what is no path.
    """
    return bundle.load_bundle(resources.default_bundle() if path is None else as_path(path, "A bundle's folder"))


def as_bundle(given: BundleLike | None) -> Bundle:
    """Return a bundle that was given as such, by its folder, or, as None, the one that ships."""
    if given is None or isinstance(given, str | PathLike):
        return load_bundle(given)
    if not isinstance(given, Bundle):
        raise TypeError(f"A bundle is what load_bundle gives, or its folder's path, not {type(given).__name__}.")
    return given
