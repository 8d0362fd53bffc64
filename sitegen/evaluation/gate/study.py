"""The comparison of gates from files: bundles and trained reconstruction networks, on images inside and outside.

`study` has every model score every image, and `sitegen.evaluation.gate.document` measure what that is worth.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

import numpy as np

from sitegen.bundle import DESCRIPTION, load_bundle
from sitegen.data.dataset import named_alike
from sitegen.data.records import label_matrix
from sitegen.data.tensors.cache import usable_tensors
from sitegen.errors import SettingsError
from sitegen.evaluation.gate.bundle_scores import score_gate_bundle
from sitegen.evaluation.gate.detectors import Detector, GateImages, OutsideImage
from sitegen.evaluation.gate.document import gate_document
from sitegen.evaluation.gate.document_types import GateDataDocument, GateStudyDocument, StringencyDocument
from sitegen.evaluation.gate.images import NEAR, Inside, Outside, patients_of, read_inside, read_outside
from sitegen.evaluation.gate.network_scores import scored_gate_network
from sitegen.evaluation.gate.projected import ProjectedScores, ProjectedTable, projected_detectors, scores_of
from sitegen.evaluation.gate.scored import GateScored, Selected, detectors_of, unusable
from sitegen.evaluation.gate.stringency import measurable, stringency_curve
from sitegen.metrics.resampling import Resampling
from sitegen.networks.trained_gate import load_gate

GATE_FILE = "gate.pt"  # what training calls every gate: its folder's name says which one it is
ROLE = "gate"


@dataclass(frozen=True)
class Study:
    """What to compare on what: `models` are bundles and gate checkpoints; `recipe` says how `data` is read.

    `projections` are tables of distances, further rows beside the models' (see `projected`).
    `near` are patterns of categories. `against` names the detector that others are tested against. `work` keeps
    tensors; `workers` None are all cores.
    """

    models: Sequence[Path]
    outside: Path
    data: Path | None = None
    recipe: Path | None = None
    split: str = "test"
    half: str = "development"
    near: Sequence[str] = NEAR
    against: str | None = None
    work: Path = Path("build/gate-evaluation")
    workers: int | None = None
    resampling: Resampling = field(default_factory=Resampling)
    projections: Sequence[ProjectedTable] = ()


@dataclass(frozen=True)
class Answer:
    """The document, and what a gallery is made of: the models' scores, and the images, inside before outside."""

    document: GateStudyDocument
    scored: Sequence[GateScored]
    images: GateImages
    rows: Sequence[int]


def study(asked: Study) -> Answer:
    """Return the comparison; docs/gate-evaluation.md describes the document.

    Images that one of the models cannot analyse are left out for all, and listed under "unreadable". Raises DataError
    and SettingsError for what cannot be used: see `gate_images`, `gate_document`, and the readers of models.
    """
    outside = read_outside(asked.outside, asked.half, asked.near)
    inside = read_inside(asked.data, asked.recipe, asked.split, outside.originals)
    records = [*inside.records, *inside.validation]
    paths = [*(record.path for record in records), *(file.path for file in outside.files)]
    names = model_names(asked.models)
    scored = [_scored(path, name, paths, asked) for path, name in zip(asked.models, names, strict=True)]
    projected = [scores_of(table, paths) for table in asked.projections]
    problems = unusable(scored, paths) | {at: each.problems[at] for each in projected for at in sorted(each.problems)}
    images, which = _selected(inside, outside, problems)
    detectors, notes = _detectors(scored, projected, which)
    document: GateStudyDocument = {
        **gate_document(images, detectors, asked.resampling, asked.against),
        "models": [dict(model.model) for model in scored],
        "data": _described(asked, inside, outside, images, which),
        "stringency": [
            found for model in scored if (found := _stringency(model, images, which, detectors)) is not None
        ],
        "notes": notes,
        "unreadable": [{"file": str(paths[at]), "problem": problem} for at, problem in problems.items()],
    }
    return Answer(document, scored, images, [*which.inside.tolist(), *which.outside.tolist()])


