"""Classifiers of TorchXRayVision: their range of pixels, their order of labels with blanks, their operating points.

Cohen, Viviano, et al.: "TorchXRayVision: A library of chest X-ray datasets and models" (2022). Its networks are
DenseNets with torchvision's names for one channel, and a ResNet-50. What they show is not the sigmoid of the logit,
but that stretched so that a label's operating point becomes 0.5: sigmoid / (2 opt) below it, and above it
1 - (1 - sigmoid) / (2 (1 - opt)). That is the bundle's calibration "piecewise-linear".
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from sitegen.bundle import Label
from sitegen.errors import ModelError, SettingsError
from sitegen.importing.checkpoint.densenet_weights import densenet_settings
from sitegen.importing.checkpoint.weights import Found, Weights, fit_weights, renamed
from sitegen.importing.origin import file_origin, names_of
from sitegen.importing.settings import ImportSettings, as_label, image_of
from sitegen.importing.source import ImportedClassifier
from sitegen.importing.sources.torch_classifier import TorchSource, as_remarks, torch_classifier
from sitegen.importing.sources.torchxrayvision_files import read_xrv
from sitegen.importing.sources.torchxrayvision_preparation import XrvPreparation
from sitegen.networks.classifier import Classifier
from sitegen.networks.registry import NetworkSettings, make_network, network_document, read_network
from sitegen.settings.recipe import ImageSettings

LABELS = (
    "Atelectasis",
    "Consolidation",
    "Infiltration",
    "Pneumothorax",
    "Edema",
    "Emphysema",
    "Fibrosis",
    "Effusion",
    "Pneumonia",
    "Pleural_Thickening",
    "Cardiomegaly",
    "Nodule",
    "Mass",
    "Hernia",
    "Lung Lesion",
    "Fracture",
    "Lung Opacity",
    "Enlarged Cardiomediastinum",
)
"""The library's own order, which all of its models keep."""
RANGE = (-1024.0, 1024.0)  # of black and white
_DENSE_SIDE, _RESIDUAL_SIDE = 224, 512
_POINTS = "op_threshs"


@dataclass(frozen=True)
class _Outputs:
    """The outputs that mean something: their places, their labels, and a sentence on the others."""

    kept: Sequence[int]
    labels: Sequence[Label]
    remarks: Sequence[str]


def import_torchxrayvision(file_or_name: str | Path, settings: ImportSettings) -> ImportedClassifier:
    """Return the classifier of a weights file, or of a name such as "densenet121-res224-all".

    A name needs the package, and its file where the package keeps it: nothing is fetched. Files are read as data
    alone. Labels that are blank, and those whose operating point is NaN, are left out with their outputs: of these
    the library says nothing, too. Raises ModelError where the file cannot be read or is another network's,
    SettingsError where the name is unknown or its file is not there.
    """
    read = read_xrv(file_or_name)
    found, points = _without_points(read.found, read.points)
    shape, side = _architecture(found.weights, read.file)
    network = make_network(shape)
    changes = [*found.changes, *fit_weights(network, found.weights, read.file)]
    outputs = _outputs(shape.labels, read.labels, points)
    _keep_outputs(network, outputs.kept)
    image = image_of(settings, ImageSettings(read.side or side, "grey", 1.0, RANGE))
    if image.grid[0] != image.grid[1]:
        raise SettingsError(
            f"image.side is {list(image.grid)}, and networks of TorchXRayVision take squares. Name one number."
        )
    source = TorchSource(
        names=names_of(settings, str(file_or_name) if read.by_name else read.file.stem),
        image=image,
        labels=outputs.labels,
        usual="logits",
        preparation=XrvPreparation(image.side),
        provenance={
            "source": "TorchXRayVision",
            "file": file_origin(read.file),
            "network": network_document(replace(shape, labels=len(outputs.kept))),
            "changes": changes,
            **read.described,
        },
        remarks=[*as_remarks(changes), *outputs.remarks],
    )
    return torch_classifier(network, source, replace(settings, output="logits"))


def _without_points(found: Found, said: Sequence[float]) -> tuple[Found, list[float]]:
    """Return the weights without the buffer of operating points, and these; NaN where there is none."""
    buffer = found.weights.get(_POINTS)
    weights = {name: value for name, value in found.weights.items() if name != _POINTS}
    points = list(said) if buffer is None else buffer.detach().double().flatten().tolist()
    return renamed(Found(weights, found.others, found.changes), ()), points


def _architecture(weights: Weights, file: Path) -> tuple[NetworkSettings, int]:
    """Return the network's settings, and the side of the images that such a network of the library takes."""
    if "fc.weight" not in weights:
        return densenet_settings(weights, file), _DENSE_SIDE
    first, last = weights.get("conv1.weight"), weights["fc.weight"]
    if first is None or first.ndim != 4 or last.ndim != 2:
        raise ModelError(
            f"{file} has not the weights of a ResNet as torchvision names them. Take sitegen import torch, "
            "and name its network."
        )
    changes: dict[str, Any] = {"channels": int(first.shape[1]), "labels": int(last.shape[0])}
    return read_network({"name": "resnet50", **changes}), _RESIDUAL_SIDE


def _outputs(count: int, said: Sequence[str], points: Sequence[float]) -> _Outputs:
    """Choose the outputs that have a label and, if there are operating points, one of these."""
    names = list(said) or (list(LABELS) if count == len(LABELS) else [])
    if not names:  # the user names all outputs, as none is known to be blank
        return _Outputs(range(count), (), ())
    if len(names) != count or (points and len(points) != count):
        raise ModelError(
            f"the network has {count} outputs, {len(names)} labels and {len(points)} operating points; all should "
            "be as many. Save the model anew from the library."
        )
    lasting = points or [0.5] * count
    kept = [place for place in range(count) if names[place] and lasting[place] == lasting[place]]
    if not kept:
        raise ModelError("all of the model's labels are blank, or have no operating point: it says nothing.")
    labels = [as_label(names[place], lasting[place]) for place in kept]
    return _Outputs(kept, labels, _told(names, kept, bool(points)))


def _told(names: Sequence[str], kept: Sequence[int], points: bool) -> list[str]:
    dropped = [name or "(blank)" for place, name in enumerate(names) if place not in kept]
    remarks = []
    if dropped:
        remarks.append(
            f"{len(dropped)} of {len(names)} outputs were left out, because the model was not trained for them: "
            f"{', '.join(dropped)}."
        )
    if not points:
        remarks.append("The file has no operating points: 0.5 of the model's own probability was taken for all labels.")
    return remarks


def _keep_outputs(network: Classifier, kept: Sequence[int]) -> None:
    """Cut the other outputs from the last layer."""
    final, places = network.head.final, torch.tensor(list(kept))
    weight: Tensor = final.weight.detach()[places].clone()
    bias: Tensor = final.bias.detach()[places].clone()
    final.weight, final.bias, final.out_features = nn.Parameter(weight), nn.Parameter(bias), len(kept)
