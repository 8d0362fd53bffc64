"""Classifiers of TensorFlow.js: a graph model's `model.json` and its shards. Neither torch nor TensorFlow is needed."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sitegen.importing.graph.ending import Head
from sitegen.importing.graph.finished import ReadGraph, finish, questions_of, read_graph, writer
from sitegen.importing.graph.image import ImageSlot
from sitegen.importing.origin import file_origin, names_of
from sitegen.importing.questions import Question, open_questions
from sitegen.importing.settings import ImportSettings
from sitegen.importing.source import Images, ImportedClassifier, Logits
from sitegen.importing.sources.onnx_original import as_logits_of
from sitegen.importing.tfjs.files import TfGraph, read_tfjs
from sitegen.importing.tfjs.graph import literal
from sitegen.importing.tfjs.reference import evaluate


def import_tfjs(path: Path, settings: ImportSettings) -> ImportedClassifier:
    """Return the classifier in `path`: the model.json of a graph model, or its folder.

    Side and colour are the graph's where it states them; the range of pixels, and the labels, are the settings' alone.
    The original is the graph as TensorFlow defines its operators, computed by NumPy in float64. Raises ModelError for
    files that are damaged or have operators that are not known; SettingsError where the settings leave something open,
    or contradict the graph.
    """
    graph, read = _read(path, settings)
    made = finish(read, settings)
    name, title = names_of(settings, graph.files[0].resolve().parent.name)
    return ImportedClassifier(
        name=name,
        title=title,
        labels=made.labels,
        image=made.image,
        write=writer(made.graph),
        original=TfjsOriginal(graph, read.slot, settings.outputs or [made.output], made.head),
        preparation=None,
        provenance={
            "source": "TensorFlow.js graph model",
            "file": file_origin(graph.files[0]),
            "weights": [file_origin(file) for file in graph.files[1:]],
            "output": made.head.ending,
        },
        remarks=made.remarks,
    )


def questions(path: Path, settings: ImportSettings | None = None) -> list[Question]:
    """Return what a model and the settings leave open. Raises ModelError where the model cannot be used at all."""
    settings = settings or ImportSettings()
    return open_questions(questions_of(_read(path, settings)[1]), settings)


def _read(path: Path, settings: ImportSettings) -> tuple[TfGraph, ReadGraph]:
    graph = read_tfjs(path)
    return graph, read_graph(literal(graph), graph.files[0], settings.outputs)


class TfjsOriginal:
    """The graph as its file has it, but for a final sigmoid or softmax, as with `OnnxOriginal`."""

    library = f"NumPy {np.__version__}, by TensorFlow's definitions and in float64"

    def __init__(self, graph: TfGraph, slot: ImageSlot, outputs: Sequence[str], head: Head) -> None:
        """`outputs` are those with the findings, side by side, `head` how they are made."""
        self._graph, self._slot, self._outputs = graph, slot, tuple(outputs)
        known = {node.name for node in graph.nodes}
        made = {node.output[0] for node in head.nodes}
        # An activation that is fused with another operator has no name of its own.
        self._left_out = made if made <= known else set()
        self._ending = head.ending if made <= known else "probabilities"

    def logits(self, images: Images) -> Logits:
        """Return [N, labels] for images float32 [N, channels, side, side], each image run by itself."""
        return np.stack([self._of_one(image) for image in images])

    def in_both(self, images: Images) -> tuple[Logits, Logits] | None:
        """Return [N, labels] computed in float32, and in float64."""
        narrow = np.stack([self._of_one(image, np.float32) for image in images])
        return narrow, self.logits(images)

    def gradients(self, images: Images, label: int) -> Images | None:
        """Return None: TensorFlow.js has gradients, and this does not run it."""
        return None

    def _of_one(self, image: Images, kind: type[np.floating[Any]] = np.float64) -> Logits:
        turned = image.transpose(1, 2, 0) if self._slot.last else image
        given = np.repeat(turned[np.newaxis], self._slot.batch or 1, axis=0)
        values = evaluate(self._graph, given, self._left_out, self._outputs, kind)
        found = np.concatenate([values[name][0].reshape(-1) for name in self._outputs]).astype(np.float64)
        return as_logits_of(found, self._ending)
