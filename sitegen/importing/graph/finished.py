"""From a graph as a file has it to the graph of a bundle: the way that ONNX and TensorFlow.js models share.

The graph is changed by small passes, in the order of `_prepared` and `finished`. No torch is needed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from onnx import ModelProto

from sitegen.bundle import Label
from sitegen.errors import ModelError, SettingsError
from sitegen.export.gradient_graph import SEED
from sitegen.graphs.files import INPUT, save_with_weights, strip_traces
from sitegen.graphs.names import CLASSIFIER, FEATURES, LOGITS
from sitegen.graphs.passes.table import BUNDLE, apply
from sitegen.importing.graph.ending import Head, find_head
from sitegen.importing.graph.folding import fold
from sitegen.importing.graph.heads import as_logits
from sitegen.importing.graph.image import (
    ImageSlot,
    as_numbers,
    findings_outputs,
    fix_image,
    image_slot,
    keep_output,
    labels_of_output,
)
from sitegen.importing.graph.layout import sink_transposes
from sitegen.importing.graph.outputs import choose_outputs
from sitegen.importing.graph.passes import (
    drop_unused,
    free_name,
    merge_pads,
    name_nodes,
    names_in,
    rename,
    upgraded,
    with_fixed_pads,
    with_plain_constants,
)
from sitegen.importing.graph.quantised import check_signs
from sitegen.importing.graph.shapes import declared, shapes_of
from sitegen.importing.questions import OUTPUT, Question, check_answered, image_questions, labels_question
from sitegen.importing.settings import ImportSettings, OutputKind, image_of, labels_of
from sitegen.settings.recipe import ImageSettings
from sitegen_runtime.bundle.model import NetworkInput

_USUAL_SIDE = 224


@dataclass(frozen=True)
class ReadGraph:
    """A model in float32 as its file has it, and the image that it takes; `file` is what errors call it."""

    model: ModelProto
    slot: ImageSlot
    file: Path


@dataclass(frozen=True)
class FinishedGraph:
    """A bundle's classifier, and what became of the file's: which output was taken, how it ends, what to say of it."""

    graph: ModelProto
    image: NetworkInput
    labels: Sequence[Label]
    output: str
    head: Head
    remarks: Sequence[str]


def read_graph(model: ModelProto, file: Path, outputs: Sequence[str] = ()) -> ReadGraph:
    """Return a model with the image that it takes, and with those outputs alone that are named, if any are.

    Raises ModelError where it takes no image; SettingsError where it has no such output.
    """
    try:
        levels = as_numbers(model)
        slot = replace(image_slot(model), levels=levels)
        if outputs:
            choose_outputs(model, outputs)
    except (ModelError, SettingsError) as error:
        raise type(error)(f"{file}: {error}") from error
    return ReadGraph(model, slot, file)


def questions_of(read: ReadGraph) -> list[Question]:
    """Return all that a file does not tell, whatever settings say."""
    slot, tried = read.slot, _tried(read)
    image = image_questions(
        side=not (slot.rows and slot.columns), colour=slot.channels is None, channels=slot.channels, levels=slot.levels
    )
    count = None if tried is None else labels_of_output(tried)
    return [labels_question(count), *image, *([OUTPUT] if tried is not None and not _tells_output(tried) else [])]


def _tried(read: ReadGraph) -> ModelProto | None:
    """Return the model with fixed sizes, usual ones where it states none, and the first output that may have findings.

    None where it has none, or does not take an image of this size.
    """
    model = ModelProto()
    model.CopyFrom(read.model)
    rows, columns = ImageSettings(side=read.slot.side or _USUAL_SIDE).grid
    try:
        model = _fixed(model, read.slot, (1, read.slot.channels or 1, rows, columns))
        shapes = shapes_of(model)
        found = next((name for name, _ in findings_outputs(model, shapes)), None)
        if found is None:
            return None
        keep_output(model, found, shapes)
    except ModelError:
        return None
    return model


def _tells_output(model: ModelProto) -> bool:
    try:
        find_head(model, None)
    except SettingsError:
        return False
    except ModelError:
        return True  # which no answer mends; `finish` says it
    return True


def finish(read: ReadGraph, settings: ImportSettings) -> FinishedGraph:
    """Return the bundle's classifier.

    Side and colour are the graph's where it states them; the range of pixels, and the labels, are the settings' alone.
    Raises SettingsError where settings leave something open or contradict the graph, ModelError where it has no form
    that a bundle can have.
    """
    check_answered(questions_of(read), settings)
    image, labels = image_of(settings, _usual(read.slot)), labels_of(settings)
    _check_slot(read.slot, image)
    try:
        model, output, others = _prepared(read, image.shape, len(labels))
        head = find_head(model, settings.output)
        graph = finished(model, head)
    except (ModelError, SettingsError) as error:
        raise type(error)(f"{read.file}: {error}") from error
    remarks = [head.remark]
    if others:
        remarks.append(f"The output {output!r} was taken; not kept: {', '.join(map(repr, others))}.")
    if read.slot.levels:
        remarks.append(
            "The file takes images as bytes. The bundle takes the same numbers, 0 to 255, and does not round what "
            "scaling makes of them."
        )
    if read.slot.last:
        remarks.append("The file takes images with channels last; the bundle takes them with channels first.")
    return FinishedGraph(graph, image, labels, output, head, remarks)


def _usual(slot: ImageSlot) -> ImageSettings:
    found: dict[str, Any] = {"side": slot.side, "colour": slot.colour}
    if slot.levels:
        found["range"] = (0.0, 255.0)
    return ImageSettings(**{key: value for key, value in found.items() if value is not None})


def _check_slot(slot: ImageSlot, image: NetworkInput) -> None:
    rows, columns = image.grid
    sizes = _side(rows, columns), _side(slot.rows or rows, slot.columns or columns)
    for key, wanted, fixed in (("side", *sizes), ("colour", image.colour, slot.colour or image.colour)):
        if wanted != fixed:
            raise SettingsError(
                f"image.{key} is {wanted!r}, but the model takes {fixed!r}. Leave it out, or export it anew."
            )


def _side(rows: int, columns: int) -> int | list[int]:
    return rows if rows == columns else [rows, columns]


def _prepared(read: ReadGraph, shape: Sequence[int], labels: int) -> tuple[ModelProto, str, list[str]]:
    """Return the model for one image of a fixed shape, its output [1, labels], and the outputs that were dropped."""
    model = ModelProto()
    model.CopyFrom(read.model)
    model = _fixed(model, read.slot, shape)
    shapes = shapes_of(model)
    found = dict(findings_outputs(model, shapes))
    fitting = [name for name, count in found.items() if count == labels]
    if not fitting:
        raise _no_output(read, model, found, labels)
    output = next((name for name in fitting if LOGITS in name.lower()), fitting[0])
    others = [value.name for value in model.graph.output if value.name != output]
    keep_output(model, output, shapes)
    drop_unused(model)
    return model, output, others


def _fixed(model: ModelProto, slot: ImageSlot, shape: Sequence[int]) -> ModelProto:
    """Return the model for one image of a fixed shape, with operators of opset 18 or newer."""
    with_plain_constants(model)
    fix_image(model, slot, shape)
    model = upgraded(model)
    fold(model)
    return model


def _no_output(read: ReadGraph, model: ModelProto, found: Mapping[str, int], labels: int) -> Exception:
    if found:
        counts = ", ".join(f"{name!r} has {count}" for name, count in found.items())
        return SettingsError(f"{labels} label(s) are named, but of the model's outputs {counts}. Name one for each.")
    shapes = shapes_of(model)
    given = {value.name: shapes.sizes.get(value.name) for value in model.graph.output}
    batch = f" It was exported for {read.slot.batch} images at once." if (read.slot.batch or 1) > 1 else ""
    return ModelError(
        f"No output has one number for each finding of one image; there are {given}.{batch} Export the model as a "
        "classifier, with the shape [1, labels] or with an open batch."
    )


def finished(model: ModelProto, kind: OutputKind | Head | None) -> ModelProto:
    """Return the graph of a bundle: the input "image", the output "logits", no transposes that undo each other.

    Preconditions: one image input of fixed shape, one output [1, labels], opset 18 or newer.
    """
    model = as_logits(model, kind)
    _free_reserved(model)
    rename(model, {model.graph.input[0].name: INPUT, model.graph.output[0].name: LOGITS})
    fold(model)
    sink_transposes(model)
    fold(model)
    with_fixed_pads(model)
    merge_pads(model)
    apply(BUNDLE, model)
    name_nodes(model)
    check_signs(model)
    _check_final(model)
    return model


def _free_reserved(model: ModelProto) -> None:
    """Rename tensors that have a name which a bundle's graphs need for something else."""
    names = names_in(model)
    rename(model, {name: free_name(names, name) for name in (SEED, FEATURES) if name in names})


def _check_final(model: ModelProto) -> None:
    """Raise ModelError where shapes turn out to contradict each other."""
    sizes, stated = shapes_of(model).fixed(LOGITS), declared(model.graph.output[0])
    if sizes != stated:
        raise ModelError(f"The logits have the shape {sizes} instead of {stated}. Export the model for one image.")


def writer(graph: ModelProto) -> Callable[[Path], None]:
    """Return what writes a graph to `classifier.onnx` of a folder, with its weights beside it."""

    def write(folder: Path) -> None:
        copy = ModelProto()
        copy.CopyFrom(graph)
        strip_traces(copy)
        save_with_weights(copy, folder / CLASSIFIER)

    return write
