"""What a model says of a set of images, ready to be measured: from a trained checkpoint, or from a bundle.

    score_checkpoint(trained, records, tensors)    logits by PyTorch, which knows no gate and no calibration
    score_bundle(bundle, records)                  what users get: the whole analysis, with native ONNX Runtime
    with_operating_points(scored, validation)      chosen on validation images, and on no others

Records carry their labels under the model's names; a label that they lack is unknown.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from sitegen import parallel
from sitegen.bundle import Bundle
from sitegen.bundle.origin import Collection
from sitegen.calibration.fit import calibrated
from sitegen.data.origin import Origin, Origins
from sitegen.data.records import Record, label_matrix
from sitegen.errors import DataError
from sitegen.metrics.examples import Scores, Targets
from sitegen.metrics.roc import operating_point
from sitegen.networks.classifier import Classifier
from sitegen.networks.trained import TrainedClassifier
from sitegen.prediction import Predictor
from sitegen_runtime.calibration import sigmoid
from sitegen_runtime.document_types import ResultDocument

Problem = tuple[Path, str]
BATCH = 64
FOR_ONE_PROCESS = 48  # images; starting more, with torch, takes longer than it saves


@dataclass(frozen=True)
class Scored:
    """Images with what a model says of them: float64 [N, L] for N `records` and L `labels`.

    `calibrated` is what people read, and equals `probabilities` where there is no calibration. An operating point is a
    probability, or None where none was chosen; `chosen_on` says in words where they come from. `accepted` tells which
    images the gate lets through, bool [N]; None without a gate. `unreadable` are the images that were left out, and
    why. `model` is plain data that names the model. `origins` says of the images where they are from, seen from the
    training of the model; an image that is not in it is of unknown origin.
    """

    model: Mapping[str, Any]
    labels: tuple[str, ...]
    records: tuple[Record, ...]
    logits: Scores
    probabilities: Scores
    calibrated: Scores
    operating_points: tuple[float | None, ...]
    chosen_on: str = ""
    accepted: Targets | None = None
    unreadable: tuple[Problem, ...] = ()
    origins: Origins = field(default_factory=dict)

    @property
    def targets(self) -> NDArray[np.float64]:
        """What is known of each image: float64 [N, L], 1 present, 0 absent, NaN unknown."""
        return label_matrix(self.records, self.labels).astype(np.float64)

    @property
    def patients(self) -> list[str]:
        """The patient of each image."""
        return [record.patient for record in self.records]

    def origin(self, record: Record) -> Origin:
        """Where an image is from."""
        return self.origins.get(record.path) or Origin(Collection(record.source), "unknown")

    def only(self, indices: Sequence[int]) -> "Scored":
        """Return the images with these indices, in this order."""
        rows = list(indices)
        return replace(
            self,
            records=tuple(self.records[row] for row in rows),
            logits=self.logits[rows],
            probabilities=self.probabilities[rows],
            calibrated=self.calibrated[rows],
            accepted=None if self.accepted is None else self.accepted[rows],
        )


def score_checkpoint(
    trained: TrainedClassifier,
    records: Sequence[Record],
    tensors: NDArray[np.float32],
    unreadable: Iterable[Problem] = (),
) -> Scored:
    """Return what a trained classifier says of images, whose tensors [N, C, side, side] come in the records' order.

    There are no operating points yet, see `with_operating_points`. Raises DataError where no image is left.
    """
    if len(records) != len(tensors):
        raise ValueError(f"there are {len(records)} records and tensors of {len(tensors)} images")
    logits = network_logits(trained.network, tensors) if len(records) else np.empty((0, len(trained.labels)))
    return score_logits(trained, records, logits, unreadable)


def score_logits(
    trained: TrainedClassifier, records: Sequence[Record], logits: Scores, unreadable: Iterable[Problem] = ()
) -> Scored:
    """Return the same of logits [N, L] that a form of a trained classifier gave."""
    model = {
        "kind": "checkpoint",
        "name": str(trained.made_by.get("recipe", {}).get("name", "")),
        "network": trained.network_settings.get("name", ""),
        "parameters": sum(weight.numel() for weight in trained.network.parameters()),
    }
    probabilities = _sigmoids(logits)
    names = tuple(trained.labels)
    unset: tuple[float | None, ...] = (None,) * len(names)
    scored = Scored(model, names, tuple(records), logits, probabilities, probabilities, unset)
    return _finite(replace(scored, unreadable=tuple(unreadable)))


def score_bundle(bundle: Bundle, records: Sequence[Record], workers: int | None = 1) -> Scored:
    """Return what a bundle says of images, those included that its gate refuses.

    `workers` processes share the images, see `sitegen.parallel`; None takes all cores, where there are enough images.
    Raises DataError where no image can be analysed.
    """
    predict = partial(Predictor(bundle).predict, force=True)
    documents = parallel.each(predict, [record.path for record in records], workers, alone=FOR_ONE_PROCESS)
    usable = [index for index, document in enumerate(documents) if "error" not in document]
    problems = [
        (record.path, str(document["error"]["message"]))
        for record, document in zip(records, documents, strict=True)
        if "error" in document
    ]
    seen = [documents[index] for index in usable]
    labels = bundle.description.labels
    columns = (len(seen), len(labels))
    logits = np.array([[each["logit"] for each in document["findings"]] for document in seen], np.float64)
    logits = logits.reshape(columns)
    model = bundle.model
    scored = Scored(
        model={"kind": "bundle", "name": model.name, "version": model.version, "sha256": model.sha256},
        labels=tuple(label.name for label in labels),
        records=tuple(records[index] for index in usable),
        logits=logits,
        probabilities=_sigmoids(logits),
        calibrated=np.stack([calibrated(logits[:, at], label) for at, label in enumerate(labels)], axis=1),
        operating_points=tuple(label.operating_point for label in labels),
        chosen_on="of the bundle",
        accepted=np.array([_accepted(document) for document in seen], np.bool_) if model.gate else None,
        unreadable=tuple(problems),
    )
    return _finite(scored)


def with_operating_points(scored: Scored, validation: Scored, weights: Sequence[float] | None = None) -> Scored:
    """Return `scored` with each label's operating point on validation images: the largest TPR - FPR.

    `weights` are one for each validation image. A label that lacks one of its classes there gets none.
    """
    targets = validation.targets

    def chosen(column: int) -> float | None:
        try:
            return operating_point(validation.probabilities[:, column], targets[:, column], weights).threshold
        except ValueError:
            return None

    points = tuple(chosen(validation.labels.index(label)) for label in scored.labels)
    split = validation.records[0].split or "validation"
    return replace(scored, operating_points=points, chosen_on=f"chosen on {len(validation.records)} images of {split}")


@torch.inference_mode()
def network_logits(network: Classifier, images: NDArray[np.float32]) -> Scores:
    """Return the logits, float64 [N, L], of images float32 [N, C, side, side]."""
    network.eval()
    parts = range(0, len(images), BATCH)
    batches = (torch.from_numpy(np.ascontiguousarray(images[start : start + BATCH])) for start in parts)
    return torch.cat([network(batch) for batch in batches]).double().numpy()


def _finite(scored: Scored) -> Scored:
    """Leave out images of which the network says nothing that is a number; all of them are one message."""
    good = np.isfinite(scored.logits).all(axis=1)
    bad = [(scored.records[row].path, "The network gives no finite number for it.") for row in np.nonzero(~good)[0]]
    kept = replace(scored, unreadable=(*scored.unreadable, *bad)).only(np.nonzero(good)[0].tolist())
    if not kept.records:
        reason = f" The first is {bad_file(kept.unreadable[0])}" if kept.unreadable else ""
        raise DataError(f"None of {len(kept.unreadable)} images can be used.{reason} Look with: sitegen data audit")
    return kept


def bad_file(problem: Problem) -> str:
    """Return a sentence about an image that was left out."""
    path, reason = problem
    return reason if str(path) in reason else f"{path}: {reason}"


def _sigmoids(logits: Scores) -> Scores:
    """The runtime's own sigmoid, so that a probability is the same number everywhere."""
    return np.array([sigmoid(logit) for logit in logits.ravel().tolist()], np.float64).reshape(logits.shape)


def _accepted(document: ResultDocument) -> bool:
    return bool(document["gate"] and document["gate"]["accepted"])
