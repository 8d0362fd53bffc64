"""Gradients of whole networks, as ONNX Runtime computes them, against torch in double precision."""

from functools import cache, partial
from typing import Any

import numpy as np
import onnx
import pytest
import torch

from sitegen import gradient
from tests.helpers.gradient.exported import OPSETS, compiled, exported, network
from tests.helpers.gradient.imposed import Array, Seen, kink_tensors, observed, torch_gradients
from tests.helpers.gradient.networks_table import FEATURES, INPUT, NETWORKS
from tests.helpers.gradient.proof import running
from tests.helpers.rounding import allowed, assert_close, relative_error

LARGE = "densenet-121"
NAMES = [name for name in NETWORKS if name != LARGE]
DYNAMIC = [name for name in NAMES if NETWORKS[name].dynamic]
# Networks that the exporter writes with other operators at the newest opset: Gelu, Attention, GroupNormalization.
RENEWED = ["convnext", "vit", "swin", "unet-bilinear"]
DRAWS = 1  # of rounding: gradients are so many numbers that one draw moves them, together, as far as the next
CASES = [(name, OPSETS[0]) for name in NAMES] + [(name, OPSETS[1]) for name in RENEWED]

each_network = pytest.mark.parametrize("name", NAMES)
each_case = pytest.mark.parametrize(("name", "opset"), CASES)


def random_seed(name: str, number: int, batch: int | None = None) -> Array:
    """Weights of the scored output, for a batch of that size (the network's own by default)."""
    return np.random.default_rng(number).standard_normal(output_shape(name, batch)).astype(np.float32)


@cache
def output_shape(name: str, batch: int | None) -> tuple[int, ...]:
    """The shape of the scored output."""
    with torch.no_grad():
        return tuple(network(name)(NETWORKS[name].images(0, batch))[position(name)].shape)


def position(name: str) -> int:
    """The place of the scored output among the network's outputs."""
    return NETWORKS[name].outputs.index(NETWORKS[name].of)


def exact(
    name: str, images: Array, seed: Array, seen: Seen | None = None, *, guided: bool = False
) -> tuple[Array, Array]:
    """Gradients at the images and at the feature map, float64."""
    double = network(name, torch.float64)
    return torch_gradients(double, images, seed, of=position(name), seen=seen, guided=guided)


def assert_rounding_alone(name: str, image: Array, seed: Array, *, guided: bool = False, **how: Any) -> None:
    """ONNX Runtime's gradients at the image and at the feature map are torch's, with its decisions imposed on torch."""
    forward, model = exported(name, **how), compiled(name, guided=guided, **how)
    results = {INPUT: image, **running(observed(model, forward))({INPUT: image, "seed": seed})}
    seen = {operator: [results[at] for at in names] for operator, names in kink_tensors(forward.graph).items()}
    reference = partial(exact, name, image, seed, seen, guided=guided)
    truth = reference()
    bounds = allowed(reference, truth, DRAWS)
    for tensor, part, bound in zip((INPUT, FEATURES), truth, bounds, strict=True):
        assert_close(results[gradient.gradient_name(tensor)], part, bound, tensor)


@each_case
def test_rounding_alone_is_left_with_decisions_imposed(name: str, opset: int) -> None:
    for number in range(3):
        assert_rounding_alone(name, NETWORKS[name].images(number).numpy(), random_seed(name, number), opset=opset)


@pytest.mark.parametrize("name", ["resnet-basic", "mobilenet-v2"])
def test_rounding_alone_is_left_of_guided_gradients(name: str) -> None:
    for number in range(3):
        image, seed = NETWORKS[name].images(number).numpy(), random_seed(name, number)
        assert_rounding_alone(name, image, seed, guided=True)


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("name", DYNAMIC)
def test_an_open_batch(name: str, batch: int) -> None:
    assert_rounding_alone(name, NETWORKS[name].images(0, batch).numpy(), random_seed(name, 0, batch), dynamic=True)


@pytest.mark.slow
def test_a_network_of_full_size() -> None:
    # Of 15.7 million rectifiers, some have inputs within rounding of zero: unless imposed, the error is above 1e-3.
    assert_rounding_alone(LARGE, NETWORKS[LARGE].images(0).numpy(), random_seed(LARGE, 0))


