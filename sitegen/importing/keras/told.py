"""What lies beside a model and tells what it does not: files of Teachable Machine and AUCMEDI, and its first layers.

Teachable Machine's `metadata.json` has labels and side. Its library takes the centred square and makes value / 127 - 1
of it; the Keras files that it exports come with `labels.txt`, and an example that makes value / 127.5 - 1. AUCMEDI
(AutoML) writes `meta.training.json` with the names of classes and the architecture, which decides how values are made
by its table of `supported_standardize_mode`.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from sitegen.errors import ModelError
from sitegen.importing.keras.files import KerasFile
from sitegen.importing.keras.network import Layer, Network, Step
from sitegen.importing.settings import ImportSettings, LabelSettings

_LARGEST = 1_000_000  # bytes of a file beside a model
_LEVELS = {"range": [0, 255], "mean": [0], "std": [1]}
_MODES: Mapping[str, Mapping[str, Any]] = {
    "tf": {"range": [-1, 1], "mean": [0], "std": [1]},
    "torch": {"range": [0, 1], "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]},
    "caffe": {"range": [0, 255], "mean": [123.68, 116.779, 103.939], "std": [1]},
}
_CAFFE = re.compile(r"(ResNet(50|101|152)|EfficientNetB[0-7]|VGG1[69])")
_TORCH = re.compile(r"(ResNeXt(50|101)|DenseNet(121|169|201))")
_TF = re.compile(r"(ResNet\d+V2|Inception(ResNetV2|V3)|MobileNet(V2)?|NASNet(Mobile|Large)|Xception)")


@dataclass(frozen=True)
class Told:
    """Settings that are known without the user, sentences on where from, files, and whether blue comes first."""

    image: Mapping[str, Any] = field(default_factory=dict)
    labels: tuple[LabelSettings, ...] = ()
    remarks: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()
    blue_first: bool = False

    def under(self, settings: ImportSettings) -> ImportSettings:
        """Return the settings with what is told where they say nothing."""
        return replace(settings, image={**self.image, **settings.image}, labels=settings.labels or self.labels)

    def on(self, network: Network) -> Network:
        """Return the network as it takes images with red first: where blue comes first in it, channels are swapped."""
        if not self.blue_first:
            return network
        layer = Layer("Conv2D", ("red_first",), {"kernel_size": 1, "use_bias": False})
        swap = Step("red_first", layer, (network.image,), {"kernel": np.eye(3, dtype=np.float32)[None, None, ::-1]})
        steps = [
            replace(step, inputs=tuple(swap.name if name == network.image else name for name in step.inputs))
            for step in network.steps
        ]
        return replace(network, steps=[swap, *steps])


def told_beside(file: KerasFile, network: Network) -> Told:
    """Return what is known of a model without its user. Raises ModelError where a page has no such images."""
    folder = file.files[0].parent
    for name, reader in (("metadata.json", _teachable), ("meta.training.json", _aucmedi), ("labels.txt", _exported)):
        if (folder / name).is_file() and (found := reader(folder / name, file)) is not None:
            return replace(found, files=(folder / name,))
    return _by_first_layers(network)


def _document(path: Path) -> dict[str, Any]:
    if path.stat().st_size > _LARGEST:
        return {}
    try:
        found = json.loads(path.read_bytes())
    except (ValueError, RecursionError, OSError):
        return {}
    return found if isinstance(found, dict) else {}


def _named(found: object) -> tuple[LabelSettings, ...]:
    names = [str(name).strip() for name in found] if isinstance(found, list) else []
    return tuple(LabelSettings(name) for name in names) if all(names) and len(names) < 10_000 else ()


def _teachable(path: Path, file: KerasFile) -> Told | None:
    found = _document(path)
    labels = _named(found.get("labels"))
    if not labels or not ("tmVersion" in found or "teachablemachine" in str(found.get("packageName"))):
        return None
    side, grey = found.get("imageSize", 224), found.get("grayscale") is True
    image = {"range": [-1, 255 / 127 - 1], "mean": [0], "std": [1], "fraction": 1.0}
    told = "Labels and side are from Teachable Machine's metadata.json; values are made as its library makes them."
    return Told({**image, "side": side, **({"colour": "grey"} if grey else {})}, labels, (told,))


def _exported(path: Path, file: KerasFile) -> Told | None:
    """Teachable Machine's export for Keras: lines such as "0 Normal"."""
    if file.files[0].name != "keras_model.h5" or path.stat().st_size > _LARGEST:
        return None
    lines = [line.strip() for line in path.read_text("utf-8", "replace").splitlines() if line.strip()]
    matches = [re.fullmatch(r"(\d+) +(\S.*)", line) for line in lines]
    if not lines or any(match is None or int(match[1]) != at for at, match in enumerate(matches)):
        return None
    labels = tuple(LabelSettings(match[2]) for match in matches if match)
    told = "Labels are from Teachable Machine's labels.txt; values are made as the example of its export makes them."
    return Told({"range": [-1, 1], "mean": [0], "std": [1], "fraction": 1.0}, labels, (told,))


def _aucmedi(path: Path, file: KerasFile) -> Told | None:
    found = _document(path)
    labels, architecture = _named(found.get("class_names")), found.get("architecture")
    if not labels:
        return None
    if found.get("three_dim") is True:
        raise ModelError(f"{path} says that the model takes volumes, and a bundle takes images.")
    if isinstance(architecture, list):
        told = "Labels are from AUCMEDI's meta.training.json; the file is one of several networks of an ensemble."
        return Told({}, labels, (told,))
    if architecture == "Vanilla":
        raise ModelError(
            f"{path} says that each image is standardised by its own mean and deviation (architecture 'Vanilla'), which"
            " a bundle does not do. Train it with a network that takes fixed numbers."
        )
    mode = _mode(str(architecture))
    told = (
        f"Labels are from AUCMEDI's meta.training.json; values are made as for {architecture} there"
        f"{f' (mode {mode!r})' if mode else ', which is not known here'}. AUCMEDI squashes an image into a square; a "
        "bundle takes its centred square."
    )
    return Told(_MODES.get(mode, {}), labels, (told,), blue_first=mode == "caffe")


def _mode(architecture: str) -> str:
    modes = (("caffe", _CAFFE), ("torch", _TORCH), ("tf", _TF))
    return next((mode for mode, pattern in modes if pattern.fullmatch(architecture)), "")


def _by_first_layers(network: Network) -> Told:
    """A model that begins by scaling 0 to 255 itself takes these numbers."""
    first = next((step for step in network.steps if network.image in step.inputs), None)
    if first is None or not _scales_levels(first):
        return Told()
    told = f"The model scales images itself (layer {first.layer.name!r}), so that it takes 0 to 255."
    return Told(_LEVELS, remarks=(told,))


def _scales_levels(step: Step) -> bool:
    """Whether a step makes numbers near 1 of 0 to 255, as a layer or as the function x / 127.5."""
    if step.kind == "Divide" and step.inputs[0] and "constant" in step.weights:
        by = step.weights["constant"]
        return by.size == 1 and float(by.reshape(-1)[0]) in (255.0, 127.5, 127.0)
    if step.kind != "Rescaling":
        return False
    scale, offset = step.layer.config.get("scale"), step.layer.config.get("offset", 0)
    usual = (1 / 255, 1 / 127.5, 1 / 127)
    if not isinstance(scale, float) or not isinstance(offset, (int, float)):
        return False
    return any(abs(scale - each) < 1e-6 for each in usual)
