"""What the runtime needs to know of a bundle: a typed reading of `bundle.json` (schema sitegen.bundle/1).

`sitegen.bundle` validates bundles when they are made and when a site is built; here they are trusted and only read.
"""

import json
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from typing import Any, Literal, TypeAlias

from sitegen_runtime.bundle.expects import Expects, read_expects
from sitegen_runtime.bundle.figures import Measured, read_figures
from sitegen_runtime.bundle.gate import Gate, read_gate
from sitegen_runtime.bundle.localisation import Localisation, read_localisation
from sitegen_runtime.bundle.provenance import Provenance

__all__ = [
    "Calibration",
    "Expects",
    "FinalWeights",
    "Gate",
    "Graph",
    "Label",
    "Model",
    "NetworkInput",
    "Output",
    "Vector",
    "read_graph",
    "read_label",
    "read_model",
]


Fit: TypeAlias = Literal["crop", "squash", "pad"]
CROP: Fit = "crop"
SQUASH: Fit = "squash"
PAD: Fit = "pad"
"""How images of another form than the input's become so: see `pixels.views`."""
_FITS: dict[str, Fit] = {
    "centre-square": CROP,
    "centre": CROP,
    "squash": SQUASH,
    "pad": PAD,
}  # by their names in bundle.json


@dataclass(frozen=True)
class NetworkInput:
    """One image input of a graph: the name, the NCHW shape, and how pixels become its values."""

    name: str
    shape: tuple[int, ...]
    colour: str  # "grey" (one luma channel) or "rgb"
    fraction: float  # of the sides of what `fit` takes
    range: tuple[float, float]  # black and white before normalisation
    mean: tuple[float, ...]
    std: tuple[float, ...]
    fit: Fit = CROP
    fill: tuple[float, ...] = ()  # beside a padded image, by channel: shares of the way from black to white

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of cells."""
        _, _, rows, columns = self.shape
        return rows, columns

    @property
    def area(self) -> int:
        """How many cells a channel has."""
        rows, columns = self.grid
        return rows * columns

    @property
    def side(self) -> int:
        """The side, in cells, of a square input, as gates and generators have. Raises ValueError for others."""
        rows, columns = self.grid
        if rows != columns:
            raise ValueError(f"the input {self.name!r} has {rows} x {columns} cells and no side")
        return rows


@dataclass(frozen=True)
class Vector:
    """An input of a graph that is no image (a seed, a latent): its name and shape."""

    name: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Output:
    """An output of a graph: its name, and its shape where the bundle states it."""

    name: str
    shape: tuple[int, ...] | None


@dataclass(frozen=True)
class Graph:
    """A network of the bundle: its image inputs, its other inputs, and its outputs by their role."""

    images: tuple[NetworkInput, ...]
    vectors: tuple[Vector, ...]
    outputs: dict[str, Output]


@dataclass(frozen=True)
class Calibration:
    """How the probability of a finding is mapped for people: a method, and the numbers that this method needs."""

    method: str
    temperature: float = 1.0
    slope: float = 1.0
    intercept: float = 0.0
    table: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True)
class Label:
    """One finding: its operating point on the probability scale (0..1), and its calibration or None.

    `weak` says in words how badly the model tells it, where that is hardly better than chance.
    """

    name: str
    operating_point: float
    calibration: Calibration | None
    weak: str | None = None


@dataclass(frozen=True)
class FinalWeights:
    """The file with the last layer's weights, float32 little-endian, and its shape: labels, channels + 1 (the bias)."""

    file: str
    shape: tuple[int, int]


@dataclass(frozen=True)
class Model:
    """A bundle as the runtime sees it."""

    name: str
    version: str
    sha256: str
    graphs: dict[str, Graph]
    labels: tuple[Label, ...]
    gate: Gate | None
    final_weights: FinalWeights | None = None
    golden_image: str | None = None  # the file of the example image
    localisation: Localisation | None = None  # what its maps are worth, where boxes were drawn
    measured: Measured = field(default_factory=Measured)  # how often it was right
    provenance: Provenance = field(default_factory=Provenance)
    expects: Expects = field(default_factory=Expects)  # of a DICOM file's header


@lru_cache(maxsize=8)
def read_model(bundle_json: bytes) -> Model:
    """Read the bytes of a valid `bundle.json`; `sha256` is the hash of exactly these bytes.

    The page asks anew for each image: equal bytes are read once.
    """
    fields = json.loads(bundle_json)
    names = {label["name"] for label in fields["labels"]}
    return Model(
        name=fields["name"],
        version=fields["version"],
        sha256=sha256(bundle_json).hexdigest(),
        graphs={role: read_graph(graph) for role, graph in fields["graphs"].items()},
        labels=tuple(read_label(label) for label in fields["labels"]),
        gate=read_gate(fields["gate"]) if fields.get("gate") else None,
        final_weights=_final_weights(fields["feature_map"]) if fields.get("feature_map") else None,
        golden_image=fields["golden"]["image"] if fields.get("golden") else None,
        localisation=read_localisation(fields["localisation"]) if fields.get("localisation") else None,
        measured=read_figures(fields.get("metrics") or {}, names),
        provenance=Provenance(fields.get("provenance") or {}),
        expects=read_expects(fields.get("expects")),
    )


def read_label(fields: dict[str, Any]) -> Label:
    """Read one entry of `labels` of a valid `bundle.json`."""
    calibration = fields.get("calibration")
    fitted = _calibration(calibration) if calibration else None
    return Label(fields["name"], fields["operating_point"], fitted, fields.get("weak"))


def _final_weights(fields: dict[str, Any]) -> FinalWeights:
    labels, columns = fields["shape"]
    return FinalWeights(fields["weights"], (labels, columns))


def _calibration(fields: dict[str, Any]) -> Calibration:
    given = {name: value for name, value in fields.items() if value is not None}
    numbers = {name: given[name] for name in ("temperature", "slope", "intercept") if name in given}
    table = tuple((position, value) for position, value in given.get("table", ()))
    return Calibration(fields["method"], table=table, **numbers)


def read_graph(fields: dict[str, Any]) -> Graph:
    """Read one entry of `graphs` of a valid `bundle.json`."""
    inputs = fields["inputs"]
    return Graph(
        images=tuple(_network_input(entry) for entry in inputs if entry["colour"] is not None),
        vectors=tuple(Vector(entry["name"], tuple(entry["shape"])) for entry in inputs if entry["colour"] is None),
        outputs={entry["role"]: _output(entry) for entry in fields["outputs"]},
    )


def _output(fields: dict[str, Any]) -> Output:
    shape = fields.get("shape")
    return Output(fields["name"], tuple(shape) if shape else None)


def _network_input(fields: dict[str, Any]) -> NetworkInput:
    low, high = fields["range"]
    crop = fields["crop"]
    return NetworkInput(
        name=fields["name"],
        shape=tuple(fields["shape"]),
        colour=fields["colour"],
        fraction=crop["fraction"],
        range=(low, high),
        mean=tuple(fields["mean"]),
        std=tuple(fields["std"]),
        fit=_FITS[crop["mode"]],
        fill=tuple(crop.get("fill", ())),
    )
