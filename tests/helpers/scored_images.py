"""Scores that no model gave: random, with unknown targets, two images of a patient, groups of all kinds."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sitegen.data.records import Record
from sitegen.evaluation.classifier.scored import Scored

LABELS = ("Mass", "Nodule", "Effusion")


def scored_images(
    images: int = 120,
    labels: Sequence[str] = LABELS,
    *,
    seed: int = 3,
    skill: float = 1.5,
    unknown: float = 0.1,
    points: float | None = 0.4,
    **changes: Any,
) -> Scored:
    """Positives score higher by `skill`; a share `unknown` of the targets is None; two images are of one patient."""
    random = np.random.default_rng(seed)
    truth = random.random((images, len(labels))) < np.linspace(0.3, 0.5, len(labels))
    known = random.random(truth.shape) >= unknown
    logits = random.normal(skill * truth - 0.7, 1.0)
    records = tuple(
        Record(
            Path(f"{row}.png"),
            f"p{row // 2}",
            {label: float(truth[row, at]) if known[row, at] else None for at, label in enumerate(labels)},
            "test",
            source="one" if row % 3 else "two",
            age=float(random.integers(1, 95)),
            sex="FM"[row % 2],
        )
        for row in range(images)
    )
    return scored(records, labels, logits, [points] * len(labels), **changes)


def scored(
    records: tuple[Record, ...],
    labels: Sequence[str],
    logits: Any,
    points: Sequence[float | None],
    **changes: Any,
) -> Scored:
    """Calibrated values are a tenth above the probabilities, where that is possible."""
    probabilities = 1 / (1 + np.exp(-np.asarray(logits, np.float64)))
    fields = {
        "model": {"kind": "bundle", "name": "demo", "version": "1.0", "sha256": "ab" * 32},
        "labels": tuple(labels),
        "records": tuple(records),
        "logits": np.asarray(logits, np.float64),
        "probabilities": probabilities,
        "calibrated": np.minimum(1.1 * probabilities, 1),
        "operating_points": tuple(points),
        "chosen_on": "of the bundle",
    }
    return Scored(**{**fields, **changes})


def known_images(targets: Iterable[Sequence[float | None]], labels: Sequence[str] = LABELS) -> tuple[Record, ...]:
    """A record for each row of targets, each image of a patient of its own."""
    return tuple(
        Record(Path(f"{row}.png"), f"p{row}", dict(zip(labels, values, strict=True)), "test")
        for row, values in enumerate(targets)
    )
