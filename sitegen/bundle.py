"""What a model is on disk: a folder with `bundle.json`, ONNX graphs, shared weights and a card.

    load_bundle(folder)                read, check hashes and consistency, or say everything that is wrong
    Bundle.path(name)                  a file of the bundle
    describe_files(folder, names)      the `files` entry, when a bundle is written
    write_description(folder, d)       write `bundle.json`

The schema is documented in docs/bundle.md. Readers ignore unknown keys, so later versions can add some.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from sitegen.calibration import Calibration as Calibration
from sitegen.errors import BundleError
from sitegen.signature import fits, read_signature
from sitegen_runtime.model import Model, read_model

DESCRIPTION = "bundle.json"
CARD = "card.md"
Role = Literal["classifier", "gate", "gradient", "features", "generator", "concepts"]
Share = Annotated[float, Field(ge=0, le=1)]


class Part(BaseModel):
    """Base of all parts of a bundle: unknown keys are ignored, non-finite numbers refused."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False, frozen=True)


class Licence(Part):
    """Under which terms the weights, and the data they were trained on, may be used."""

    weights: str
    data: str


class Crop(Part):
    """Which part of the image a network sees: a share of the centred square's side."""

    mode: Literal["centre-square"] = "centre-square"
    fraction: Annotated[float, Field(gt=0, le=1)] = 1.0


class GraphInput(Part):
    """One input of a graph, and how pixels become its values: (low + (high - low) * share - mean) / std.

    `colour` is None for an input that is no image (a seed, a latent): only name and shape apply to it.
    """

    name: str
    shape: Annotated[list[Annotated[int, Field(ge=1)]], Field(min_length=1)]
    colour: Literal["grey", "rgb"] | None = "grey"
    crop: Crop = Crop()
    range: tuple[float, float] = (0.0, 1.0)
    mean: list[float] = [0.0]
    std: list[Annotated[float, Field(gt=0)]] = [1.0]

    @model_validator(mode="after")
    def _consistent(self) -> "GraphInput":
        if self.colour is None:
            return self
        channels = 1 if self.colour == "grey" else 3
        if len(self.shape) != 4 or self.shape[0] != 1 or self.shape[1] != channels or self.shape[2] != self.shape[3]:
            raise ValueError(
                f"shape of a {self.colour} image input must be [1, {channels}, side, side], not {self.shape}"
            )
        if len(self.mean) != channels or len(self.std) != channels:
            raise ValueError(f"mean and std of a {self.colour} input need {channels} value(s) each")
        if self.range[0] >= self.range[1]:
            raise ValueError(f"range must rise from black to white, not {list(self.range)}")
        return self


class GraphOutput(Part):
    """One output of a graph: its name there, and what it means ("logits", "reconstruction", …)."""

    name: str
    role: str


class Graph(Part):
    """A network: an ONNX file, whose weights may lie in external files of the bundle."""

    file: str
    inputs: Annotated[list[GraphInput], Field(min_length=1)]
    outputs: Annotated[list[GraphOutput], Field(min_length=1)]

    def output(self, role: str) -> str | None:
        """Return the name of the output with a role, or None."""
        return next((output.name for output in self.outputs if output.role == role), None)


class Label(Part):
    """One finding. The operating point is the probability at which it is reported."""

    name: Annotated[str, Field(min_length=1)]
    operating_point: Annotated[float, Field(gt=0, lt=1)]
    calibration: Calibration | None = None


class GateSettings(Part):
    """When an image is judged at all: its score must reach the threshold."""

    metric: Literal["ssim"]
    threshold: float
    share: Share | None = None  # of validation images that pass


class Golden(Part):
    """A synthetic image that the gate accepts, and what it gives with native ONNX Runtime."""

    image: str
    tensors: dict[str, str]
    gate: float | None
    logits: dict[str, float]