@each_network
def test_as_exact_as_rounding_lets_it_be_with_decisions_of_its_own(name: str) -> None:
    """In the median of ten images, as some have a rectifier whose input is within rounding of zero."""
    run, errors, bounds = running(compiled(name)), [], []
    for number in range(10):
        image, seed = NETWORKS[name].images(number).numpy(), random_seed(name, number)
        truth = exact(name, image, seed)
        bounds.append(allowed(partial(exact, name, image, seed), truth, DRAWS)[0])
        errors.append(relative_error(run({INPUT: image, "seed": seed})[gradient.gradient_name(INPUT)], truth[0]))
    assert np.median(errors) <= np.median(bounds)


@each_case
def test_the_forward_outputs_stay_the_same(name: str, opset: int) -> None:
    """To the bit, node by node; optimised, a graph may be fused otherwise where the backward half reads tensors too."""
    plain, both = exported(name, opset=opset), compiled(name, opset=opset)
    before, after = running(plain, optimised=False), running(both, optimised=False)
    fused = running(both)
    for number in range(3):
        image, seed = NETWORKS[name].images(number).numpy(), random_seed(name, number)
        expected, found = before({INPUT: image}), after({INPUT: image, "seed": seed})
        for output in NETWORKS[name].outputs:
            np.testing.assert_array_equal(found[output], expected[output])
        truth = forward_values(name, image)
        bounds = allowed(partial(forward_values, name, image), truth)
        given = fused({INPUT: image, "seed": seed})
        for output, value, bound in zip((*NETWORKS[name].outputs, FEATURES), truth, bounds, strict=True):
            assert_close(given[output], value, bound, output)


def forward_values(name: str, image: Array) -> list[Array]:
    """The network's outputs and its feature map, float64."""
    with torch.no_grad():
        return [part.numpy() for part in network(name, torch.float64)(torch.from_numpy(image).double())]


@pytest.mark.parametrize(
    ("name", "opset", "dynamic"),
    [(*case, False) for case in CASES] + [(name, OPSETS[0], True) for name in DYNAMIC],
)
def test_the_model_is_valid_and_its_shapes_are_inferred(name: str, opset: int, dynamic: bool) -> None:
    model = onnx.ModelProto()
    model.CopyFrom(compiled(name, opset=opset, dynamic=dynamic))
    onnx.checker.check_model(model, full_check=True)
    outputs = [output.name for output in model.graph.output]
    at_input, at_features = gradient.gradient_name(INPUT), gradient.gradient_name(FEATURES)
    assert outputs == [*NETWORKS[name].outputs, at_input, FEATURES, at_features]
    declared = {output.name: dims(output) for output in model.graph.output}
    del model.graph.output[:]
    model.graph.output.extend(onnx.ValueInfoProto(name=output) for output in outputs)
    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True).graph
    shapes = {output.name: dims(output) for output in inferred.output}
    image = ["batch", *NETWORKS[name].shape[1:]] if dynamic else list(NETWORKS[name].shape)
    assert declared[at_input] == image
    assert declared[at_features] == declared[FEATURES]
    assert shapes[at_input][1:] == image[1:]
    assert shapes[at_features][1:] == shapes[FEATURES][1:]
    if not dynamic:  # inference makes up a name for an open batch
        assert shapes == declared


def dims(value: onnx.ValueInfoProto) -> list[int | str]:
    """The sizes of a tensor; the names of those left open."""
    return [size.dim_param or size.dim_value for size in value.type.tensor_type.shape.dim]


@each_network
def test_a_one_hot_seed_selects_an_output(name: str) -> None:
    image, seed = NETWORKS[name].images(3).numpy(), np.zeros_like(random_seed(name, 0))
    seed.flat[seed.size // 2] = 1
    assert_rounding_alone(name, image, seed)
    nothing = running(compiled(name))({INPUT: image, "seed": np.zeros_like(seed)})
    assert not nothing[gradient.gradient_name(INPUT)].any()
    assert not nothing[gradient.gradient_name(FEATURES)].any()
