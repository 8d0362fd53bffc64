"""What an import found out, as plain data: the report's document, and the part of it that the bundle keeps.

docs/import.md describes both.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, cast

import numpy as np
import onnxruntime

from sitegen import __version__
from sitegen.bundle import Bundle
from sitegen.bundle.fitting import seen_words
from sitegen.gate.taken import TakenGate
from sitegen.importing.proof.document_types import PreprocessingDocument
from sitegen.importing.proof.proof import Proof
from sitegen.importing.proof.sample_images import SampleImages
from sitegen.importing.report.document_types import ImportDocument, ProofDocument, StoredDocument
from sitegen.importing.source import ImportedClassifier
from sitegen.importing.stored_weights import StoredWeights
from sitegen.settings.places import without_places

SCHEMA = "sitegen.import/1"
Part = Mapping[str, Any]


def import_document(
    model: ImportedClassifier,
    bundle: Bundle,
    given: SampleImages,
    proof: Proof,
    stored: StoredWeights | None,
    remarks: Sequence[str],
    preprocessing: PreprocessingDocument | None,
) -> ImportDocument:
    """Return the report's document, in plain data that JSON can hold; null is what there is not."""
    description, image = bundle.description, model.image
    return {
        "schema": SCHEMA,
        "sitegen": __version__,
        "onnxruntime": onnxruntime.__version__,
        "model": {"name": description.name, "version": description.version, "title": description.title},
        "import": without_places(dict(model.provenance)),
        "input": {
            "side": image.grid[0] if image.grid[0] == image.grid[1] else list(image.grid),
            "colour": image.colour,
            "fit": image.fit,
            "fill": list(image.fill),
            "seen": seen_words(image),
            "fraction": image.fraction,
            "range": list(image.range),
            "mean": list(image.mean),
            "std": list(image.std),
        },
        "labels": [
            {
                "label": label.name,
                "operating_point": label.operating_point,
                "calibration": label.calibration.method if label.calibration else None,
            }
            for label in model.labels
        ],
        "graphs": list(description.graphs),
        "feature_map": description.feature_map is not None,
        "gate": description.provenance["gate"],
        "bytes": sum(entry.bytes for entry in description.files.values()),
        "images": {
            "used": len(given.names),
            "synthetic": given.synthetic,
            "problems": [{"file": name, "problem": problem} for name, problem in given.problems],
        },
        "proof": _proof(proof),
        "weights": cast(StoredDocument, asdict(stored)) if stored else None,
        "preprocessing": preprocessing,
        "remarks": list(remarks),
    }


def import_provenance(
    model: ImportedClassifier,
    proof: Proof,
    stored: StoredWeights | None,
    gate: TakenGate | None,
    remarks: Sequence[str],
    preprocessing: PreprocessingDocument | None,
) -> dict[str, Any]:
    """Return what the bundle keeps under `provenance`: where the model is from, proof, gate, and remarks."""
    short: dict[str, Any] = _short(_proof(proof))
    return {
        "sitegen": __version__,
        "onnxruntime": onnxruntime.__version__,
        "import": without_places(dict(model.provenance)),
        "proof": short,
        "weights": _short(asdict(stored)) if stored else None,
        "preprocessing": _in_short(preprocessing) if preprocessing else None,
        "gate": dict(gate.origin) if gate else None,
        "remarks": list(remarks),
    }


def flattened(values: Part, inside: str = "") -> list[tuple[str, str]]:
    """Return the entries of nested plain data as names and values for people; what is empty is left out."""
    lines: list[tuple[str, str]] = []
    for key, value in values.items():
        name = f"{inside}{key}".replace("_", " ")
        if isinstance(value, Mapping):
            lines += flattened(value, f"{name}, ")
        elif isinstance(value, (list, tuple)):
            lines += [(name, ", ".join(map(str, value)))] if value else []
        elif value is not None and value != "":
            lines.append((name, str(value)))
    return lines


def _proof(proof: Proof) -> ProofDocument:
    return cast(ProofDocument, asdict(proof))


def _in_short(preprocessing: PreprocessingDocument) -> dict[str, Any]:
    """What changes for people, in percentage points over all findings."""
    findings = preprocessing["findings"]
    return {
        "described": preprocessing["described"],
        "images": preprocessing["images"],
        "mean": _short(float(np.mean([entry["mean"] for entry in findings]))) if findings else None,
        "largest": _short(max(entry["largest"] for entry in findings)) if findings else None,
    }


def _short(value: Any) -> Any:
    """Two digits are enough, and the same on machines that round a little differently."""
    if isinstance(value, Mapping):
        return {name: _short(each) for name, each in value.items()}
    return float(f"{value:.1e}") if isinstance(value, float) else value
