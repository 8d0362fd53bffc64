"""Bundles on disk: reading and checking a folder, and writing its description."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path, PurePosixPath

from pydantic import ValidationError

from sitegen.bundle.description import CARD, Description, Role
from sitegen.bundle.parts import FileEntry, Graph
from sitegen.errors import BundleError
from sitegen.graphs.signature import Signature, fits, read_signature
from sitegen.replacing import recover
from sitegen_runtime.bundle.model import Model, read_model

DESCRIPTION = "bundle.json"


@dataclass(frozen=True)
class Bundle:
    """A bundle that was read and found to be whole."""

    folder: Path
    description: Description
    description_bytes: bytes

    def path(self, name: str) -> Path:
        """Return the path of a file of the bundle."""
        return self.folder / name

    def graph_path(self, role: str) -> Path:
        """Return the ONNX file of a role. Raises BundleError where the bundle has no such network."""
        for name, graph in self.description.graphs.items():
            if name == role:
                return self.path(graph.file)
        raise BundleError(f"The bundle {self.folder} has no network of the role {role!r}.")

    def weights(self, role: Role) -> dict[str, str]:
        """Return the files of a graph's external weights: the location that the graph names -> path in the bundle."""
        locations = sorted(read_signature(self.graph_path(role)).weight_files)
        return {location: weight_path(self.description.graphs[role].file, location) for location in locations}

    @property
    def model(self) -> Model:
        """The runtime's reading of the same `bundle.json`."""
        return read_model(self.description_bytes)


def load_bundle(folder: Path) -> Bundle:
    """Read a bundle and check it: schema, hashes, ONNX inputs and outputs, label counts.

    Raises BundleError with everything that is wrong.
    """
    if not folder.exists():
        recover(folder)
    path = folder / DESCRIPTION
    if not path.is_file():
        raise BundleError(f"{folder} is not a bundle: it has no {DESCRIPTION}. Name a folder made by sitegen.")
    raw = path.read_bytes()
    description = _read_description(path, raw)
    problems = list(_damaged_files(folder, description))
    if not problems:
        problems = list(_graph_problems(folder, description))
    _refuse(folder, problems)
    return Bundle(folder, description, raw)


def _refuse(folder: Path, problems: list[str]) -> None:
    if problems:
        raise BundleError(f"The bundle {folder} cannot be used:\n" + "\n".join(f"  - {line}" for line in problems))


def _read_description(path: Path, raw: bytes) -> Description:
    try:
        return Description.model_validate_json(raw)
    except ValidationError as error:
        lines = (f"  - {'.'.join(map(str, part['loc'])) or 'bundle'}: {part['msg']}" for part in error.errors())
        raise BundleError(f"{path} is not a valid description of a bundle:\n" + "\n".join(lines)) from None


def _damaged_files(folder: Path, description: Description) -> Iterator[str]:
    for name, entry in description.files.items():
        path = folder / name
        if not path.is_file():
            yield f"{name} is missing"
        elif path.stat().st_size != entry.bytes:
            yield f"{name} has {path.stat().st_size} bytes instead of {entry.bytes}"
        elif sha256(content := path.read_bytes()).hexdigest() != entry.sha256:
            yield f"{name} was changed: its SHA-256 is not the one in {DESCRIPTION}"
        elif name == CARD and (problem := _no_text(content)):
            yield f"{name} is not UTF-8 text ({problem}): save it as such, and write the bundle again"


def _no_text(content: bytes) -> str:
    """What keeps bytes from being text in UTF-8, "" for nothing."""
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        return f"{error.reason} at byte {error.start}"
    return ""


def _graph_problems(folder: Path, description: Description) -> Iterator[str]:
    for role, graph in description.graphs.items():
        try:
            signature = read_signature(folder / graph.file)
        except BundleError as error:
            yield str(error)
            continue
        for location in sorted(signature.weight_files):
            if (name := weight_path(graph.file, location)) not in description.files:
                yield f"{graph.file} keeps weights in {name!r}, which is not listed in files"
        yield from _input_problems(role, graph, signature)
        yield from _output_problems(role, graph, signature, len(description.labels))


def _input_problems(role: str, graph: Graph, signature: Signature) -> Iterator[str]:
    for entry in graph.inputs:
        if entry.name not in signature.inputs:
            yield f"graphs.{role}: {graph.file} has no input {entry.name!r}, only {sorted(signature.inputs)}"
        elif not fits(actual := signature.inputs[entry.name], entry.shape):
            yield f"graphs.{role}: input {entry.name!r} has the shape {actual} in {graph.file}, not {entry.shape}"


def _output_problems(role: str, graph: Graph, signature: Signature, labels: int) -> Iterator[str]:
    for output in graph.outputs:
        if output.name not in signature.outputs:
            yield f"graphs.{role}: {graph.file} has no output {output.name!r}, only {sorted(signature.outputs)}"
            continue
        actual = signature.outputs[output.name]
        if output.role == "logits" and not fits(actual, [1, labels]):
            yield f"labels: there are {labels}, but the output {output.name!r} of {graph.file} has the shape {actual}"
        elif output.shape and not fits(actual, output.shape):
            yield f"graphs.{role}: output {output.name!r} has the shape {actual} in {graph.file}, not {output.shape}"


def weight_path(graph_file: str, location: str) -> str:
    """Return the path in the bundle of external weights, whose location ONNX counts from the graph's own folder."""
    return (PurePosixPath(graph_file).parent / location).as_posix()


def describe_files(folder: Path, names: Iterable[str]) -> dict[str, FileEntry]:
    """Return sizes and hashes of files of a bundle that is being written."""
    contents = {name: (folder / name).read_bytes() for name in names}
    return {name: FileEntry(bytes=len(raw), sha256=sha256(raw).hexdigest()) for name, raw in contents.items()}


def unwritten_bundle(folder: Path, description: Description) -> Bundle:
    """Return the bundle that a folder will be once its description is written, to be measured before.

    Raises BundleError where the graphs do not fit the description, with all that is wrong.
    """
    _refuse(folder, list(_graph_problems(folder, description)))
    return Bundle(folder, description, _text(description).encode())


def write_description(folder: Path, description: Description) -> None:
    """Write `bundle.json`, in a stable layout. Raises BundleError for numbers that JSON does not have."""
    (folder / DESCRIPTION).write_text(_text(description), encoding="utf-8")


def _text(description: Description) -> str:
    fields = description.model_dump(by_alias=True)  # mode="json" would turn NaN into null
    try:
        return json.dumps(fields, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    except ValueError as error:
        raise BundleError(f"metrics and provenance must be plain finite values: {error}") from error
