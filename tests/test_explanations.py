"""Explanations of whole bundles: Captum, and the formulas in plain PyTorch, are the references.

Where two engines decide differently at a rectifier, gradients differ by far more than rounding (see
docs/gradient-document.md): smooth networks are held to 1e-5, and rectified ones to the median of several images.
"""

from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from captum.attr import GuidedBackprop, GuidedGradCam, IntegratedGradients, LayerAttribution, LayerGradCam, Saliency
from torch import Tensor, nn
from torch.nn import functional

from sitegen.bundle import Bundle, Label, Licence
from sitegen.export.classifier_bundle import classifier_input, write_classifier
from sitegen.export.final_weights import read_final_weights
from sitegen.export.golden import write_golden
from sitegen.export.write_bundle import Draft, write_bundle
from sitegen.networks.classifier import Classifier
from sitegen.networks.registry import make_network, network_document, read_network
from sitegen.networks.trained import TrainedClassifier
from sitegen.phantom import write_phantom
from sitegen.prediction import Predictor
from sitegen_runtime.explanation_maps import black
from sitegen_runtime.explanation_methods import COPIES, METHODS, STEPS, noisy
from sitegen_runtime.model import NetworkInput
from trained import lived_in

LABELS = ("Mass", "Nodule", "Effusion")
GREY = NetworkInput("image", (1, 1, 64, 64), "grey", 1.0, (-1.0, 1.0), (0.0,), (1.0,))
COLOUR = NetworkInput("image", (1, 3, 64, 64), "rgb", 1.0, (0.0, 1.0), (0.4, 0.5, 0.6), (0.2, 0.25, 0.3))
NETWORKS: dict[str, tuple[dict[str, Any], NetworkInput]] = {
    "densenet-tiny": ({"name": "densenet-tiny"}, GREY),
    "densenet-pooled": ({"name": "densenet-tiny", "head": {"kind": "pooled", "hidden": 16}}, GREY),
    "resnet-colour": ({"name": "resnet", "stem": 8, "stages": (1, 1), "channels": 3}, COLOUR),
}
ROUNDING, MEDIAN = 1e-5, 1e-2
Reference = Callable[[Classifier, Tensor, list[int]], Tensor]


class Written:
    """A network, the bundle that was made of it, and images."""

    def __init__(self, folder: Path, name: str, smooth: bool) -> None:
        document, image = NETWORKS[name]
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

    def errors(self, method: str, reference: Reference) -> list[float]:
        """Relative L2 between the map that is written and the reference, for each image, of one finding or of all."""
        found = []
        questions = [("Mass", [0]), ("Nodule", [1]), ("all", [0, 1, 2])]
        for path, (finding, labels) in product(self.images, questions):
            explained = self.predictor.explain(path, [{"finding": finding, "method": method}])
            (drawn,) = explained.maps
            assert explained.seen is not None
            values = np.array(explained.seen.image.values, np.float64)
            image = torch.from_numpy(values.reshape(self.predictor.model.graphs["classifier"].images[0].shape))
            expected = reference(self.network, image, labels).detach().numpy()
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


def saliency(network: Classifier, image: Tensor, labels: list[int]) -> Tensor:
    given = Saliency(Summed(network, labels)).attribute(image, target=0, abs=False)
    return given.clamp(min=0).amax(1)[0]


def smoothgrad(network: Classifier, image: Tensor, labels: list[int]) -> Tensor:
    values = image.float().flatten().tolist()
    copies = [torch.tensor(noisy(values, copy), dtype=torch.float64).view(image.shape) for copy in range(COPIES)]
    given = Saliency(Summed(network, labels)).attribute(torch.cat(copies), target=0, abs=False)
    return given.mean(0).clamp(min=0).amax(0)


def integrated(network: Classifier, image: Tensor, labels: list[int]) -> Tensor:
    entry = GREY if image.shape[1] == 1 else COLOUR
    baseline = torch.tensor(black(entry), dtype=torch.float64).view(image.shape)
    method = IntegratedGradients(Summed(network, labels))
    return method.attribute(image, baseline, target=0, n_steps=STEPS, method="riemann_middle").sum(1)[0]


def grad_cam(network: Classifier, image: Tensor, labels: list[int]) -> Tensor:
    split = Split(network, labels)
    return LayerGradCam(split, split.last).attribute(image, target=0, relu_attributions=True)[0, 0]


