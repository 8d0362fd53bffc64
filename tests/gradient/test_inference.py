"""Sizes that a model computes while it runs, as older exporters write them, are known before."""

import io
import warnings

import numpy as np
import onnx
import pytest
import torch
from onnx import helper

from sitegen import gradient
from sitegen.gradient.forward import Forward
from tests.helpers.gradient.imposed import kink_tensors, observed, torch_gradients
from tests.helpers.gradient.networks_table import INPUT, NETWORKS, make
from tests.helpers.gradient.proof import model_of, prove, run, values
from tests.helpers.rounding import allowed, assert_close

X = values(2, 3, 4, 5)


def ints(*numbers: int) -> np.ndarray:
    return np.array(numbers, np.int64)


def computed_reshape(*, dynamic: bool) -> onnx.ModelProto:
    """y = sin(x) reshaped to [N, 3 * 4, 5], the numbers taken from x's own shape; then to [N, 60] again."""
    nodes = [
        helper.make_node("Shape", ["x"], ["shape"]),
        helper.make_node("Gather", ["shape", "one"], ["channels"]),
        helper.make_node("Slice", ["shape", "two", "three"], ["height"]),
        helper.make_node("Mul", ["channels", "height"], ["rows"]),
        helper.make_node("Concat", ["minus", "rows", "five"], ["wanted"], axis=0),
        helper.make_node("Sin", ["x"], ["sine"]),
        helper.make_node("Reshape", ["sine", "wanted"], ["flat"]),
        helper.make_node("ReduceMax", ["flat"], ["y"], axes=[2]),
    ]
    constants = {"one": ints(1), "two": ints(2), "three": ints(3), "five": ints(5), "minus": ints(-1)}
    return model_of(nodes, {"x": X}, constants, ["y"], opset=17, dynamic=dynamic)


@pytest.mark.parametrize("dynamic", [False, True])
def test_shapes_that_are_computed_from_shapes(dynamic: bool) -> None:
    model = computed_reshape(dynamic=dynamic)
    del model.graph.value_info[:]
    forward = Forward(model, None)
    value = forward.value("rows")
    assert value is not None
    assert value.tolist() == [12]
    shape = forward.shape("flat")
    assert shape is not None
    assert shape[1:] == (12, 5)
    assert forward.value("shape") is None if dynamic else forward.value("shape").tolist() == [2, 3, 4, 5]
    prove(model, {"x": X}, lambda x: torch.sin(x).reshape(-1, 12, 5).amax(2, keepdim=True))


def test_a_join_of_parts_whose_size_only_the_run_tells() -> None:
    nodes = [
        helper.make_node("Reshape", ["x", "shape"], ["first"]),
        helper.make_node("Exp", ["x"], ["second"]),
        helper.make_node("Concat", ["first", "second", "first"], ["y"], axis=0),
    ]
    feeds = {"x": X, "shape": ints(2, 3, 4, 5)}
    model = model_of(nodes, feeds, {}, ["y"])
    assert not any(isinstance(size, int) for size in Forward(model, None).shape("first") or (0,))
    prove(model, feeds, lambda x, shape: torch.cat([x, x.exp(), x]))


@pytest.mark.parametrize("name", ["efficientnet", "vit", "swin", "unet-bilinear"])
def test_networks_from_the_older_exporter(name: str) -> None:
    """It computes paddings and sizes in the graph, and leaves it to the reader to find out that they are constants."""
    entry, network = NETWORKS[name], make(name)
    images, content = entry.images(3, batch=2), io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network,
            (images,),
            content,  # type: ignore[arg-type]
            input_names=[INPUT],
            output_names=["logits", "features"],
            opset_version=17,
            dynamo=False,
            dynamic_axes={INPUT: {0: "N"}},
        )
    forward = onnx.load_from_string(content.getvalue())
    compiled = gradient.compile(forward, wrt=INPUT, of="logits")
    onnx.checker.check_model(compiled, full_check=True)
    seed = values(*network(images)[0].shape, seed=1)
    found = run(observed(compiled, forward), {INPUT: images.numpy(), "seed": seed})
    seen = {operator: [found[tensor] for tensor in names] for operator, names in kink_tensors(forward.graph).items()}
    network.double()
    exact = torch_gradients(network, images.numpy(), seed, seen=seen)
    (bound, _) = allowed(lambda: torch_gradients(network, images.numpy(), seed, seen=seen), exact)
    assert_close(found[f"grad_{INPUT}"], exact[0], bound, name)
