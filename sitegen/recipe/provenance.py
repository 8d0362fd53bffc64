"""How a bundle came about: what is kept under `provenance` in `bundle.json`, without a trace of the machine."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import onnxruntime
import torch

from sitegen import __version__
from sitegen.bundle.calibration import Method
from sitegen.data.origin import recorded
from sitegen.data.records import TEST, TRAIN, VALID, Record
from sitegen.export.agreement import TOLERANCE
from sitegen.export.proof import Proof
from sitegen.networks.registry import network_document, read_network
from sitegen.networks.trained import TrainedClassifier
from sitegen.recipe.document_types import FormDocument
from sitegen.recipe.labels import FittedLabel
from sitegen.settings.places import without_places
from sitegen.settings.reading import settings_document
from sitegen.settings.recipe import RecipeFile

_FROM_TRAINING = ("training", "phases", "members", "images", "initial")


def provenance(
    trained: TrainedClassifier,
    recipe: RecipeFile,
    records: Sequence[Record],
    labels: Sequence[FittedLabel],
    method: Method,
    proof: Proof,
    remarks: Sequence[str],
    gate: Mapping[str, Any] | None,
    audit: Mapping[str, Any] | None = None,
    weights: FormDocument | None = None,
) -> dict[str, Any]:
    """Return plain data, as docs/export.md describes it: versions, recipe, training, data, fits, proof, gate, audit."""
    made_by = without_places(dict(trained.made_by))
    document = without_places(settings_document(replace(recipe, folder="")))
    return {
        "sitegen": __version__,
        "torch": str(torch.__version__),
        "onnxruntime": onnxruntime.__version__,
        "recipe": {name: value for name, value in document.items() if name != "folder"},
        **{name: made_by[name] for name in _FROM_TRAINING if name in made_by},
        "network": network_document(read_network(trained.network_settings)),
        "parameters": sum(weight.numel() for weight in trained.network.parameters()),
        "data": data_counts(records, trained.labels) | {"collections": recorded(records, recipe.data)["collections"]},
        "fitted": {
            "asked": method,
            "rule": settings_document(recipe.export.operating_points),
            "balanced_sources": recipe.data.balance_sources,
            "labels": {fitted.label.name: fitted.document() for fitted in labels},
        },
        "proof": {name: _short(value) for name, value in asdict(proof).items()} | {"tolerance": TOLERANCE},
        "gate": dict(gate) if gate else None,
        "remarks": list(remarks),
        "audit": dict(audit) if audit else None,
    } | ({"weights": dict(weights)} if weights else {})


def data_counts(records: Sequence[Record], labels: Sequence[str]) -> dict[str, Any]:
    """Return how many images of each source, and patients, are in each split, and in how many a label is present."""
    splits = _in_order({record.split for record in records if record.split})
    members = {split: [record for record in records if record.split == split] for split in splits}
    return {
        "images": {split: _sources(part) for split, part in members.items()},
        "patients": {split: len({each.patient for each in part}) for split, part in members.items()},
        "labels": {
            label: {
                split: {
                    "present": sum(each.labels.get(label) == 1.0 for each in part),
                    "known": sum(each.labels.get(label) is not None for each in part),
                }
                for split, part in members.items()
            }
            for label in labels
        },
    }


def _sources(records: Sequence[Record]) -> dict[str, int]:
    return dict(sorted(Counter(record.source for record in records).items()))


def _in_order(splits: set[str]) -> list[str]:
    known = [split for split in (TRAIN, VALID, TEST) if split in splits]
    return known + sorted(splits - set(known))


def _short(value: float | None) -> float | None:
    """Two digits are enough, and the same on machines that round a little differently."""
    return float(f"{value:.1e}") if isinstance(value, float) else value
