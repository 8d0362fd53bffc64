"""Classifiers of Keras: `.keras`, HDF5, JSON with weights, layers models of TensorFlow.js. No Keras is needed."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sitegen.errors import ModelError
from sitegen.importing.graph.ending import Head
from sitegen.importing.graph.finished import ReadGraph, finish, questions_of, read_graph, writer
from sitegen.importing.graph.image import ImageSlot
from sitegen.importing.keras.files import KerasFile, read_keras
from sitegen.importing.keras.graph import literal
from sitegen.importing.keras.laying import lay_out
from sitegen.importing.keras.network import Network
from sitegen.importing.keras.reference import evaluate
from sitegen.importing.keras.told import Told, told_beside
from sitegen.importing.origin import file_origin, names_of
from sitegen.importing.questions import Question, open_questions
from sitegen.importing.settings import ImportSettings
from sitegen.importing.source import Images, ImportedClassifier, Logits
from sitegen.importing.sources.onnx_original import as_logits_of


@dataclass(frozen=True)
class _Read:
    """A model in all its forms, and what the files beside it tell."""

    file: KerasFile
    network: Network
    graph: ReadGraph
    told: Told


def import_keras(path: Path, settings: ImportSettings) -> ImportedClassifier:
    """Return the classifier in a file of Keras, or in a folder with one.

    Side and colour are the model's where it states them; the range of pixels and the labels are the settings', or what
    a known tool wrote beside the model. The original is the network as Keras defines its layers, computed by NumPy in
    float64. Nothing that a file holds is run. Raises ModelError for files that are damaged, hold code, or have layers
    that are not known; SettingsError where the settings leave something open, or contradict the model.
    """
    read = _read(path, settings)
    settings = read.told.under(settings)
    made = finish(read.graph, settings)
    name, title = names_of(settings, _usual_name(read.file.files[0]))
    return ImportedClassifier(
        name=name,
        title=title,
        labels=made.labels,
        image=made.image,
        write=writer(made.graph),
        original=KerasOriginal(read.network, read.graph.slot, settings.outputs or [made.output], made.head),
        preparation=None,
        provenance=_provenance(read, made.head),
        remarks=[*read.told.remarks, *made.remarks],
    )


def questions(path: Path, settings: ImportSettings | None = None) -> list[Question]:
    """Return what a model and the settings leave open. Raises ModelError where the model cannot be used at all."""
    settings = settings or ImportSettings()
    read = _read(path, settings)
    return open_questions(questions_of(read.graph), read.told.under(settings))


def _read(path: Path, settings: ImportSettings) -> _Read:
    file = read_keras(path)
    try:
        network = lay_out(file.entry, file.weights, file.version)
        told = told_beside(file, network)
        network = told.on(network)
        graph = read_graph(literal(network), file.files[0], settings.outputs)
    except ModelError as error:
        where = "" if str(file.files[0]) in str(error) else f"{file.files[0]}: "
        raise ModelError(f"{where}{error}") from error
    return _Read(file, network, graph, told)


def _usual_name(file: Path) -> str:
    """A file's own name, or where that says nothing, its folder's."""
    plain = file.stem in ("model", "keras_model", "model.last", "model.best_loss")
    return file.resolve().parent.name if plain else file.stem


def _provenance(read: _Read, head: Head) -> dict[str, Any]:
    return {
        "source": "Keras",
        "form": read.file.form,
        "written": read.file.written or "not stated",
        "file": file_origin(read.file.files[0]),
        "weights": [file_origin(file) for file in read.file.files[1:]],
        "beside": [file_origin(file) for file in read.told.files],
        "output": head.ending,
    }


class KerasOriginal:
    """The network as its file has it, but for a final sigmoid or softmax, as with `OnnxOriginal`."""

    library = f"NumPy {np.__version__}, by Keras's definitions and in float64"

    def __init__(self, network: Network, slot: ImageSlot, outputs: Sequence[str], head: Head) -> None:
        """`outputs` are those with the findings, side by side, `head` how they are made."""
        self._network, self._slot, self._outputs = network, slot, tuple(outputs)
        made = {node.output[0] for node in head.nodes}
        known = made <= {step.name for step in network.steps}
        self._left_out, self._ending = (made, head.ending) if known else (set(), "probabilities")

    def logits(self, images: Images) -> Logits:
        """Return [N, labels] for images float32 [N, channels, side, side], each image run by itself."""
        return np.stack([self._of_one(image) for image in images])

    def in_both(self, images: Images) -> tuple[Logits, Logits] | None:
        """Return [N, labels] computed in float32, and in float64."""
        narrow = np.stack([self._of_one(image, np.float32) for image in images])
        return narrow, self.logits(images)

    def gradients(self, images: Images, label: int) -> Images | None:
        """Return None: this only runs forwards."""
        return None

    def _of_one(self, image: Images, kind: type[np.floating[Any]] = np.float64) -> Logits:
        given = (image.transpose(1, 2, 0) if self._slot.last else image)[np.newaxis]
        values = evaluate(self._network, given, self._left_out, self._outputs, kind)
        found = np.concatenate([values[name][0].reshape(-1) for name in self._outputs]).astype(np.float64)
        return as_logits_of(found, self._ending)
