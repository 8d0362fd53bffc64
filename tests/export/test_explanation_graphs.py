"""The graphs behind explanations against Captum, tensor by tensor: `gradient`, `cam` and `guided` of whole bundles.

With the decisions that ONNX Runtime took at kinks imposed on torch, rounding alone is left. Grad-CAM's graph has
decisions of its own where the head has them: the pooled head's rectifier, and its maximum over the image. On images
of 64 x 64 cells the two seldom differ; among nine times as many rectifiers, of 192 x 192, some do on most images.
"""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from functools import partial
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from captum.attr import GuidedBackprop, LayerGradCam, Saliency
from torch import Tensor

from sitegen.bundle.description import Role
from tests.helpers.explained_networks import LABELS, LARGER, NETWORKS, Split, Written
from tests.helpers.gradient.exported import Array
from tests.helpers.gradient.imposed import Seen, imposed, kink_tensors, observed
from tests.helpers.gradient.proof import running
from tests.helpers.rounding import allowed, assert_close, relative_error

MEDIAN = 1e-2
Reference = Callable[[Split, Tensor], Tensor]
Get = Callable[[str], Written]


def gradient(split: Split, image: Tensor) -> Tensor:
    return Saliency(split).attribute(image, target=0, abs=False)


def cam(split: Split, image: Tensor) -> Tensor:
    """Grad-CAM before negative values are left out."""
    return LayerGradCam(split, split.last).attribute(image, target=0)


def guided(split: Split, image: Tensor) -> Tensor:
    return GuidedBackprop(split).attribute(image, target=0)


REFERENCES: dict[Role, Reference] = {"gradient": gradient, "cam": cam, "guided": guided}


def answer(made: Written, role: Role, image: Array, labels: list[int]) -> tuple[Array, Seen]:
    """What a graph gives, as Captum would, and what it computed at the kinks. ONNX Runtime runs it, in float32."""
    folder: Path = made.bundle.folder
    forward, graph = (onnx.load(str(folder / f"{name}.onnx")) for name in ("classifier", role))
    seed = np.zeros((1, len(LABELS)), np.float32)
    seed[0, labels] = 1
    found = running(observed(graph, forward))({"image": image, "seed": seed})
    seen = {operator: [found[name] for name in names] for operator, names in kink_tensors(forward.graph).items()}
    roles = {output.role: found[output.name] for output in made.bundle.description.graphs[role].outputs}
    if role == "cam":
        weights = roles["features-gradient"].astype(np.float64).mean((2, 3), keepdims=True)
        return (weights * roles["features"]).sum(1, keepdims=True), seen
    return roles["gradient"], seen


def by_captum(made: Written, role: Role, image: Tensor, labels: list[int], seen: Seen | None = None) -> list[Array]:
    """What Captum gives, in double precision, with the decisions that were `seen`, or with its own."""
    with imposed(made.network, seen) if seen else nullcontext():
        theirs = REFERENCES[role](Split(made.network, labels), image.double())
    assert torch.any(theirs)
    return [theirs.detach().numpy()]


def cases(made: Written) -> Iterator[tuple[Tensor, list[int]]]:
    """Each image, with one finding and with all."""
    for path in made.images:
        for labels in ([0], [1], [0, 1, 2]):
            yield made.seen(path), labels


@pytest.mark.parametrize("name", LARGER)
@pytest.mark.parametrize("role", REFERENCES)
def test_with_decisions_imposed_rounding_alone_is_left(explainable: Get, name: str, role: Role) -> None:
    made = explainable(name)
    for image, labels in cases(made):
        mine, seen = answer(made, role, image.numpy(), labels)
        reference = partial(by_captum, made, role, image, labels, seen)
        truth = reference()
        (bound,) = allowed(reference, truth, draws=1)
        assert_close(mine.astype(np.float32), truth[0], bound, role)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("role", REFERENCES)
def test_with_decisions_of_its_own_captum_gives_the_same_on_most_images(
    explainable: Get, name: str, role: Role
) -> None:
    made = explainable(name)
    errors = [
        relative_error(answer(made, role, image.numpy(), labels)[0], by_captum(made, role, image, labels)[0])
        for image, labels in cases(made)
    ]
    assert np.median(errors) <= MEDIAN


def test_decisions_of_another_image_are_noticed(explainable: Get) -> None:
    """Or the tests above would hold for whatever is imposed."""
    made = explainable("densenet-tiny")
    first, second = (made.seen(path) for path in made.images[:2])
    _, seen = answer(made, "guided", first.numpy(), [0])
    with pytest.raises(AssertionError, match="Relu"), imposed(made.network, seen):
        guided(Split(made.network, [0]), second.double())
