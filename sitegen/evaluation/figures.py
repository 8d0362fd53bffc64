"""What a bundle achieves on labelled images, measured through the prediction that users run."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import track

from sitegen.data.manifest import Record
from sitegen.evaluation.examples import Scores, Targets
from sitegen.evaluation.resampling import Statistic, interval_by_patient, share_of_draws
from sitegen.evaluation.roc import auc_of_draws
from sitegen.prediction import Predictor
from sitegen_runtime.document import Document

Figures = dict[str, Any]


@dataclass(frozen=True)
class Observations:
    """What was seen of a set of images, one value an image: probability, target, gate's decision, patient."""

    probabilities: Scores
    targets: Targets
    accepted: Targets
    patients: Sequence[str]


def observe(predictor: Predictor, records: Sequence[Record], positive: str) -> Observations:
    """Analyse images of a one-label data set, refused ones too; `positive` is what the data set calls the label.

    Raises ValueError where an image cannot be analysed at all.
    """
    documents = predict_all(predictor, [record.path for record in records])
    failed = [str(record.path) for record, seen in zip(records, documents, strict=True) if "error" in seen]
    if failed:
        raise ValueError(f"{len(failed)} image(s) cannot be analysed, the first is {failed[0]}. Remove or repair them.")
    return Observations(
        np.array([seen["findings"][0]["probability"] for seen in documents]),
        np.array([record.label == positive for record in records]),
        np.array([accepts(seen) for seen in documents]),
        [record.patient for record in records],
    )


def predict_all(predictor: Predictor, paths: Sequence[Path]) -> list[Document]:
    """Return the result documents of images, in order; refused images are analysed all the same."""
    return [predictor.predict(path, force=True) for path in track(paths, "predicting", transient=True)]


def accepts(document: Document) -> bool:
    """Tell whether the image may be judged: no error, and accepted by the gate if there is one."""
    return "error" not in document and (document["gate"] is None or bool(document["gate"]["accepted"]))


def figures(seen: Observations, operating_point: float) -> Figures:
    """Return number of images, AUC, sensitivity, specificity at the operating point, and share accepted by the gate.

    All but the number have 95 % bootstrap intervals over patients.
    """
    found = seen.probabilities >= operating_point

    def interval(statistic: Statistic) -> dict[str, float]:
        measured = interval_by_patient(statistic, seen.patients)
        return {name: round(value, 4) for name, value in asdict(measured).items()}

    def share(values: Targets, among: Targets) -> dict[str, float]:
        return interval(lambda draws: share_of_draws(values[among], draws[:, among]))

    return {
        "images": len(seen.targets),
        "auc": interval(lambda draws: auc_of_draws(seen.probabilities, seen.targets, draws)),
        "sensitivity": share(found, seen.targets),
        "specificity": share(~found, ~seen.targets),
        "accepted": interval(lambda draws: share_of_draws(seen.accepted, draws)),
    }


def refused_by_category(predictor: Predictor, files: Iterable[tuple[str, Path]]) -> dict[str, dict[str, int]]:
    """Return, for images that are no chest radiographs by (category, path), how many there are and are refused."""
    pairs = sorted(files)
    counts = {category: {"images": 0, "refused": 0} for category, _ in pairs}
    for (category, _), document in zip(pairs, predict_all(predictor, [path for _, path in pairs]), strict=True):
        counts[category]["images"] += 1
        counts[category]["refused"] += not accepts(document)
    return counts
