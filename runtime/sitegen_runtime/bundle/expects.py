"""What a bundle expects of a DICOM file's header: of which kind, part of the body and view its images are.

A reading of `expects` in a valid `bundle.json`; `sitegen.bundle` validates it when a bundle is made. What a bundle does
not say is as for chest radiographs from the front, which refuses most; a list without entries refuses nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Expects:
    """Code strings of DICOM (PS3.16, PS3.3): an image whose header says something else is refused, unless by force."""

    modalities: tuple[str, ...] = ("CR", "DX", "RG", "SC", "OT")
    body_parts: tuple[str, ...] = ("CHEST", "THORAX", "TORAX", "LUNG", "LUNGS")
    """One of these words is enough: "CHEST PA" is a chest."""
    views: tuple[str, ...] = ("AP", "PA")
    unprocessed: bool = False
    """Whether images that wait for processing are expected, too."""


def read_expects(fields: Mapping[str, Any] | None) -> Expects:
    """Read the `expects` of a valid `bundle.json`, which may be missing, and so may each of its keys."""
    given = {name: value for name, value in (fields or {}).items() if value is not None}
    lists = {name: tuple(given[name]) for name in ("modalities", "body_parts", "views") if name in given}
    return Expects(**lists, unprocessed=given.get("unprocessed", False))
