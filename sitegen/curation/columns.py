"""The table: its columns, their types, and what they are called. docs/curate.md says what each means.

Columns of a bundle's own are `gate_` and a score's name, `probability_` and `calibrated_` and a finding's name, in
small letters with underscores, so that rules can name them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa

from sitegen.errors import SettingsError
from sitegen_runtime.bundle.model import Model

SCHEMA = "sitegen.curation/1"
DISTANCES = ("mse", "wasserstein", "ssim")
DISTANCE_COLUMNS = (*DISTANCES, *(f"patch_{name}" for name in DISTANCES))
Row = dict[str, object]

_TEXT, _FLOAT, _WHOLE, _FLAG = pa.string(), pa.float64(), pa.int32(), pa.bool_()
FILE: dict[str, pa.DataType] = {
    "id": _TEXT,
    "address": _TEXT,
    "root": _WHOLE,
    "path": _TEXT,
    "size": pa.int64(),
    "error": _TEXT,
    "message": _TEXT,
    "sha256": _TEXT,
    "type": _TEXT,
    "width": _WHOLE,
    "height": _WHOLE,
    "bits": _WHOLE,
    "content": _TEXT,
    "perceptual": _TEXT,
    "modality": _TEXT,
    "body_part": _TEXT,
    "view": _TEXT,
    "manufacturer": _TEXT,
    "year": _WHOLE,
    "burned_in": _FLAG,
    "missing": _TEXT,
}
GATE: dict[str, pa.DataType] = {
    "accepted": _FLAG,
    "scores_pass": _FLAG,
    "tags_fit": _FLAG,
    "failed": _TEXT,
    "checks": _TEXT,
}
KEY = {"key": _TEXT}
"""Of parts alone: what tells that a file changed."""
DERIVED: dict[str, pa.DataType] = {"copy_of": _TEXT, "alike": _WHOLE}
"""Of the finished table alone: what is known once all images are."""


@dataclass(frozen=True)
class Options:
    """What is asked of every image: findings of refused ones too, and the distances of its reconstruction."""

    force: bool = False
    distances: bool = False


@dataclass(frozen=True)
class Columns:
    """The columns of a bundle: by what they are called in the bundle, and all of them with their types."""

    gate: dict[str, str]
    probability: dict[str, str]
    calibrated: dict[str, str]
    schema: pa.Schema


def columns_of(model: Model, options: Options) -> Columns:
    """Return the columns of the parts. Raises SettingsError where two would have one name."""
    metrics = [model.gate.metric, *(limit.metric for limit in model.gate.scores)] if model.gate else []
    gate = _named("gate", metrics)
    probability = _named("probability", [label.name for label in model.labels])
    calibrated = _named("calibrated", [label.name for label in model.labels if label.calibration])
    numbers = [*gate.values(), *probability.values(), *calibrated.values()]
    if options.distances:
        numbers += DISTANCE_COLUMNS
    fields = {**KEY, **FILE, **(GATE if model.gate else {}), **dict.fromkeys(numbers, _FLOAT)}
    schema = pa.schema(list(fields.items()), metadata={"sitegen.schema": SCHEMA, "sitegen.bundle": model.sha256})
    return Columns(gate, probability, calibrated, schema)


def slug(name: str) -> str:
    """Return a name in small letters, digits and underscores."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") or "unnamed"


def _named(kind: str, names: list[str]) -> dict[str, str]:
    found = dict(_slugs(kind, names))
    if len(set(found.values())) < len(set(names)):
        raise SettingsError(
            f"Two of {', '.join(names)} would have the same column in the table. Rename one in the bundle."
        )
    return found


def _slugs(kind: str, names: list[str]) -> Iterator[tuple[str, str]]:
    for name in names:
        yield name, f"{kind}_{slug(name)}"
