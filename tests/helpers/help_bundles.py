"""Bundles that know something of themselves, for the tests of the page on how to read a result."""

import json
from pathlib import Path
from typing import Any

from sitegen.bundle import Bundle, load_bundle
from tests.helpers.bundles import make_bundle


def rate(value: float, low: float, high: float) -> dict[str, float]:
    return {"value": value, "low": low, "high": high}


def part(images: int, positives: int, sensitivity: Any, specificity: Any, **more: Any) -> dict[str, Any]:
    return {"images": images, "positives": positives, "sensitivity": sensitivity, "specificity": specificity} | more


HERE = part(200, 50, rate(0.9, 0.8, 0.98), rate(0.75, 0.7, 0.801))
THERE = part(90, 40, rate(0.8, 0.66, 0.9), rate(0.96, 0.9, 1.0))
METRICS = {
    "test": {
        "images": 290,
        "patients": 100,
        "accepted": {
            "all": rate(0.95, 0.9, 1.0),
            "by_source": {"here": rate(0.97, 0.9, 1.0), "there": rate(0.93, 0.9, 1.0)},
        },
        "findings": {
            "Pneumonia": part(
                290, 90, rate(0.85, 0.8, 0.9), rate(0.8, 0.7, 0.9), by_source={"here": HERE, "there": THERE}
            )
        },
    }
}
TRAINED = {
    "data": {"images": {"train": {"here": 500, "there": 100}, "test": {"here": 200, "there": 90}}},
    "fitted": {"labels": {"Pneumonia": {"images": 80, "positives": 30}}},
    "gate": {"network": {"name": "autoencoder"}, "passing": {"here": 0.97}},
}
IMPORTED = {"import": {"source": "onnx"}, "gate": None}


def known(folder: Path, fields: dict[str, Any] | None = None, *, gate_fraction: float = 1.0, **options: Any) -> Bundle:
    """A bundle of `make_bundle` whose `bundle.json` has these fields in place of its own.

    The gate, if there is one, sees a square of `gate_fraction` of the shorter side.
    """
    bundle = make_bundle(folder, **({"labels": ("Pneumonia",)} | options))
    path = bundle.folder / "bundle.json"
    description = json.loads(path.read_text("utf-8")) | (fields or {})
    if "gate" in description["graphs"]:
        description["graphs"]["gate"]["inputs"][0]["crop"]["fraction"] = gate_fraction
    path.write_text(json.dumps(description), "utf-8")
    return load_bundle(folder)


def related(missing: str, there: str) -> dict[str, Any]:
    """METRICS as they are written today, of collections that are related to the training."""
    sources = {
        "here": {"from": "other-patients", "collection": "Here X-rays"},
        "there": {"from": there, "collection": ""},
    }
    flagged = {"images": 147, "flagged": 61}
    headline = {"not_measured": missing, "words": "AUC 0.660 (0.600–0.710) on there.", "findings": {}}
    return {"headline": headline, "test": METRICS["test"] | {"sources": sources, "flagged_without_finding": flagged}}
