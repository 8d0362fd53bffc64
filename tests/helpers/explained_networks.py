"""Small trained classifiers as bundles with all graphs that explanations need, and images to explain."""

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sitegen.bundle import Bundle, Label, Licence
from sitegen.export.classifier_bundle import classifier_input, write_classifier
from sitegen.export.golden import write_golden
from sitegen.export.write_bundle import Draft, write_bundle
from sitegen.networks.classifier import Classifier
from sitegen.networks.registry import make_network, network_document, read_network
from sitegen.networks.trained import TrainedClassifier
from sitegen.phantom import write_phantom
from sitegen.prediction import Predictor
from sitegen_runtime.bundle.model import NetworkInput
from tests.helpers.trained import lived_in

LABELS = ("Mass", "Nodule", "Effusion")
GREY = NetworkInput("image", (1, 1, 64, 64), "grey", 1.0, (-1.0, 1.0), (0.0,), (1.0,))
COLOUR = NetworkInput("image", (1, 3, 64, 64), "rgb", 1.0, (0.0, 1.0), (0.4, 0.5, 0.6), (0.2, 0.25, 0.3))
NETWORKS: dict[str, tuple[dict[str, Any], NetworkInput]] = {
    "densenet-tiny": ({"name": "densenet-tiny"}, GREY),
    "densenet-pooled": ({"name": "densenet-tiny", "head": {"kind": "pooled", "hidden": 16}}, GREY),
    "resnet-colour": ({"name": "resnet", "stem": 8, "stages": (1, 1), "channels": 3}, COLOUR),
}
LARGER = {**NETWORKS, "densenet-192": ({"name": "densenet-tiny"}, replace(GREY, shape=(1, 1, 192, 192)))}
Reference = Callable[[Classifier, Tensor, list[int]], Tensor]


class Written:
    """A network, the bundle that was made of it, and images."""

    def __init__(self, folder: Path, name: str, smooth: bool = False) -> None:
        """Write the network of that name, of LARGER; a smooth one has no kinks."""
        document, image = LARGER[name]
        settings = read_network({**document, "labels": len(LABELS)})
        torch.manual_seed(1)
        network = lived_in(make_network(settings))
        final = network.head.final
        final.weight.data[1] = -final.weight.data[0]  # where nothing speaks for the one, something does for the other
        if smooth:
            _without_kinks(network)
        trained = TrainedClassifier(network, network_document(settings), LABELS, image)
        feature_map = write_classifier(trained, folder)
        (folder / "card.md").write_text("# Small\n", encoding="utf-8")
        write_golden(folder, classifier_input(trained))
        labels = [Label(name=label, operating_point=0.5) for label in LABELS]
        licence = Licence(weights="Apache-2.0", data="none")
        draft = Draft("small", "1.0", "Small", licence, labels, None, True, feature_map)
        self.bundle: Bundle = write_bundle(folder, draft, {"classifier": classifier_input(trained)})
        self.predictor, self.network, self.feature_map = Predictor(self.bundle), network.double(), feature_map
        self.images = [folder / f"image{seed}.png" for seed in range(3)]
        for seed, path in enumerate(self.images):
            write_phantom(path, seed, 96)

    def seen(self, path: Path) -> Tensor:
        """What the classifier is given for an image file: float32 [1, channels, side, side]."""
        seen = self.predictor.explain(path, []).seen
        assert seen is not None
        values = seen.image.values
        return torch.tensor(values, dtype=torch.float32).view(self.predictor.model.graphs["classifier"].images[0].shape)

    def errors(self, method: str, reference: Reference) -> list[float]:
        """Relative L2 between the map that is written and the reference, for each image, of one finding or of all."""
        found = []
        questions = [("Mass", [0]), ("Nodule", [1]), ("all", [0, 1, 2])]
        for path, (finding, labels) in product(self.images, questions):
            explained = self.predictor.explain(path, [{"finding": finding, "method": method}])
            (drawn,) = explained.maps
            expected = reference(self.network, self.seen(path).double(), labels).detach().numpy()
            assert drawn.shape == expected.shape
            made = np.array(drawn.values).reshape(expected.shape)
            if np.any(expected):
                found.append(float(np.linalg.norm(made - expected) / np.linalg.norm(expected)))
            else:  # nothing speaks for the finding
                assert not np.any(made)
        assert len(found) >= 3
        return found


def _without_kinks(module: nn.Module) -> None:
    """Take a smooth function in place of every rectifier, and means in place of maxima."""
    for name, child in module.named_children():
        if isinstance(child, nn.ReLU):
            setattr(module, name, nn.Softplus())
        elif isinstance(child, nn.MaxPool2d):
            setattr(module, name, nn.AvgPool2d(child.kernel_size, child.stride, child.padding))
        else:
            _without_kinks(child)


class Summed(nn.Module):
    """The sum of the logits of some labels, as one output."""

    def __init__(self, network: Classifier, labels: list[int]) -> None:
        super().__init__()
        self.network, self.labels = network, labels

    def forward(self, images: Tensor) -> Tensor:
        return self.network(images)[:, self.labels].sum(1, keepdim=True)


class Passed(nn.Module):
    """Gives its input: a layer whose output Captum can name as the last feature map."""

    def forward(self, maps: Tensor) -> Tensor:
        return maps * 1.0


class Split(nn.Module):
    """A network with its last feature map as the output of a layer of its own."""

    def __init__(self, network: Classifier, labels: list[int]) -> None:
        super().__init__()
        self.network, self.labels, self.last = network, labels, Passed()

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.network.head(self.last(self.network.feature_maps(images)))
        return logits[:, self.labels].sum(1, keepdim=True)
