"""The network whose features are compared: a bundle's feature map, or any ONNX file with an image input.

A feature that has rows and columns is averaged over them. Grey images are given to each of three channels.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import sha256
from pathlib import Path

import numpy as np
import onnxruntime

from sitegen.bundle import load_bundle
from sitegen.errors import ModelError, SettingsError
from sitegen.evaluation.frechet.preparation import Preparation, Values, checked
from sitegen.graphs.session import open_session


@dataclass(frozen=True)
class FeatureNetwork:
    """A network that gives features of images, and the outputs of classes where it has them.

    It opens its file when first used, and so can be sent to other processes. `others` are inputs that are no image,
    with their shapes; they get zeros. `softmax` tells that `classes` are logits.
    """

    graph: Path
    image: str
    channels: int
    side: int
    output: str
    preparation: Preparation
    classes: str | None = None
    others: Mapping[str, Sequence[int]] = field(default_factory=dict)

    def __call__(self, path: Path) -> tuple[Values, Values | None]:
        """Return the features [D] of an image file, and the values of its classes [K] where the network has any.

        Raises DataError where the file cannot be read, or the network gives what is no number.
        """
        tensor = self.preparation.tensor(path, self.channels, self.side)
        feeds = {self.image: tensor} | {name: np.zeros(shape, np.float32) for name, shape in self.others.items()}
        wanted = [self.output, *([self.classes] if self.classes else [])]
        made = checked(path, [np.asarray(each, np.float64) for each in self._session.run(wanted, feeds)])
        return made[0], made[1] if self.classes else None

    def prepared(self, preparation: Preparation) -> "FeatureNetwork":
        """Return the same network with another preparation."""
        return replace(self, preparation=preparation)

    @property
    def key(self) -> str:
        """What tells these features from others: the network's file, and all settings."""
        settings = (self.image, self.output, self.classes, self.side, self.preparation)
        return sha256(self.graph.read_bytes() + repr(settings).encode()).hexdigest()

    @cached_property
    def _session(self) -> onnxruntime.InferenceSession:
        return open_session(self.graph)


def of_bundle(folder: Path, resizer: str = "clean", filter_: str = "bilinear") -> FeatureNetwork:
    """Return a bundle's classifier up to its feature map. Raises SettingsError where the bundle has none."""
    bundle = load_bundle(folder)
    graph = bundle.model.graphs.get("gradient")
    if graph is None or "features" not in graph.outputs:
        raise SettingsError(f"{folder} has no feature map. Name a bundle that has, or an ONNX file: --network")
    image = graph.images[0]
    if image.grid[0] != image.grid[1]:
        raise SettingsError(
            f"{folder} takes images of {image.grid[0]} x {image.grid[1]}, and distances are of square ones. Name a "
            "network of those."
        )
    low, high = image.range
    mean = tuple((each - low) / (high - low) for each in image.mean)
    std = tuple(each / (high - low) for each in image.std)
    how = Preparation(resizer, filter_, image.side, mean, std)
    others = {vector.name: vector.shape for vector in graph.vectors}
    output = graph.outputs["features"].name
    path = bundle.graph_path("gradient")
    return FeatureNetwork(path, image.name, image.shape[1], image.side, output, how, None, others)


def of_onnx(path: Path, how: Preparation, output: str | None = None, classes: str | None = None) -> FeatureNetwork:
    """Return an ONNX file's network; `output` None is its first. `classes` names an output of class probabilities.

    Raises ModelError where the file has no single image input of one or three channels, or not these outputs;
    SettingsError where its side is not fixed and none is given.
    """
    try:
        session = open_session(path)
    except Exception as error:  # ONNX Runtime's exceptions share no base class of their own
        raise ModelError(f"ONNX Runtime cannot load {path}: {error}. Name an ONNX file.") from error
    inputs = session.get_inputs()
    shape = list(inputs[0].shape)
    if len(inputs) != 1 or len(shape) != 4 or shape[1] not in (1, 3):
        found = ", ".join(f"{each.name} {each.shape}" for each in inputs)
        raise ModelError(f"{path} has the inputs {found}; one image [N, 1 or 3, side, side] is needed. Name another.")
    side = how.side or (shape[2] if isinstance(shape[2], int) else None)
    if side is None:
        raise SettingsError(f"{path} takes images of any side. Say which: --side")
    names = [each.name for each in session.get_outputs()]
    for name in (output, classes):
        if name is not None and name not in names:
            raise ModelError(f"{path} has no output {name!r}; it has {', '.join(names)}. Name one of these.")
    return FeatureNetwork(path, inputs[0].name, shape[1], side, output or names[0], how, classes)
