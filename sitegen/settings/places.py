"""Plain data without the places of files: what goes into bundles and reports says nothing of the machine."""

from collections.abc import Mapping
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any


def without_places(value: Any) -> Any:
    """Return plain data in which whole paths are names of files alone: where they lay is nobody's business.

    Paths that count from the recipe stay, for they say nothing of the machine.
    """
    if isinstance(value, Mapping):
        return {name: without_places(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_places(each) for each in value]
    if isinstance(value, str):
        for kind in (PurePosixPath, PureWindowsPath):
            if kind(value).is_absolute() or value.startswith("~"):
                return kind(value).name
    return value