def model_names(paths: Sequence[Path]) -> list[str]:
    """Return a short name for each model, all different: a bundle's folder, a checkpoint's file or its folder.

    As many folders are added in front as it takes to tell them apart. Raises SettingsError where a model is named
    twice.
    """
    parts = [_own_name(path.resolve()) for path in paths]
    for length in range(1, max((len(each) for each in parts), default=0) + 1):
        names = ["/".join(each[-length:]) for each in parts]
        if len(set(names)) == len(names):
            return names
    raise SettingsError("The same model is named twice: a comparison with itself tells nothing. Name it once.")


def _own_name(path: Path) -> tuple[str, ...]:
    if path.is_dir():
        return path.parts
    return path.parent.parts if path.name == GATE_FILE else (*path.parent.parts, path.stem)


def _scored(path: Path, name: str, paths: Sequence[Path], asked: Study) -> GateScored:
    if (path / DESCRIPTION).is_file():
        found = score_gate_bundle(load_bundle(path), name, paths, asked.workers)
        return _with_file(found, {"file": str(path)})
    if path.is_dir() or not path.exists():
        raise SettingsError(
            f"{path} is neither a bundle nor a trained gate. Name a folder with {DESCRIPTION}, or a {GATE_FILE} that "
            "sitegen train gate wrote."
        )
    gate = load_gate(path)
    usable = usable_tensors(paths, {ROLE: gate.image}, asked.work / "tensors", asked.workers)
    kept = set(usable.kept)
    bad = [at for at in range(len(paths)) if at not in kept]
    problems = {at: problem for at, (_, problem) in zip(bad, usable.problems, strict=True)}
    found = scored_gate_network(gate, name, usable.tensors[ROLE], usable.kept, problems, asked.workers)
    return _with_file(found, {"file": str(path), "sha256": sha256(path.read_bytes()).hexdigest()})


def _with_file(scored: GateScored, file: dict[str, str]) -> GateScored:
    return replace(scored, model={**scored.model, **file})


def _selected(inside: Inside, outside: Outside, problems: dict[int, str]) -> tuple[GateImages, Selected]:
    """The images that every model can analyse, and their places in the list that the models have scored."""
    first, second = len(inside.records), len(inside.records) + len(inside.validation)
    total = second + len(outside.files)
    good = np.array([at for at in range(total) if at not in problems], np.int64)
    tested, validation = good[good < first], good[(good >= first) & (good < second)]
    beyond = good[good >= second]
    owners = patients_of(outside.files, [*inside.records, *inside.left_out, *inside.validation])
    images = GateImages(
        [inside.records[at] for at in tested],
        [
            OutsideImage(outside.files[at].path, outside.files[at].category, outside.files[at].near, owners[at])
            for at in (beyond - second).tolist()
        ],
    )
    sources = [inside.validation[at].source for at in (validation - first).tolist()]
    return images, Selected(tested, beyond, validation, sources)


def _detectors(
    scored: Sequence[GateScored], projected: Sequence[ProjectedScores], which: Selected
) -> tuple[list[Detector], list[str]]:
    found, notes = [], []
    told = [
        *(detectors_of(model, which) for model in scored),
        *(projected_detectors(each, which) for each in projected),
    ]
    for detectors, problem in told:
        found += detectors
        notes += [problem] if problem else []
    return found, notes


def _described(asked: Study, inside: Inside, outside: Outside, images: GateImages, which: Selected) -> GateDataDocument:
    return {
        "inside": str(asked.data or asked.recipe),
        "split": asked.split,
        "images": len(images.inside),
        "patients": len({record.patient for record in images.inside}),
        "left_out": len(inside.left_out),
        "validation": len(which.validation),
        "outside": str(asked.outside),
        "half": asked.half,
        "outside_images": len(images.outside),
        "near": list(asked.near),
    }


def _stringency(
    model: GateScored, images: GateImages, which: Selected, detectors: Sequence[Detector]
) -> StringencyDocument | None:
    """How a bundle's classifier does on ever fewer images, by each detector; None where that cannot be measured."""
    if model.logits is None:
        return None
    records = named_alike(images.inside, model.labels, "the data")
    targets = label_matrix(records, model.labels).astype(np.float64)
    columns = measurable(targets)
    if not columns:
        return None
    logits = model.logits[which.inside][:, columns]
    return {
        "model": model.name,
        "labels": [model.labels[at] for at in columns],
        "curves": [
            {"detector": detector.name, **stringency_curve(detector.inside, logits, targets[:, columns])}
            for detector in detectors
        ],
    }
