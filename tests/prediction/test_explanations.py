"""Explanations of whole bundles: Captum, and the formulas in plain PyTorch, are the references.

Where two engines decide differently at a rectifier, gradients differ by far more than rounding (see
docs/gradient-document.md): smooth networks are held to 1e-5, and rectified ones to the median of several images.
"""

from typing import Any

import numpy as np
import pytest
import torch
from captum.attr import GuidedBackprop, GuidedGradCam, IntegratedGradients, LayerAttribution, LayerGradCam, Saliency
from torch import Tensor
from torch.nn import functional

from sitegen.export.final_weights import read_final_weights
from sitegen.networks.classifier import Classifier
from sitegen_runtime.interventions.fillings import black
from sitegen_runtime.maps.arithmetic import COPIES, STEPS, noisy
from sitegen_runtime.maps.methods import METHODS
from tests.helpers.explained_networks import COLOUR, GREY, LABELS, NETWORKS, Reference, Split, Summed

ROUNDING, MEDIAN = 1e-5, 1e-2
MASKED = ("cem", "cem-paper")  # see test_masked_maps.py


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


def test_every_method_has_a_reference() -> None:
    assert [*REFERENCES, *MASKED] == list(METHODS)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("method", [method for method in REFERENCES if method != "guided-grad-cam"])
def test_smooth_networks_give_what_captum_gives(explainable: Any, name: str, method: str) -> None:
    made = explainable(name, True)
    if method == "cam" and made.feature_map is None:
        return
    assert max(made.errors(method, REFERENCES[method])) <= ROUNDING


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("method", REFERENCES)
def test_rectified_networks_give_what_captum_gives(explainable: Any, name: str, method: str) -> None:
    made = explainable(name, False)
    if method == "cam" and made.feature_map is None:
        return
    assert np.median(made.errors(method, REFERENCES[method])) <= MEDIAN


def test_class_activation_maps_are_not_defined_for_a_pooled_head_and_grad_cam_is_offered(
    explainable: Any,
) -> None:
    made = explainable("densenet-pooled", False)
    assert made.bundle.description.feature_map is None
    wanted = [{"finding": "Mass", "method": method} for method in REFERENCES]
    entries = made.predictor.explain(made.images[0], wanted).document["explanations"]
    (failed,) = [entry for entry in entries if "error" in entry]
    assert failed["method"] == "cam"
    assert failed["error"]["code"] == "undefined-method"
    assert "Use 'grad-cam'" in failed["error"]["message"]


def test_a_network_without_rectifiers_has_no_guided_gradients(explainable: Any) -> None:
    made = explainable("densenet-tiny", True)
    assert "guided" not in made.bundle.description.graphs
    (entry,) = made.predictor.explain(made.images[0], [{"finding": "Mass", "method": "guided-grad-cam"}]).document[
        "explanations"
    ]
    assert entry["error"]["code"] == "missing-network"


@pytest.mark.parametrize("name", ["densenet-tiny", "resnet-colour"])
def test_the_mean_of_a_class_activation_map_and_the_bias_are_the_logit(explainable: Any, name: str) -> None:
    made = explainable(name, False)
    biases = read_final_weights(made.bundle.folder, made.feature_map)[:, -1]
    explained = made.predictor.explain(made.images[0], [{"finding": label, "method": "cam"} for label in LABELS])
    logits = [finding["logit"] for finding in explained.document["findings"]]
    means = [np.mean(drawn.values) for drawn in explained.maps]
    assert np.add(means, biases) == pytest.approx(logits, rel=1e-5, abs=1e-5)


def test_integrated_gradients_sum_to_the_difference_to_black(explainable: Any) -> None:
    """Completeness (Sundararajan et al. 2017), up to what the steps leave out."""
    made = explainable("densenet-tiny", True)
    explained = made.predictor.explain(made.images[0], [{"finding": "Mass", "method": "integrated-gradients"}])
    with torch.inference_mode():
        dark = made.network(torch.tensor(black(GREY), dtype=torch.float64).view(GREY.shape))[0, 0]
    difference = explained.document["findings"][0]["logit"] - float(dark)
    assert sum(explained.maps[0].values) == pytest.approx(difference, rel=0.02)


def test_the_same_again_is_the_same_to_the_bit(explainable: Any) -> None:
    made = explainable("densenet-tiny", False)
    wanted = [{"finding": "all", "method": method} for method in REFERENCES]
    first, second = (made.predictor.explain(made.images[1], wanted).document["explanations"] for _ in range(2))
    assert first == second