class FileEntry(Part):
    """Size and SHA-256 of one file."""

    bytes: Annotated[int, Field(ge=0)]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class Description(Part):
    """The content of `bundle.json`."""

    format: Annotated[Literal["sitegen.bundle/1"], Field(alias="schema")] = "sitegen.bundle/1"
    name: Annotated[str, Field(pattern="^[a-z0-9][a-z0-9._-]*$")]
    version: str
    title: str
    licence: Licence
    graphs: dict[Role, Graph]
    labels: Annotated[list[Label], Field(min_length=1)]
    gate: GateSettings | None = None
    feature_map: dict[str, Any] | None = None
    golden: Golden | None = None
    files: dict[str, FileEntry]
    provenance: dict[str, Any] = {}
    metrics: dict[str, Any] = {}

    @model_validator(mode="after")
    def _consistent(self) -> "Description":
        problems = list(self._problems())
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _problems(self) -> Iterator[str]:
        if "classifier" not in self.graphs:
            yield "graphs has no 'classifier', which every bundle needs"
        elif self.graphs["classifier"].output("logits") is None:
            yield "graphs.classifier has no output with the role 'logits'"
        if self.gate and ("gate" not in self.graphs or self.graphs["gate"].output("reconstruction") is None):
            yield "gate is set, but graphs.gate with an output of the role 'reconstruction' is missing"
        for role in ("classifier", "gate"):
            if role in self.graphs and [entry.colour is None for entry in self.graphs[role].inputs] != [False]:
                yield f"graphs.{role} must have one input, an image"
        names = [label.name for label in self.labels]
        if len(set(names)) < len(names):
            yield f"labels repeat: {sorted({name for name in names if names.count(name) > 1})}"
        named = {f"graphs.{role}.file": graph.file for role, graph in self.graphs.items()} | {"the card": CARD}
        if self.golden:
            named["golden.image"] = self.golden.image
        for what, name in named.items():
            if name not in self.files:
                yield f"{what} is {name!r}, which is not listed in files"
        for name in self.files:
            if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts or "\\" in name:
                yield f"files names {name!r}; paths must stay inside the bundle"


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
    path = folder / DESCRIPTION
    if not path.is_file():
        raise BundleError(f"{folder} is not a bundle: it has no {DESCRIPTION}. Name a folder made by sitegen.")
    raw = path.read_bytes()
    description = _read_description(path, raw)
    problems = list(_damaged_files(folder, description))
    if not problems:
        problems = list(_graph_problems(folder, description))
    if problems:
        raise BundleError(f"The bundle {folder} cannot be used:\n" + "\n".join(f"  - {line}" for line in problems))
    return Bundle(folder, description, raw)


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
        elif sha256(path.read_bytes()).hexdigest() != entry.sha256:
            yield f"{name} was changed: its SHA-256 is not the one in {DESCRIPTION}"


def _graph_problems(folder: Path, description: Description) -> Iterator[str]:
    for role, graph in description.graphs.items():
        try:
            signature = read_signature(folder / graph.file)
        except BundleError as error:
            yield str(error)
            continue
        inputs, outputs = signature.inputs, signature.outputs
        for location in sorted(signature.weight_files):
            if (name := weight_path(graph.file, location)) not in description.files:
                yield f"{graph.file} keeps weights in {name!r}, which is not listed in files"
        for entry in graph.inputs:
            if entry.name not in inputs:
                yield f"graphs.{role}: {graph.file} has no input {entry.name!r}, only {sorted(inputs)}"
            elif not fits(inputs[entry.name], entry.shape):
                actual = inputs[entry.name]
                yield f"graphs.{role}: input {entry.name!r} has the shape {actual} in {graph.file}, not {entry.shape}"
        for output in graph.outputs:
            if output.name not in outputs:
                yield f"graphs.{role}: {graph.file} has no output {output.name!r}, only {sorted(outputs)}"
            elif output.role == "logits" and not fits(outputs[output.name], [1, len(description.labels)]):
                yield (
                    f"labels: there are {len(description.labels)}, but the output {output.name!r} of {graph.file} "
                    f"has the shape {outputs[output.name]}"
                )


def weight_path(graph_file: str, location: str) -> str:
    """Return the path in the bundle of external weights, whose location ONNX counts from the graph's own folder."""
    return (PurePosixPath(graph_file).parent / location).as_posix()


def describe_files(folder: Path, names: Iterable[str]) -> dict[str, FileEntry]:
    """Return sizes and hashes of files of a bundle that is being written."""
    contents = {name: (folder / name).read_bytes() for name in names}
    return {name: FileEntry(bytes=len(raw), sha256=sha256(raw).hexdigest()) for name, raw in contents.items()}


def write_description(folder: Path, description: Description) -> None:
    """Write `bundle.json`, in a stable layout. Raises BundleError for numbers that JSON does not have."""
    fields = description.model_dump(by_alias=True)  # mode="json" would turn NaN into null
    try:
        text = json.dumps(fields, indent=2, ensure_ascii=False, allow_nan=False)
    except ValueError as error:
        raise BundleError(f"metrics and provenance must be plain finite values: {error}") from error
    (folder / DESCRIPTION).write_text(text + "\n", encoding="utf-8")
