"""Files of Keras, told apart by what is in them: `.keras`, HDF5, JSON with weights beside it, layers models of
TensorFlow.js; SavedModel and TFLite are recognised, and not read."""

import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from sitegen.errors import ModelError
from sitegen.importing.graph.reading import LARGEST
from sitegen.importing.keras.groups import group_weights
from sitegen.importing.keras.hdf5 import SIGNATURE, Hdf5
from sitegen.importing.keras.weights import NamedWeights, Weights
from sitegen.importing.tfjs.files import read_weights

_LARGEST_JSON = 64_000_000
_EXPANSION, _SPARE = 100, 1_000_000
_HDF5 = (".weights.h5", ".h5", ".hdf5")
_WAYS_OUT = (
    "python -m tf2onnx.convert {option} {path} --opset 18 --output model.onnx, in an environment with TensorFlow, and "
    "then sitegen import onnx model.onnx"
)


@dataclass(frozen=True)
class KerasFile:
    """A model as its files have it. `form` says in words what it is, `written` which version wrote it, if it tells."""

    entry: Mapping[str, Any]
    weights: Weights
    files: Sequence[Path]
    form: str
    written: str

    @property
    def version(self) -> int:
        """Return the first number of the version that wrote the file; TensorFlow.js computes as Keras 2."""
        head = self.written.split(".")[0]
        return int(head) if head.isdecimal() and len(head) < 3 else 3 if "module" in self.entry else 2


def read_keras(path: Path) -> KerasFile:
    """Return the model in a file or folder. Raises ModelError; SettingsError where h5py is needed and not there."""
    file = _file_in(path) if path.is_dir() else path
    try:
        with file.open("rb") as stream:
            head, length = stream.read(16), stream.seek(0, 2)
    except OSError as error:
        raise ModelError(f"{file} cannot be read: {error.strerror}. Name a file of Keras.") from error
    if file.suffix == ".tflite" or head[4:8] == b"TFL3":
        raise _refused(file, "a model of TensorFlow Lite", "--tflite")
    if file.name == "saved_model.pb":
        raise _refused(file.parent, "a SavedModel of TensorFlow", "--saved-model")
    if length > LARGEST:
        raise ModelError(f"{file} has {length} bytes; no page can hold more than {LARGEST}. Use a smaller model.")
    if head.startswith(SIGNATURE):
        return _from_hdf5(file, length)
    if head.startswith(b"PK\x03\x04"):
        return _from_archive(file, length)
    return _from_json(file)


def _refused(path: Path, what: str, option: str) -> ModelError:
    return ModelError(
        f"{path} is {what}, which is not read here. Convert it: {_WAYS_OUT.format(option=option, path=path)}."
    )


def _file_in(folder: Path) -> Path:
    """Return the file of a model in a folder. Raises ModelError where there is none, or more than one."""
    for name in ("model.json", "saved_model.pb"):
        if (folder / name).is_file():
            return folder / name
    found = sorted(each for each in folder.iterdir() if each.suffix in (".keras", ".h5", ".hdf5", ".tflite"))
    if len(found) != 1:
        names = ", ".join(each.name for each in found[:8])
        raise ModelError(f"{folder} has {names or 'no model of Keras'}. Name the file of one model.")
    return found[0]


def _document(raw: bytes, file: Path) -> dict[str, Any]:
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{file} is no model of Keras: no JSON ({str(error)[:120]}). Get the file again.") from error
    if not isinstance(document, dict):
        raise ModelError(f"{file} is no model of Keras: it is a {type(document).__name__}. Name its file.")
    return document


def _read(file: Path) -> bytes:
    if file.stat().st_size > _LARGEST_JSON:
        raise ModelError(f"{file} has {file.stat().st_size} bytes, and is no file of Keras. Name its model.")
    return file.read_bytes()


