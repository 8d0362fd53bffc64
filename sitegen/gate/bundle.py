"""The gate of a bundle that is being made: trained for it and fitted to it, or taken over from another bundle."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from sitegen.bundle import Bundle, GateSettings, Graph, load_bundle
from sitegen.data.records import TRAIN, VALID, Record
from sitegen.data.tensors.cache import cached_tensors
from sitegen.errors import SettingsError
from sitegen.export.agreement import samples
from sitegen.gate.features_graph import FeatureStatistics, prove_features_graph, write_features_graph
from sitegen.gate.fitting import SplitImages, fit_gate_settings, pooled_features, wants_features, wants_pooled
from sitegen.gate.graph import prove_gate, write_gate
from sitegen.gate.taken import take_gate
from sitegen.networks.reconstruction import read_reconstruction, reconstruction_document
from sitegen.networks.trained import TrainedClassifier
from sitegen.networks.trained_gate import TrainedGate, load_gate
from sitegen.settings.places import without_places
from sitegen.settings.recipe import GatePlan, RecipeFile
from sitegen.training.prepare import ImageSplit, load_split
from sitegen_runtime.bundle.model import NetworkInput

GateSource = Bundle | TrainedGate


@dataclass(frozen=True)
class BundleGate:
    """What a bundle needs of its gate: the input or the whole graph, the settings, and how they came about.

    `features` says that `features.onnx` was written too; `warnings` are sentences for people.
    """

    graph: NetworkInput | Graph
    settings: GateSettings
    origin: Mapping[str, Any]
    features: bool = False
    warnings: Sequence[str] = ()


@dataclass(frozen=True)
class GateWork:
    """What a gate is fitted with: recipe, classifier, all records, the work folder, and the validation images.

    Thresholds are set with the images of the plan's splits, which may be others than these.
    """

    recipe: RecipeFile
    classifier: TrainedClassifier
    records: Sequence[Record]
    work: Path
    valid: ImageSplit
    plan: GatePlan = field(default_factory=GatePlan)


def open_gate(path: Path) -> GateSource:
    """Return the gate that a path names: a file that `sitegen train gate` wrote, or the folder of a bundle with a gate.

    Raises CheckpointError and BundleError where it is neither, SettingsError where the bundle has no gate.
    """
    if path.is_file():
        return load_gate(path)
    bundle = load_bundle(path)
    if bundle.description.gate is None:
        raise SettingsError(f"The bundle {path} has no gate. Name one that has, or leave out the gate.")
    return bundle


def needs_features(source: GateSource | None, plan: GatePlan) -> bool:
    """Whether the classifier must give its pooled features, for the scores of a gate that is trained for it."""
    return isinstance(source, TrainedGate) and wants_pooled(plan)


def put_gate(source: GateSource, folder: Path, work: GateWork) -> BundleGate:
    """Write the gate's graphs into a bundle's folder, fit what is trained, prove it, and return what is to be said.

    Raises DataError and SettingsError where validation images do not allow what is asked for, ExportError where a
    graph does not give what the network gives.
    """
    if isinstance(source, Bundle):
        taken = take_gate(source, folder)
        return BundleGate(taken.graph, taken.settings, taken.origin, warnings=taken.warnings)
    entry = write_gate(source, folder)
    valid = _together([_seen(work, _split(work, split), source.image) for split in work.plan.thresholds])
    train = None
    if wants_features(work.plan):
        train = _seen(work, load_split(work.recipe, work.records, TRAIN, work.work), None)
    fitted, statistics = fit_gate_settings(work.plan, source, work.classifier, train, valid)
    proof = {"reconstruction": prove_gate(folder, source, _sample(valid.gate))}
    if statistics:
        proof["features"] = _write_features(statistics, folder, work, valid)
    origin = _origin(source) | {
        "passing": {name: round(share, 4) for name, share in fitted.thresholds.passing.items()},
        "own_share": round(fitted.thresholds.own_share, 4),
        "images": {VALID: len(valid.gate)} | dict(source.made_by.get("images", {})),
        "proof": {name: float(f"{value:.1e}") for name, value in proof.items()},
    }
    return BundleGate(entry, fitted.settings, origin, features=statistics is not None)


def _write_features(statistics: FeatureStatistics, folder: Path, work: GateWork, valid: SplitImages) -> float:
    write_features_graph(statistics, folder)
    pooled, _ = pooled_features(work.classifier, _sample(valid.classifier))
    return prove_features_graph(statistics, folder, pooled)


def _seen(work: GateWork, split: ImageSplit, gate: NetworkInput | None) -> SplitImages:
    """The images of a split as both networks see them; the gate's part is empty where it is not asked for."""
    paths = [record.path for record in split.records]
    tensors = cached_tensors(paths, {"gate": gate}, work.work / "tensors")["gate"] if gate else np.empty(0, np.float32)
    return SplitImages(split.tensors, tensors, [record.source for record in split.records])


def _split(work: GateWork, split: str) -> ImageSplit:
    return work.valid if split == VALID else load_split(work.recipe, work.records, split, work.work)


def _together(parts: Sequence[SplitImages]) -> SplitImages:
    """The images of several splits as those of one."""
    classifier, gate = (np.concatenate([getattr(part, name) for part in parts]) for name in ("classifier", "gate"))
    return SplitImages(classifier, gate, [source for part in parts for source in part.sources])


def _sample(images: np.ndarray[Any, np.dtype[np.float32]]) -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.ascontiguousarray(images[samples(len(images))])


def _origin(gate: TrainedGate) -> dict[str, Any]:
    """Of the training, what says how to repeat it and how it ended."""
    made_by = without_places(dict(gate.made_by))
    history = made_by.get("history") or [{}]
    return {
        "network": reconstruction_document(read_reconstruction(gate.network_settings)),
        "parameters": sum(weight.numel() for weight in gate.network.parameters()),
        "training": made_by.get("training"),
        "last": {name: float(f"{value:.4g}") for name, value in history[-1].items() if name != "seconds"},
        "torch": made_by.get("torch"),
    }
