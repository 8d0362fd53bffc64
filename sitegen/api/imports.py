"""Models that exist, as bundles: a network in memory, and ONNX files."""

from __future__ import annotations  # torch is there for type checkers alone

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sitegen.api.places import PathName, as_path
from sitegen.bundle import Bundle
from sitegen.errors import SettingsError
from sitegen.graphs.weight_forms import Weights
from sitegen.importing.bundle import check_target, import_bundle
from sitegen.importing.settings import ImportSettings
from sitegen.importing.source import ImportedClassifier
from sitegen.settings.reading import read_settings

if TYPE_CHECKING:
    from torch import nn

Labels = Sequence[str] | Mapping[str, float]
Read = Callable[[ImportSettings], ImportedClassifier]


def import_network(
    module: nn.Module,
    out: PathName,
    *,
    labels: Labels,
    image: Mapping[str, Any],
    output: str | None = None,
    settings: Mapping[str, Any] | None = None,
    gate: PathName | None = None,
    images: Iterable[PathName] = (),
    report: PathName | None = None,
    weights: Weights = "float",
    half: bool = False,
    replace: bool = False,
) -> Bundle:
    """Make a bundle of a network of PyTorch, prove that it gives the same, and return it; the module stays as it is.

    `labels` are the names of the findings in the order of the outputs, or a mapping of them to operating points, which
    are 0.5 elsewhere. `image` says what the network sees, for example {"side": 224, "colour": "grey", "range": (0, 1)},
    and "mean", "std" and "fraction"; what it leaves out is as usual, and warned of. `output` is "logits",
    "probabilities" or "softmax", where how the network ends does not tell. `settings` are further keys of
    docs/import.md, such as "title" and "licence_weights". `gate` is a bundle whose gate is taken over; `images` are
    files or folders to prove it on, synthetic ones by default; `report` is the HTML file of the proof, beside `out` by
    default. `weights` is the form that these are put into: "float", "half", "int8" or "static-int8";
    `half` is the same as "half". `replace` lets the bundle of another model be replaced.

    Raises TypeError, SettingsError, ModelError, ExportError where the bundle does not give what the network gives, and
    BundleError where `out` holds something else.
    """
    _require("torch", "onnxscript")
    from sitegen.importing.sources.torch_classifier import ENDS
    from sitegen.importing.sources.torch_module import import_module

    folder = as_path(out, "A bundle's folder")
    given = _settings(labels, image, output, settings)
    model = import_module(module, given, folder.resolve().name)
    usual = (ENDS["logits"],)  # which is nothing to be warned of
    return _imported(
        model, folder, given, gate, images, report, usual, weights="half" if half else weights, replace=replace
    )


def import_onnx(
    file: PathName,
    out: PathName,
    *,
    labels: Labels,
    image: Mapping[str, Any],
    output: str | None = None,
    settings: Mapping[str, Any] | None = None,
    gate: PathName | None = None,
    images: Iterable[PathName] = (),
    report: PathName | None = None,
    weights: Weights = "float",
    half: bool = False,
    replace: bool = False,
) -> Bundle:
    """Make a bundle of a classifier in an ONNX file, prove that it gives the same, and return it.

    Side and colour are the graph's where it states them; what `image` must say is its "range". All else is as for
    `import_network`; no torch is needed.
    """
    from sitegen.importing.sources import onnx_model

    folder, path = as_path(out, "A bundle's folder"), as_path(file, "An ONNX model")
    given = _settings(labels, image, output, settings)
    model = onnx_model.import_onnx(path, given)
    return _imported(model, folder, given, gate, images, report, weights="half" if half else weights, replace=replace)


def _settings(
    labels: Labels, image: Mapping[str, Any], output: str | None, more: Mapping[str, Any] | None
) -> ImportSettings:
    if isinstance(labels, str) or not isinstance(labels, Sequence | Mapping):
        raise TypeError(f"Labels are a list of names, or a mapping to operating points, not {type(labels).__name__}.")
    if not isinstance(image, Mapping):
        raise TypeError(f"What the network sees is a mapping, such as {{'side': 224}}, not {type(image).__name__}.")
    points = labels.items() if isinstance(labels, Mapping) else ((name, 0.5) for name in labels)
    named = [{"name": name, "operating_point": point} for name, point in points]
    given = {**(more or {}), "labels": named, "image": dict(image)}
    return read_settings(ImportSettings, given if output is None else {**given, "output": output})


def _imported(
    model: ImportedClassifier,
    out: Path,
    settings: ImportSettings,
    gate: PathName | None,
    images: Iterable[PathName],
    report: PathName | None,
    usual: Sequence[str] = (),
    *,
    weights: Weights,
    replace: bool,
) -> Bundle:
    check_target(out, model.name, force=replace)
    made = import_bundle(
        model,
        out,
        settings,
        gate=None if gate is None else as_path(gate, "A gate's bundle"),
        images=[as_path(each, "An image") for each in images],
        report=None if report is None else as_path(report, "A report's file"),
        weights=weights,
    )
    for note in made.warnings:
        if note not in usual:
            warnings.warn(note, stacklevel=3)
    return made.bundle


def _require(*names: str) -> None:
    if missing := [name for name in names if find_spec(name) is None]:
        raise SettingsError(f"import_network needs {', '.join(missing)}: pip install 'offline-sitegen[import]'")
