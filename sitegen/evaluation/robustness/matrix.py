"""How well models hold out against turned, moved and scaled images: one matrix of AUCs for each finding.

A row is a model, named by the distortion that it was trained with; a column is a level of distortion at test time, on
the data set that the models come from and on one that training never saw. The matrices are those of Cohen et al. 2020
("Chester", figures 3 and E.2). The levels are `sitegen.training.augment.LEVELS`.

    logits_at_level(network, images, level, black, white, seed)    what a model says of distorted images
    robustness_document(rows, judged, labels, ...)                 the matrices, as JSON can hold them
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from torch import Generator, Tensor, nn

from sitegen.evaluation.robustness.document_types import (
    CellDocument,
    JudgedDocument,
    LevelDocument,
    MatrixDocument,
    RobustnessFigures,
    RobustnessFinding,
    SetsDocument,
)
from sitegen.metrics.examples import Scores, examples, finite, or_none
from sitegen.metrics.resampling import Resampling, half_split_deviation, interval_by_patient
from sitegen.metrics.roc import auc_of_draws
from sitegen.training.augment import LEVELS, AugmentSettings, changed, draw_changes

SCHEMA = "sitegen.robustness/1"
UNDISTORTED = LEVELS["none"]


@dataclass(frozen=True)
class JudgedSet:
    """A set of images that models are judged on: a name for people, targets [N, L] (1, 0, NaN), a patient for each."""

    name: str
    targets: Scores
    patients: Sequence[str]


@dataclass(frozen=True)
class Row:
    """A model: name and file, the level it was trained at ("" for none of them), and logits[data][level] [N, L]."""

    name: str
    file: str
    level: str
    logits: Mapping[str, Mapping[str, Scores]]


@torch.inference_mode()
def logits_at_level(
    network: nn.Module,
    images: Tensor,
    level: AugmentSettings,
    black: float,
    white: float,
    seed: int = 0,
    batch: int = 64,
) -> Scores:
    """Return float64 [N, L], the logits of images [N, C, H, W] in `black`..`white`, each distorted in a way of its own.

    The distortions depend on N, `level` and `seed` alone: every model meets the same ones, whatever its input's size,
    and higher levels turn, move and scale each image in the same sense by more. Where `level` changes nothing, the
    images are left as they are, without interpolation. The network is used in evaluation mode.
    """
    network.eval()
    device = next((weight.device for weight in network.parameters()), images.device)
    drawn = draw_changes(len(images), level, Generator().manual_seed(seed))
    parts = []
    for start in range(0, len(images), batch):
        part = slice(start, start + batch)
        seen = images[part].to(device)
        if level != UNDISTORTED:
            seen = changed(seen, drawn.of(part), black, white)
        parts.append(network(seen).double().cpu())
    logits: Scores = torch.cat(parts).numpy()
    return logits


def level_name(settings: AugmentSettings) -> str:
    """Return the name of the level that equals these settings, "" where none does."""
    return next((name for name, level in LEVELS.items() if level == settings), "")


def row_names(levels: Sequence[str], files: Sequence[str]) -> list[str]:
    """Return a name for each model: its level, with its file where others have it too; its file where it has none."""
    return [
        file if not level else f"{level} ({file})" if levels.count(level) > 1 else level
        for level, file in zip(levels, files, strict=True)
    ]


def by_rising_level(rows: Sequence[Row]) -> list[Row]:
    """Return the rows from the least to the strongest distortion in training; those of no level last, as they came."""
    order = list(LEVELS)
    return sorted(rows, key=lambda row: order.index(row.level) if row.level else len(order))


def robustness_document(
    rows: Sequence[Row], judged: Mapping[str, JudgedSet], labels: Sequence[str], resampling: Resampling | None = None
) -> RobustnessFigures:
    """Return the matrices of all findings as JSON can hold them; docs/robustness.md describes the keys.

    `judged` has the data sets by role ("internal", "external"), and `logits` of every row has the same roles. A cell is
    None where a data set lacks positives or negatives of a finding. Equal arguments give equal documents.
    """
    chosen = resampling or Resampling()
    ordered = by_rising_level(rows)
    return {
        "schema": SCHEMA,
        "half_splits": chosen.half_splits,
        "resamples": chosen.resamples,
        "seed": chosen.seed,
        "levels": {name: _placement(level) for name, level in LEVELS.items()},
        "models": [{"name": row.name, "file": row.file, "trained_at": row.level or None} for row in ordered],
        "data": cast(SetsDocument, {role: _described(part) for role, part in judged.items()}),
        "findings": [_finding(ordered, judged, index, label, chosen) for index, label in enumerate(labels)],
    }


def cell(scores: Scores, targets: Scores, patients: Sequence[str], resampling: Resampling) -> CellDocument | None:
    """Return the AUC of scores [N], its bootstrap interval by patient and its deviation over halves.

    Images whose target is unknown take no part. None where a class is missing; without interval or deviation where a
    class is missing from most draws. Raises ValueError for a score that is not finite.
    """
    finite(scores, "scores")
    if not (targets == 1).any() or not (targets == 0).any():
        return None
    given = examples(scores, targets)
    who = np.asarray(patients)[given.known].tolist()

    def area(draws: Scores) -> Scores:
        return auc_of_draws(given.scores, given.targets, draws)

    interval = or_none(lambda: interval_by_patient(area, who, resampling.resamples, seed=resampling.seed))
    return {
        "auc": float(area(np.ones((1, len(who))))[0]),
        "low": interval.low if interval else None,
        "high": interval.high if interval else None,
        "half_split_deviation": or_none(
            lambda: half_split_deviation(area, len(who), resampling.half_splits, resampling.seed)
        ),
    }


def _finding(
    rows: Sequence[Row], judged: Mapping[str, JudgedSet], index: int, label: str, resampling: Resampling
) -> RobustnessFinding:
    found: dict[str, str | MatrixDocument] = {"label": label}
    for role, part in judged.items():
        targets = part.targets[:, index]
        found[role] = {
            "images": int((~np.isnan(targets)).sum()),
            "positives": int((targets == 1).sum()),
            "cells": [
                [cell(row.logits[role][name][:, index], targets, part.patients, resampling) for name in LEVELS]
                for row in rows
            ],
        }
    return cast(RobustnessFinding, found)


def _described(part: JudgedSet) -> JudgedDocument:
    return {"name": part.name, "images": len(part.patients), "patients": len(set(part.patients))}


def _placement(level: AugmentSettings) -> LevelDocument:
    return {"rotation": level.rotation, "shift": level.shift, "scale": level.scale}
