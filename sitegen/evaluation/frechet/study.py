"""Two sets of images, or of features, against each other: everything that the verb says, as a document."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from sitegen.errors import DataError, SettingsError
from sitegen.evaluation.frechet.distances import (
    as_probabilities,
    extrapolated,
    frechet_distance,
    halves,
    inception_score,
)
from sitegen.evaluation.frechet.document_types import AlteredDocument, FrechetDocument, HalvesDocument
from sitegen.evaluation.frechet.features import Features, of_folder, of_table
from sitegen.evaluation.frechet.neighbours import neighbours
from sitegen.evaluation.frechet.preparation import FeatureSource

SCHEMA = "sitegen.frechet/1"
_KINDS = ("noise", "blur")


@dataclass(frozen=True)
class Question:
    """What is compared: folders of images, or files of features; and how."""

    real: Path
    generated: Path
    network: FeatureSource | None = None
    neighbours: int = 5
    halves: int = 10
    noise: Sequence[float] = ()
    blur: Sequence[float] = ()
    cache: Path | None = None
    seed: int = 0
    workers: int | None = None


def compare(asked: Question) -> FrechetDocument:
    """Return the figures. Raises DataError where a set cannot be used, SettingsError where folders have no network."""
    real, generated = (_features(place, asked) for place in (asked.real, asked.generated))
    _check(asked, real, generated)
    document = _document(asked, real, generated)
    _enter_extrapolated(document, real, generated)
    _enter_neighbours(document, real, generated)
    if generated.classes is not None:
        document["inception_score"] = inception_score(as_probabilities(generated.classes))
    return document


def _check(asked: Question, real: Features, generated: Features) -> None:
    if real.values.shape[1] != generated.values.shape[1]:
        wide = f"{real.values.shape[1]} and {generated.values.shape[1]}"
        raise DataError(f"{asked.real} and {asked.generated} have {wide} features. Compare those of one network.")
    for place, each in ((asked.real, real), (asked.generated, generated)):
        if len(each.values) < 2:
            raise DataError(f"{place} has {len(each.values)} image, and a distance needs two or more. Name more.")


def _document(asked: Question, real: Features, generated: Features) -> FrechetDocument:
    """The distance and what it is held against; the other figures are entered later."""
    sizes = [len(each.values) for each in (real, generated)]
    return {
        "schema": SCHEMA,
        "real": asked.real.name,
        "generated": asked.generated.name,
        "network": asked.network.graph.name if asked.network else "given features",
        "resizer": asked.network.preparation.resizer if asked.network else "none",
        "images": sizes,
        "features": real.values.shape[1],
        "frechet": frechet_distance(real.values, generated.values),
        "extrapolated": None,
        "halves": _halves(real, asked),
        "altered": [_altered(real, asked, kind, level) for kind in _KINDS for level in getattr(asked, kind)],
        "neighbours": asked.neighbours,
        "precision": None,
        "recall": None,
        "density": None,
        "coverage": None,
        "inception_score": None,
        "seed": asked.seed,
        "notes": _notes(real, generated, sizes),
        "unreadable": [
            {"file": name, "problem": problem} for each in (real, generated) for name, problem in each.problems
        ],
    }


def _enter_extrapolated(document: FrechetDocument, real: Features, generated: Features) -> None:
    found = extrapolated(real.values, generated.values, document["seed"])
    if found is None:
        document["notes"].append("fewer than 20 images: what infinitely many would give cannot be told")
        return
    document["extrapolated"] = {
        "sizes": found.sizes,
        "distances": found.distances,
        "infinite": found.infinite,
        "bias": found.bias,
    }


def _features(place: Path, asked: Question) -> Features:
    if not place.is_dir():
        return of_table(place)
    if asked.network is None:
        raise SettingsError(f"{place} is a folder of images: name a network with --bundle or --network.")
    return of_folder(place, asked.network, asked.cache, asked.workers)


def _notes(real: Features, generated: Features, sizes: list[int]) -> list[str]:
    wide = real.values.shape[1]
    notes = []
    if min(sizes) <= wide:
        notes.append(f"{min(sizes)} images are no more than {wide} features: the distance is far too large by chance")
    for name, each in (("real", real), ("generated", generated)):
        if (each.values == each.values[0]).all():
            notes.append(f"all {name} images have the same features")
    return notes


def _halves(real: Features, asked: Question) -> HalvesDocument | None:
    if len(real.values) < 4 or asked.halves < 1:
        return None
    found = halves(real.values, asked.halves, asked.seed)
    deviation = float(np.std(found, ddof=1)) if len(found) > 1 else 0.0
    return {"draws": len(found), "mean": float(np.mean(found)), "deviation": deviation}


def _altered(real: Features, asked: Question, kind: str, level: float) -> AlteredDocument:
    """The distance of the real images from themselves with noise, or blurred."""
    if asked.network is None or not asked.real.is_dir():
        raise SettingsError(f"--{kind} alters images: name a folder with --real, and a network.")
    noise, blur = (level, 0.0) if kind == "noise" else (0.0, level)
    network = asked.network.prepared(replace(asked.network.preparation, noise=noise, blur=blur))
    found = of_folder(asked.real, network, asked.cache, asked.workers)
    return {"kind": kind, "level": level, "frechet": frechet_distance(real.values, found.values)}


def _enter_neighbours(document: FrechetDocument, real: Features, generated: Features) -> None:
    try:
        found = asdict(neighbours(real.values, generated.values, document["neighbours"]))
    except ValueError as problem:
        document["notes"].append(str(problem))
        return
    document["precision"], document["recall"] = found["precision"], found["recall"]
    document["density"], document["coverage"] = found["density"], found["coverage"]
