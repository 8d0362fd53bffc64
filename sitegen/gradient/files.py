"""Writing a compiled model where it finds the weights that it shares with the forward model."""

import filecmp
import shutil
from pathlib import Path, PurePosixPath

import onnx
from onnx.external_data_helper import uses_external_data

from sitegen.errors import GradientError


def save(compiled: onnx.ModelProto, path: Path, source: Path) -> list[Path]:
    """Write `compiled` to `path`, with the external weights of the model `source` beside it.

    Files of weights that are not there are copied; their paths are returned. Nothing else is written, and no file of
    weights is changed. Raises GradientError where one is missing, lies outside the model's folder, or where another
    file is in its place.
    """
    locations = sorted({_location(tensor) for tensor in compiled.graph.initializer if uses_external_data(tensor)})
    pairs = [(source.parent / location, path.parent / location) for location in locations]
    for given, wanted in pairs:
        if not given.is_file():
            raise GradientError(f"{source} keeps weights in {given}, which is missing. Put it back beside the model.")
        if wanted.exists() and not wanted.samefile(given) and not filecmp.cmp(given, wanted, shallow=False):
            raise GradientError(f"{wanted} exists and is not the weights of {source}. Write to another folder.")
    copied = [(given, wanted) for given, wanted in pairs if not wanted.exists()]
    for given, wanted in copied:
        wanted.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(given, wanted)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(compiled.SerializeToString(deterministic=True))
    onnx.checker.check_model(str(path), full_check=True)
    return [wanted for _, wanted in copied]


def _location(tensor: onnx.TensorProto) -> str:
    location: str = next(entry.value for entry in tensor.external_data if entry.key == "location")
    if PurePosixPath(location).is_absolute() or ".." in PurePosixPath(location).parts:
        raise GradientError(
            f"The weights {tensor.name!r} lie outside the model's folder, in {location!r}. Export it again."
        )
    return location
