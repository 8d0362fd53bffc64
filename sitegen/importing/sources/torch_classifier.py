"""Any network of PyTorch as an imported classifier: its graph in ONNX, and itself as the original."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import onnx
import torch
from torch import nn

from sitegen.bundle import Label
from sitegen.errors import ExportError, SettingsError
from sitegen.export.onnx_export import export_onnx
from sitegen.graphs.files import INPUT, OPSET
from sitegen.graphs.names import CLASSIFIER, LOGITS
from sitegen.importing.graph.finished import finished, writer
from sitegen.importing.graph.passes import with_plain_constants
from sitegen.importing.settings import ImportSettings, OutputKind, labels_of
from sitegen.importing.source import ImportedClassifier, Preparation
from sitegen.importing.sources.image_settings import usual_image
from sitegen.importing.sources.torch_original import OneOutput, TorchOriginal, check_steady, output_kind
from sitegen.importing.sources.torch_outputs import chosen
from sitegen.settings.recipe import ImageSettings
from sitegen_runtime.bundle.model import NetworkInput

ENDS: dict[OutputKind, str] = {
    "logits": "The network gives logits: their sigmoid is the probability.",
    "probabilities": "The network gives probabilities. Its graph in the bundle ends before its sigmoid, or where there "
    "is none with log(p / (1 - p)).",
    "percentages": "The network gives percentages. Its graph in the bundle divides them by 100, and ends with "
    "log(p / (1 - p)).",
    "softmax": "The network's labels share one softmax. The bundle has a logit of each label against all others, whose "
    "sigmoid is the softmax's probability.",
}


@dataclass(frozen=True)
class TorchSource:
    """What a source knows of its network; `usual` is what such networks give where how they end does not tell."""

    names: tuple[str, str]  # of the bundle, and its title
    image: NetworkInput
    labels: Sequence[Label] = ()  # the source's own, empty where it has none
    usual: OutputKind | None = None
    library: str = ""
    preparation: Preparation | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)
    remarks: Sequence[str] = ()


def torch_classifier(network: nn.Module, source: TorchSource, settings: ImportSettings) -> ImportedClassifier:
    """Return a network, with its weights in it, as an imported classifier.

    Raises SettingsError where labels are missing or are not as many as outputs, or where it is not known what the
    network gives; ModelError where it does not run on such images.
    """
    whole = OneOutput(chosen(network, source.image.shape, settings.outputs)).eval()
    outputs = check_steady(whole, source.image.shape).shape[1]
    labels = counted_labels(settings, source.labels, outputs)
    kind = output_kind(whole, source.image.shape, settings.output, source.usual)
    original = TorchOriginal(whole, kind, source.library)
    name, title = source.names
    return ImportedClassifier(
        name=name,
        title=title,
        labels=labels,
        image=source.image,
        write=lambda folder: write_graph(whole, source.image.shape, kind, folder),
        original=original,
        preparation=source.preparation,
        provenance={
            **source.provenance,
            "torch": torch.__version__,
            "parameters": sum(parameter.numel() for parameter in network.parameters()),
            "output": kind,
        },
        remarks=[*source.remarks, *([] if kind == source.usual == "logits" else [ENDS[kind]])],
    )


def usual_for(network: nn.Module) -> ImageSettings:
    """Return what is usual for a network that says nothing of its images but how many channels they have."""
    channels = next((value.shape[1] for value in network.parameters() if value.ndim == 4), 3)
    return usual_image(3 if channels == 3 else 1)


def as_remarks(changes: Sequence[str]) -> list[str]:
    """Return what was changed on the way as sentences."""
    return [f"{change[:1].upper()}{change[1:]}." for change in changes]


def counted_labels(settings: ImportSettings, usual: Sequence[Label], outputs: int) -> list[Label]:
    """Return as many labels as there are outputs. Raises SettingsError where there are more or fewer, or none."""
    labels = labels_of(settings, usual)
    if len(labels) != outputs:
        names = ", ".join(label.name for label in labels)
        raise SettingsError(
            f"the network has {outputs} output(s), and there are {len(labels)} label(s): {names}. Name one for each "
            "output, in their order: --labels, or [[labels]] in the file of --config."
        )
    return labels


def write_graph(network: nn.Module, shape: Sequence[int], kind: OutputKind, folder: Path) -> None:
    """Write `classifier.onnx`, which gives logits, with its weights into a folder.

    Raises ExportError where PyTorch cannot write the network as ONNX.
    """
    path = folder / CLASSIFIER
    script = any(isinstance(module, torch.jit.ScriptModule) for module in network.modules())
    try:
        if script:
            _export_script(network, shape, path)
        else:
            export_onnx(network, shape, LOGITS, path)
    except Exception as error:  # the exporter fails in many ways on a network that it does not know
        raise ExportError(not_exported(error)) from error
    if script or kind != "logits":
        model = onnx.load(str(path))
        with_plain_constants(model)
        writer(finished(model, kind))(folder)


def _export_script(network: nn.Module, shape: Sequence[int], path: Path) -> None:
    """Write a program of TorchScript as ONNX: only PyTorch's older exporter reads such programs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter's own age, and of a trace in a trace
        torch.onnx.export(
            torch.jit.script(network),
            (torch.zeros(*shape),),
            str(path),
            input_names=[INPUT],
            output_names=[LOGITS],
            opset_version=OPSET,
            dynamo=False,
        )


def not_exported(error: Exception) -> str:
    """Return the sentence for a network that the exporter refuses, with the reason that it gives."""
    cause: BaseException = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    reason = next((line.strip() for line in str(cause).splitlines() if line.strip()), type(cause).__name__)
    return (
        f"PyTorch cannot write this network as ONNX: {reason}. Write it as ONNX yourself where you can, and import "
        "that: sitegen import onnx"
    )
