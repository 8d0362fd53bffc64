"""Any ONNX classifier: one image in, one number for each finding out. No torch is needed."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import onnx

from sitegen.errors import ModelError
from sitegen.importing.graph.evaluation import as_in_evaluation
from sitegen.importing.graph.finished import FinishedGraph, ReadGraph, finish, questions_of, read_graph, writer
from sitegen.importing.graph.passes import with_plain_constants
from sitegen.importing.graph.precision import to_float32
from sitegen.importing.graph.reading import read_onnx
from sitegen.importing.origin import file_origin, names_of
from sitegen.importing.questions import Question, open_questions
from sitegen.importing.settings import ImportSettings
from sitegen.importing.source import ImportedClassifier
from sitegen.importing.sources.onnx_original import OnnxOriginal


def import_onnx(file: Path, settings: ImportSettings) -> ImportedClassifier:
    """Return the classifier in an ONNX file, whose weights may lie in further files of its folder.

    Side and colour are the graph's where it states them; the range of pixels, and the labels, are the settings' alone.
    Raises ModelError for files that are damaged or need what sitegen has not; SettingsError where the settings leave
    something open, or contradict the graph.
    """
    read, types, told = _read(file, settings)
    made = finish(read, settings)
    name, title = names_of(settings, file.stem)
    return ImportedClassifier(
        name=name,
        title=title,
        labels=made.labels,
        image=made.image,
        write=writer(made.graph),
        original=OnnxOriginal(read.model, read.slot, made.output, made.head),
        preparation=None,
        provenance=_provenance(file, read, made, types),
        remarks=[*told, *made.remarks, *([_of_types(types)] if types else [])],
    )


def questions(file: Path, settings: ImportSettings | None = None) -> list[Question]:
    """Return what a file and the settings leave open. Raises ModelError where the file cannot be used at all."""
    settings = settings or ImportSettings()
    return open_questions(questions_of(_read(file, settings)[0]), settings)


def _read(file: Path, settings: ImportSettings) -> tuple[ReadGraph, list[str], list[str]]:
    """Return the file's graph in float32 and as in evaluation, the types that it computed in before, and remarks."""
    model = read_onnx(file)
    types = to_float32(model)
    with_plain_constants(model)
    try:
        told = as_in_evaluation(model)
    except ModelError as error:
        raise ModelError(f"{file}: {error}") from error
    return read_graph(model, file, settings.outputs), types, told


def _of_types(types: Sequence[str]) -> str:
    return (
        f"The file has numbers of {' and '.join(types)}. Bundle and original were computed in float32, with the same "
        "weights; what the file gives in its own precision was not compared."
    )


def _provenance(file: Path, read: ReadGraph, made: FinishedGraph, types: Sequence[str]) -> dict[str, Any]:
    return {
        "source": "ONNX",
        "file": file_origin(file),
        "weights": [file_origin(file.parent / place) for place in _weight_files(file)],
        "producer": f"{read.model.producer_name} {read.model.producer_version}".strip(),
        "opset": {"file": read.model.opset_import[0].version, "bundle": made.graph.opset_import[0].version},
        "types": list(types),
        "output": made.head.ending,
        "onnx": onnx.__version__,
    }


def _weight_files(file: Path) -> list[str]:
    graph = onnx.load(str(file), load_external_data=False).graph
    places = (entry for tensor in graph.initializer for entry in tensor.external_data)
    return sorted({entry.value for entry in places if entry.key == "location"})
