"""TensorFlow.js graph models on disk, read as data: `model.json` and the shards of weights beside it.

The formats are those of tfjs-converter: `modelTopology` is a TensorFlow GraphDef in JSON, in which 64-bit numbers are
strings and strings are base64; `weightsManifest` lists groups of weights, each the bytes of its shards end to end.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sitegen.errors import ModelError
from sitegen.importing.graph.reading import LARGEST, path_inside
from sitegen.importing.tfjs.nodes import TfNode, in_order, node_of

MODEL = "model.json"
_LARGEST_JSON = 256_000_000  # bytes; weights do not lie in it
_STORED = {"float32": "<f4", "int32": "<i4", "bool": "?", "uint8": "u1", "uint16": "<u2", "float16": "<f2"}
_KEPT = ("float32", "int32", "bool")


@dataclass(frozen=True)
class TfGraph:
    """A graph: the nodes that its outputs need, each after those that it reads, and the values of its constants.

    `files` are model.json and the shards.
    """

    nodes: Sequence[TfNode]
    weights: Mapping[str, NDArray[Any]]
    outputs: Sequence[str]
    files: Sequence[Path]

    @property
    def image(self) -> TfNode:
        """The only node that is given from outside."""
        return next(node for node in self.nodes if node.operator == "Placeholder")


def read_tfjs(path: Path) -> TfGraph:
    """Return the graph model in `path`: model.json, or the folder that has it. Raises ModelError."""
    file = path / MODEL if path.is_dir() else path
    document = _document(file)
    topology = document.get("modelTopology")
    if document.get("format") == "layers-model" or (isinstance(topology, dict) and "node" not in topology):
        raise ModelError(
            f"{file} is a layers model, and graph models are read here. Import it with: sitegen import keras {file}"
        )
    if not isinstance(topology, dict) or not isinstance(topology.get("node"), list):
        raise ModelError(f"{file} is no TensorFlow.js model: it has no modelTopology with nodes. Name its model.json.")
    shards: list[Path] = []
    weights = dict(read_weights(document.get("weightsManifest"), file, shards))
    nodes = [node_of(entry, file) for entry in topology["node"]]
    outputs = _outputs(document, nodes)
    needed = in_order(nodes, outputs, file)
    _check(needed, weights, file)
    return TfGraph(needed, weights, outputs, [file, *dict.fromkeys(shards)])


def _document(file: Path) -> dict[str, Any]:
    try:
        if file.stat().st_size > _LARGEST_JSON:
            raise ModelError(f"{file} has {file.stat().st_size} bytes; a model.json without weights is far smaller.")
        document = json.loads(file.read_bytes())
    except OSError as error:
        raise ModelError(f"{file} cannot be read: {error.strerror}. Name the model.json of a model.") from error
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{file} is no JSON: {str(error)[:200]}. Get the file again.") from error
    if not isinstance(document, dict):
        raise ModelError(f"{file} is no TensorFlow.js model: it is a {type(document).__name__}. Name its model.json.")
    return document


def _outputs(document: Mapping[str, Any], nodes: Sequence[TfNode]) -> list[str]:
    """Return the outputs that the signature names; without one, the nodes that no other reads."""
    signature = document.get("signature")
    signature = signature if isinstance(signature, dict) else document.get("userDefinedMetadata")
    signature = signature.get("signature", signature) if isinstance(signature, dict) else {}
    stated = signature.get("outputs") if isinstance(signature, dict) else None
    if isinstance(stated, dict):
        found = [entry.get("name", name) if isinstance(entry, dict) else name for name, entry in stated.items()]
        return [str(name).split(":")[0] for name in found]
    read = {name for node in nodes for name in node.inputs}
    return [node.name for node in nodes if node.name not in read and node.operator not in ("Const", "NoOp")]


def _check(nodes: Sequence[TfNode], weights: Mapping[str, NDArray[Any]], file: Path) -> None:
    places = [node.name for node in nodes if node.operator == "Placeholder"]
    if len(places) != 1:
        raise ModelError(f"{file} has the inputs {places}, and takes one image only. Convert it with one input.")
    absent = [node.name for node in nodes if node.operator == "Const" and node.name not in weights]
    if absent:
        raise ModelError(f"{file} lists no weights for {', '.join(absent[:5])}. Get the model again, whole.")
    for name, values in weights.items():
        if np.isnan(values).any() or (values.size > 1 and not np.isfinite(values).all()):
            raise ModelError(f"{file}: the weights {name!r} have numbers that are NaN or infinite.")


def read_weights(manifest: Any, file: Path, shards: list[Path]) -> Iterator[tuple[str, NDArray[Any]]]:
    """Yield the weights of a manifest by name, for the model.json `file`; add their files to `shards`.

    Raises ModelError where a file is not in the folder of `file`, or has another length than the manifest says.
    """
    try:
        groups = [(list(group["paths"]), [_Entry.of(entry, file) for entry in group["weights"]]) for group in manifest]
    except (TypeError, KeyError, ValueError, AttributeError, OverflowError) as error:
        raise ModelError(f"{file} has no valid weightsManifest ({type(error).__name__}: {error}).") from error
    if sum(entry.length for _, entries in groups for entry in entries) > LARGEST:
        raise ModelError(f"{file} has more than {LARGEST} bytes of weights, more than a page can hold.")
    for paths, entries in groups:
        files = [path_inside(file.parent, str(place), f"{file}: weights") for place in paths]
        shards.extend(files)
        sizes = {each.name: each.stat().st_size for each in files}
        needed = sum(entry.length for entry in entries)
        if sum(sizes.values()) != needed:
            raise ModelError(
                f"{file}: its weights have {needed} bytes, but {sizes} are in the files beside it. Get them again."
            )
        raw, start = b"".join(each.read_bytes() for each in files), 0
        for entry in entries:
            yield entry.name, entry.values(raw[start : start + entry.length])
            start += entry.length


@dataclass(frozen=True)
class _Entry:
    """One tensor of the manifest; stored as whole numbers, it is `scale` times those, plus `least`."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    stored: str
    scale: float = 1.0
    least: float = 0.0

    @classmethod
    def of(cls, entry: Mapping[str, Any], file: Path) -> "_Entry":
        quantised = entry.get("quantization") or {}
        stored = quantised.get("dtype", entry["dtype"])
        shape = tuple(int(size) for size in entry["shape"])
        name = str(entry["name"])
        whole = stored in ("uint8", "uint16")
        if entry["dtype"] not in _KEPT or stored not in _STORED or (not quantised and stored not in _KEPT):
            raise ModelError(
                f"{file}: the weights {name!r} are {entry['dtype']} stored as {stored}, which is not known."
            )
        if any(size < 0 for size in shape):
            raise ValueError(f"the shape {shape} of {name!r}")
        scale, least = (float(quantised["scale"]), float(quantised["min"])) if whole else (1.0, 0.0)
        return cls(name, shape, entry["dtype"], stored, scale, least)

    @property
    def length(self) -> int:
        return prod(self.shape) * np.dtype(_STORED[self.stored]).itemsize

    def values(self, raw: bytes) -> NDArray[Any]:
        """Return the tensor; quantised ones are computed in float64 and rounded once, as TensorFlow.js does."""
        numbers = np.frombuffer(raw, _STORED[self.stored]).reshape(self.shape)
        if self.stored in ("uint8", "uint16"):
            numbers = numbers.astype(np.float64) * self.scale + self.least
            numbers = np.floor(numbers + 0.5) if self.dtype == "int32" else numbers
        return numbers.astype({"float32": np.float32, "int32": np.int32, "bool": np.bool_}[self.dtype])