def guided_grad_cam(network: Classifier, image: Tensor, labels: list[int]) -> Tensor:
    split = Split(network, labels)
    guided = GuidedBackprop(split).attribute(image, target=0)
    coarse = LayerGradCam(split, split.last).attribute(image, target=0, relu_attributions=True)
    wide = LayerAttribution.interpolate(coarse, tuple(image.shape[2:]), "bilinear")
    theirs = GuidedGradCam(split, split.last, None).attribute(image, target=0, interpolate_mode="bilinear")
    assert torch.allclose(guided * wide, theirs)  # Captum's own is the same, before negative gradients are left out
    return (guided.clamp(min=0).amax(1) * wide[:, 0])[0]


def cam(network: Classifier, image: Tensor, labels: list[int]) -> Tensor:
    weights = network.head.final.weight[labels].sum(0)
    return functional.conv2d(network.feature_maps(image), weights[None, :, None, None])[0, 0]


REFERENCES: dict[str, Reference] = {
    "saliency": saliency,
    "cam": cam,
    "grad-cam": grad_cam,
    "guided-grad-cam": guided_grad_cam,
    "smoothgrad": smoothgrad,
    "integrated-gradients": integrated,
}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, bool], Written]:
    made: dict[tuple[str, bool], Written] = {}

    def get(name: str, smooth: bool) -> Written:
        if (name, smooth) not in made:
            made[name, smooth] = Written(tmp_path_factory.mktemp("written"), name, smooth)
        return made[name, smooth]

    return get


def test_every_method_has_a_reference() -> None:
    assert tuple(REFERENCES) == METHODS


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("method", [method for method in METHODS if method != "guided-grad-cam"])
def test_smooth_networks_give_what_captum_gives(written: Any, name: str, method: str) -> None:
    made = written(name, True)
    if method == "cam" and made.feature_map is None:
        return
    assert max(made.errors(method, REFERENCES[method])) <= ROUNDING


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("method", METHODS)
def test_rectified_networks_give_what_captum_gives(written: Any, name: str, method: str) -> None:
    made = written(name, False)
    if method == "cam" and made.feature_map is None:
        return
    assert np.median(made.errors(method, REFERENCES[method])) <= MEDIAN


def test_class_activation_maps_are_not_defined_for_a_pooled_head_and_grad_cam_is_offered(written: Any) -> None:
    made = written("densenet-pooled", False)
    assert made.bundle.description.feature_map is None
    wanted = [{"finding": "Mass", "method": method} for method in METHODS]
    entries = made.predictor.explain(made.images[0], wanted).document["explanations"]
    (failed,) = [entry for entry in entries if "error" in entry]
    assert failed["method"] == "cam"
    assert failed["error"]["code"] == "undefined-method"
    assert "Use 'grad-cam'" in failed["error"]["message"]


def test_a_network_without_rectifiers_has_no_guided_gradients(written: Any) -> None:
    made = written("densenet-tiny", True)
    assert "guided" not in made.bundle.description.graphs
    (entry,) = made.predictor.explain(made.images[0], [{"finding": "Mass", "method": "guided-grad-cam"}]).document[
        "explanations"
    ]
    assert entry["error"]["code"] == "missing-network"


@pytest.mark.parametrize("name", ["densenet-tiny", "resnet-colour"])
def test_the_mean_of_a_class_activation_map_and_the_bias_are_the_logit(written: Any, name: str) -> None:
    made = written(name, False)
    biases = read_final_weights(made.bundle.folder, made.feature_map)[:, -1]
    explained = made.predictor.explain(made.images[0], [{"finding": label, "method": "cam"} for label in LABELS])
    logits = [finding["logit"] for finding in explained.document["findings"]]
    means = [np.mean(drawn.values) for drawn in explained.maps]
    assert np.add(means, biases) == pytest.approx(logits, rel=1e-5, abs=1e-5)


def test_integrated_gradients_sum_to_the_difference_to_black(written: Any) -> None:
    """Completeness (Sundararajan et al. 2017), up to what the steps leave out."""
    made = written("densenet-tiny", True)
    explained = made.predictor.explain(made.images[0], [{"finding": "Mass", "method": "integrated-gradients"}])
    with torch.inference_mode():
        dark = made.network(torch.tensor(black(GREY), dtype=torch.float64).view(GREY.shape))[0, 0]
    difference = explained.document["findings"][0]["logit"] - float(dark)
    assert sum(explained.maps[0].values) == pytest.approx(difference, rel=0.02)


def test_the_same_again_is_the_same_to_the_bit(written: Any) -> None:
    made = written("densenet-tiny", False)
    wanted = [{"finding": "all", "method": method} for method in METHODS]
    first, second = (made.predictor.explain(made.images[1], wanted).document["explanations"] for _ in range(2))
    assert first == second
