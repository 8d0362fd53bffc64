"""Concepts from files: a bundle, a layer and settings in; an autoencoder and its document out."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from sitegen.bundle import load_bundle
from sitegen.data.audit.document_types import ProblemDocument
from sitegen.errors import DataError, SettingsError
from sitegen.evaluation.concepts.document import SCHEMA, mean_interval, node_documents, strongest_of
from sitegen.evaluation.concepts.document_types import ConceptsDocument
from sitegen.evaluation.concepts.effects import ImageEffects, Instrumented, as_values, image_effects
from sitegen.evaluation.concepts.fitting import Fitted, fit_concepts
from sitegen.evaluation.concepts.layers import Cut
from sitegen.evaluation.concepts.pictures import Strongest
from sitegen.evaluation.concepts.settings import ConceptSettings
from sitegen.evaluation.concepts.taking import Taken, take
from sitegen.evaluation.effects.study import Distribution, masks_over
from sitegen.evaluation.explanations.localisation.cases import EVERYTHING, Listed, listed
from sitegen.parallel import shown
from sitegen.prediction import Predictor
from sitegen.settings.reading import settings_document
from sitegen_runtime.bundle.model import NetworkInput

WEIGHTS, FIGURES, TABLE, PAGE = "concepts.pt", "concepts.json", "concepts.csv", "concepts.html"


@dataclass(frozen=True)
class Study:
    """What to find concepts in: a bundle's folder and a layer, by the name of its ONNX value; settings, and the folder
    that the images they name are relative to. With `force`, images that the gate refuses are taken too."""

    bundle: Path
    layer: str
    settings: ConceptSettings
    folder: Path
    force: bool = False
    resamples: int = 1000


@dataclass(frozen=True)
class Answer:
    """The fitted autoencoder, what docs/concepts.md describes, and of each node the images that it is strongest on."""

    fitted: Fitted
    document: ConceptsDocument
    strongest: Sequence[Sequence[Strongest]]
    entry: NetworkInput


def study(asked: Study) -> Answer:
    """Fit an autoencoder, and measure what its codes do.

    Raises SettingsError for a layer that there is not and for a bundle without gradient, DataError where images are
    missing, BundleError for no bundle.
    """
    bundle, settings = load_bundle(asked.bundle), asked.settings
    if "gradient" not in bundle.model.graphs:
        roles = ", ".join(map(repr, bundle.model.graphs))
        raise SettingsError(f"The bundle {bundle.model.name} has no gradient, which attacks need; it has {roles}.")
    cut, predictor = Cut(bundle, asked.layer), Predictor(bundle)
    over = Distribution(share=settings.share, runs=settings.masks, seed=settings.seed)
    entry = predictor.model.graphs["classifier"].images[0]
    masks = masks_over(entry.grid, over)
    training, measured, problems = _images(asked, predictor)
    layers = [cut.front(as_values(each.values)) for each in training]
    fitted = fit_concepts(cut, layers, settings)
    whole = Instrumented(cut, fitted.network)
    found = [
        image_effects(whole, predictor, each.values, masks, settings)
        for each in shown(measured, len(measured), "images")
    ]
    patients = [each.listed.patient for each in measured]
    files = [str(each.listed.path) for each in measured]
    labels = [label.name for label in bundle.model.labels]
    moved = np.array([each.moved for each in found])
    document: ConceptsDocument = {
        "schema": SCHEMA,
        "model": {
            "file": str(asked.bundle),
            "name": bundle.model.name,
            "version": bundle.model.version,
            "sha256": bundle.model.sha256,
            "labels": labels,
            "layer": asked.layer,
            "shape": list(cut.shape[1:]),
        },
        "settings": settings_document(settings),
        "resamples": asked.resamples,
        "train_images": len(training),
        "images": len(measured),
        "patients": len(set(patients)),
        "losses": [{**each} for each in fitted.history],  # type: ignore[typeddict-item]
        "moved": mean_interval(moved, patients, asked.resamples, settings.seed),
        "nodes": node_documents(found, files, patients, labels, settings.strongest, asked.resamples, settings.seed),
        "unreadable": problems,
    }
    return Answer(fitted, document, _strongest(found, measured, settings.strongest), entry)


def _strongest(found: Sequence[ImageEffects], images: Sequence[Taken], count: int) -> list[list[Strongest]]:
    """Of each node the images that its document names, in that order."""
    of_nodes = [[each.codes[node] for each in found] for node in range(len(found[0].codes))]
    return [[Strongest(images[at].values, maps[at]) for at in strongest_of(maps, count)] for maps in of_nodes]


def save_concepts(fitted: Fitted, asked: Study, path: Path) -> None:
    """Write the autoencoder's weights with what is needed to make it again, as data alone."""
    content = {
        "schema": SCHEMA,
        "layer": asked.layer,
        "settings": settings_document(asked.settings),
        "weights": fitted.network.state_dict(),
    }
    torch.save(content, path)


def _images(asked: Study, predictor: Predictor) -> tuple[list[Taken], list[Taken], list[ProblemDocument]]:
    """The images to train on, those to measure, of other patients, and what could not be used."""
    settings = asked.settings
    found = listed([asked.folder / name for name in settings.images])
    order = np.random.default_rng(settings.seed).permutation(len(found))
    drawn = [found[at] for at in order]
    problems: list[ProblemDocument] = []
    training = take(predictor, _of(drawn, settings.train), problems, count=settings.train_images, force=asked.force)
    known = {each.listed.patient for each in training}
    others = [each for each in _of(drawn, settings.test) if each.patient not in known]
    measured = take(predictor, others, problems, count=settings.test_images, force=asked.force)
    for name, images in ((settings.train, training), (settings.test, measured)):
        if not images:
            first = f" The first problem: {problems[0]['problem']}" if problems else ""
            raise DataError(
                f"There is no image of the split {name!r} left among {len(found)}: see `images`, `train` and `test`."
                f"{first}"
            )
    return training, measured, problems


def _of(images: Sequence[Listed], split: str) -> list[Listed]:
    return [each for each in images if split in (EVERYTHING, each.split)]