def _from_archive(file: Path, length: int) -> KerasFile:
    """A `.keras`: a ZIP of config.json, metadata.json and model.weights.h5. Nothing is unpacked to the disk."""
    try:
        with zipfile.ZipFile(file) as archive:
            names = set(archive.namelist())
            if not {"config.json", "model.weights.h5"} <= names:
                raise ModelError(
                    f"{file} is an archive, but none of Keras: it has no config.json with model.weights.h5. Name a "
                    ".keras file; what torch.save wrote is for sitegen import torch."
                )
            entry = _document(_member(archive, "config.json", _LARGEST_JSON, file), file)
            about = _document(_member(archive, "metadata.json", _SPARE, file), file) if "metadata.json" in names else {}
            raw = _member(archive, "model.weights.h5", min(LARGEST, _EXPANSION * length + _SPARE), file)
    except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError) as error:
        raise ModelError(f"{file} is a damaged archive ({str(error)[:120]}). Get it again.") from error
    weights = group_weights(Hdf5(BytesIO(raw), len(raw), file), (), entry)
    return KerasFile(entry, weights, [file], ".keras archive", str(about.get("keras_version", "")))


def _member(archive: zipfile.ZipFile, name: str, most: int, file: Path) -> bytes:
    """Return a file of an archive, but not more of it than `most` bytes. Raises ModelError."""
    with archive.open(name) as stream:
        raw = stream.read(most + 1)
    if len(raw) > most:
        raise ModelError(f"{file}: {name} unpacks to more than {most} bytes, which no model of Keras does.")
    return raw


def _from_hdf5(file: Path, length: int) -> KerasFile:
    """A whole model in HDF5, or weights with a JSON beside them."""
    found = Hdf5(file.open("rb"), length, file)
    top = found.group(())
    config, written = found.text(top, "model_config"), found.text(top, "keras_version") or ""
    if config is not None:
        entry = _document(config.encode(), file)
        return KerasFile(entry, group_weights(found, ("model_weights",), entry), [file], "HDF5 file", written)
    stem = next((file.name.removesuffix(ending) for ending in _HDF5 if file.name.endswith(ending)), file.stem)
    beside = _only(file.parent, [f"{stem}.json"], ".json")
    if beside is None:
        raise ModelError(f"{file} has weights and no model. Put what model.to_json() gives beside it, as {stem}.json.")
    return _with_weights(beside, _document(_read(beside), beside), file)


def _from_json(file: Path) -> KerasFile:
    """A model's own JSON, with weights beside it, or model.json of TensorFlow.js."""
    document = _document(_read(file), file)
    if "modelTopology" in document:
        return _from_tfjs(file, document)
    if "class_name" not in document:
        raise ModelError(f"{file} is no model of Keras: it names no class. Name a .keras, .h5 or .json of a model.")
    stem = file.name.removesuffix(".json")
    weights = next((found for end in _HDF5 if (found := _only(file.parent, [f"{stem}{end}"], end)) is not None), None)
    if weights is None:
        raise ModelError(f"{file} has a model and no weights. Put them beside it, as {stem}.weights.h5.")
    return _with_weights(file, document, weights)


def _only(folder: Path, wanted: Sequence[str], ending: str) -> Path | None:
    """Return the file of a name, or the only one of an ending, in a folder."""
    for name in wanted:
        if (folder / name).is_file():
            return folder / name
    found = [each for each in folder.iterdir() if each.name.endswith(ending) and each.is_file()]
    found = [each for each in found if each.name not in ("metadata.json", "meta.training.json")]
    return found[0] if len(found) == 1 else None


def _with_weights(file: Path, entry: dict[str, Any], weights: Path) -> KerasFile:
    length = weights.stat().st_size
    if length > LARGEST:
        raise ModelError(f"{weights} has {length} bytes; no page can hold more than {LARGEST}.")
    found = Hdf5(weights.open("rb"), length, weights)
    inside = () if found.group(("model_weights",)) is None else ("model_weights",)
    written = str(entry.get("keras_version") or found.text(found.group(inside), "keras_version") or "")
    return KerasFile(entry, group_weights(found, inside, entry), [file, weights], "JSON and weights", written)


def _from_tfjs(file: Path, document: Mapping[str, Any]) -> KerasFile:
    topology = document["modelTopology"]
    if not isinstance(topology, dict) or "node" in topology:
        raise ModelError(f"{file} is no layers model, but perhaps a graph model: sitegen import tfjs {file}")
    entry = topology.get("model_config", topology)
    if not isinstance(entry, dict):
        raise ModelError(f"{file} has no model_config that is one. Get it again.")
    shards: list[Path] = []
    named = dict(read_weights(document.get("weightsManifest"), file, shards))
    written = str(topology.get("keras_version", ""))
    return KerasFile(
        entry, NamedWeights(named), [file, *dict.fromkeys(shards)], "layers model of TensorFlow.js", written
    )
