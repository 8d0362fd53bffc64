"""What the source's own code makes of image files, beside what sitegen makes of them, and what the model says of both.

Differences of tensors are shares of the way from black to white; those of probabilities are percentage points, of
sitegen less the source. `docs/import.md` describes the document that these figures end in.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from sitegen.bundle import Label
from sitegen.data.tensors.cache import image_tensors
from sitegen.importing.proof.document_types import (
    FindingDifferences,
    FractionDocument,
    PreprocessingDocument,
    SpreadDocument,
)
from sitegen.importing.proof.graph_run import Images, Values, probabilities
from sitegen.importing.proof.sample_images import SampleImages
from sitegen.importing.source import Preparation
from sitegen_runtime.bundle.model import NetworkInput

BINS = 21  # odd, so that no change has a bin of its own in the middle
FRACTIONS = tuple(round(0.7 + 0.025 * step, 3) for step in range(13))
TRIED_IMAGES = 8
WORTH = 0.8  # of the present difference: what a candidate has to stay below to be suggested
_SPANS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)  # percentage points to either side


@dataclass(frozen=True)
class _Both:
    """The same images in both ways: float32 [N, channels, side, side] each, and the places of those that worked."""

    source: Images
    ours: Images
    kept: Sequence[int]
    problems: Sequence[tuple[str, str]]


def compare_preprocessing(
    folder: Path, preparation: Preparation, given: SampleImages, image: NetworkInput, labels: Sequence[Label]
) -> PreprocessingDocument:
    """Return plain data: tensors, probabilities of each finding with a histogram, and candidates for the geometry.

    `folder` has the classifier. Images that the source's way does not take are listed under `problems`.
    """
    both = _in_both_ways(preparation, given, image)
    document: PreprocessingDocument = {
        "described": preparation.described,
        "images": len(both.kept),
        "problems": [{"file": name, "problem": problem} for name, problem in both.problems],
        "tensor": None,
        "findings": [],
        "fractions": [],
        "suggested": None,
    }
    if not both.kept:
        return document
    theirs = probabilities(folder, both.source)
    ours = probabilities(folder, both.ours)
    fractions = _fractions(folder, both, given, image, theirs)
    return {
        **document,
        "tensor": _summary(shares(both.ours, both.source, image)),
        "findings": _findings(ours, theirs, labels),
        "fractions": fractions,
        "suggested": _suggested(fractions, image.fraction),
    }


def shares(made: Images, wanted: Images, image: NetworkInput) -> Values:
    """Return the absolute differences of two tensors as shares of the way from black to white."""
    span = (image.range[1] - image.range[0]) / np.asarray(image.std, np.float64)
    return np.asarray(np.abs(made.astype(np.float64) - wanted) / span.reshape(-1, 1, 1))


def _in_both_ways(preparation: Preparation, given: SampleImages, image: NetworkInput) -> _Both:
    tensors, kept, problems = [], [], []
    for at, (name, content) in enumerate(zip(given.names, given.contents, strict=True)):
        try:
            tensor = preparation.tensor(content)
        except (OSError, ValueError) as error:
            problems.append((name, str(error)))
            continue
        if tensor.shape != image.shape[1:]:
            problems.append((name, f"becomes {list(tensor.shape)}, and the bundle takes {list(image.shape[1:])}"))
            continue
        tensors.append(np.asarray(tensor, np.float32))
        kept.append(at)
    source = np.stack(tensors) if tensors else np.empty((0, *image.shape[1:]), np.float32)
    return _Both(source, given.tensors[kept], kept, problems)


def _findings(ours: Values, theirs: Values, labels: Sequence[Label]) -> list[FindingDifferences]:
    points = 100 * (ours - theirs)
    largest = float(np.abs(points).max())
    span = next((limit for limit in _SPANS if largest <= limit), _SPANS[-1])
    edges = np.linspace(-span, span, BINS + 1)
    entries: list[FindingDifferences] = []
    for at, label in enumerate(labels):
        point = label.operating_point
        entries.append(
            {
                "label": label.name,
                "operating_point": point,
                **_summary(np.abs(points[:, at])),
                "changed": int(((ours[:, at] >= point) != (theirs[:, at] >= point)).sum()),
                "histogram": {
                    "edges": [round(float(edge), 6) for edge in edges],
                    "counts": np.histogram(points[:, at], edges)[0].tolist(),
                },
            }
        )
    return entries


def _fractions(
    folder: Path, both: _Both, given: SampleImages, image: NetworkInput, theirs: Values
) -> list[FractionDocument]:
    """For the present share of the centred square and others: how far tensors and probabilities are from the source's.

    Probabilities tell what matters; tensors tell it with less chance.
    """
    tried = sorted({*FRACTIONS, image.fraction})
    inputs = {str(fraction): replace(image, fraction=fraction) for fraction in tried}
    contents = [given.contents[at] for at in both.kept[:TRIED_IMAGES]]
    made = [image_tensors(content, inputs) for content in contents]
    source = both.source[: len(contents)]
    entries: list[FractionDocument] = []
    for fraction in tried:
        ours = np.concatenate([tensors[str(fraction)] for tensors in made])
        points = 100 * np.abs(probabilities(folder, ours) - theirs[: len(contents)])
        entries.append(
            {
                "fraction": fraction,
                "tensor": float(shares(ours, source, image).mean()),
                "probability": float(points.mean()),
            }
        )
    return entries


def _suggested(fractions: Sequence[FractionDocument], present: float) -> float | None:
    """The share whose tensors come closest to the source's, where that is worth a change; None otherwise."""
    best = min(fractions, key=lambda entry: entry["tensor"])
    now = next(entry for entry in fractions if entry["fraction"] == present)
    return best["fraction"] if best["tensor"] < WORTH * now["tensor"] else None


def _summary(values: Values) -> SpreadDocument:
    return {
        "mean": float(values.mean()),
        "p95": float(np.percentile(values, 95)),
        "largest": float(values.max()),
    }
