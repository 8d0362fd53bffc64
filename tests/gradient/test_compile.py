"""What `compile` gives: inputs, outputs and their order, names, what stays as it was, and what it refuses."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from sitegen import gradient
from sitegen.gradient import GradientError
from tests.helpers.gradient.proof import model_of, one_node, prove, run, values
from tests.helpers.gradient.small_network import IMAGE, SEED, assert_as_by_torch, network


def names(values: Any) -> list[str]:
    return [value.name for value in values]


def test_inputs_and_outputs_in_order() -> None:
    compiled = gradient.compile(network(), wrt="image")
    assert names(compiled.graph.input) == ["image", "seed"]
    assert names(compiled.graph.output) == ["logits", "pooled", "grad_image"]
    results = run(compiled, {"image": IMAGE, "seed": SEED})
    for name in ("logits", "pooled", "grad_image"):
        assert_as_by_torch(results[name], name)


def test_also_gives_value_then_gradient() -> None:
    compiled = gradient.compile(network(), wrt="image", also=["map", "pooled", "image"])
    # `pooled` is an output already, `image` was asked for with wrt.
    assert names(compiled.graph.output) == ["logits", "pooled", "grad_image", "map", "grad_map", "grad_pooled"]
    results = run(compiled, {"image": IMAGE, "seed": SEED})
    for name in ("map", "grad_map", "grad_pooled"):
        assert_as_by_torch(results[name], name)


@pytest.mark.parametrize("wrt", ["kernel", "linear", "map"])
def test_with_respect_to_weights_and_to_tensors_in_between(wrt: str) -> None:
    results = run(gradient.compile(network(), wrt=wrt), {"image": IMAGE, "seed": SEED})
    assert_as_by_torch(results[f"grad_{wrt}"], f"grad_{wrt}")


def test_of_another_output_or_a_tensor_in_between() -> None:
    seed = values(1, 3, seed=8)
    results = run(
        gradient.compile(network(), wrt="image", of="pooled", seed="weights"), {"image": IMAGE, "weights": seed}
    )
    assert_as_by_torch(results["grad_image"], "grad_image", seed, "pooled")
    seed = values(1, 3, 6, 6, seed=9)
    results = run(gradient.compile(network(), wrt="image", of="map"), {"image": IMAGE, "seed": seed})
    assert_as_by_torch(results["grad_image"], "grad_image", seed, "map")


def test_of_the_tensor_itself_is_the_seed() -> None:
    results = run(gradient.compile(network(), wrt="logits"), {"image": IMAGE, "seed": SEED})
    np.testing.assert_array_equal(results["grad_logits"], SEED)


def test_also_of_a_tensor_in_between_gives_its_value_and_goes_no_further_back() -> None:
    compiled = gradient.compile(network(), wrt="map", also=["map"])
    assert names(compiled.graph.output) == ["logits", "pooled", "map", "grad_map"]
    whole = gradient.compile(network(), wrt="image", also=["map"])
    backward = [node for node in whole.graph.node if node not in network().graph.node]
    short = [node for node in compiled.graph.node if node not in network().graph.node]
    assert len(short) < len(backward)
    assert "ConvTranspose" not in {node.op_type for node in short}


def test_guided_stops_negative_gradients_at_every_relu() -> None:
    x = np.array([[-1.0, 2.0, 3.0]], np.float32)
    model = one_node("Relu", {"x": x})
    seed = np.array([[5.0, -7.0, 11.0]], np.float32)
    assert run(gradient.compile(model, wrt="x"), {"x": x, "seed": seed})["grad_x"].tolist() == [[0.0, -7.0, 11.0]]
    guided = gradient.compile(model, wrt="x", guided=True)
    assert run(guided, {"x": x, "seed": seed})["grad_x"].tolist() == [[0.0, 0.0, 11.0]]


@pytest.mark.parametrize("bounds", [("low", "high"), ("low",)])
def test_guided_stops_negative_gradients_at_clips_from_zero(bounds: tuple[str, ...]) -> None:
    x = np.array([[-1.0, 2.0, 3.0, 9.0]], np.float32)
    values = {"low": np.float32(0), "high": np.float32(6)}
    model = one_node("Clip", {"x": x}, {name: values[name] for name in bounds})
    seed = np.array([[5.0, -7.0, 11.0, 13.0]], np.float32)
    above = 0.0 if "high" in bounds else 13.0
    assert run(gradient.compile(model, wrt="x"), {"x": x, "seed": seed})["grad_x"].tolist() == [[0, -7, 11, above]]
    guided = gradient.compile(model, wrt="x", guided=True)
    assert run(guided, {"x": x, "seed": seed})["grad_x"].tolist() == [[0, 0, 11, above]]


@pytest.mark.parametrize("low", [-1.0, 0.5])
def test_a_clip_from_elsewhere_is_no_rectifier(low: float) -> None:
    x = np.array([[-3.0, 0.75]], np.float32)
    model = one_node("Clip", {"x": x}, {"low": np.float32(low), "high": np.float32(6)})
    assert not gradient.has_rectifier(model, wrt="x")
    assert "no Clip from 0" in refused(model, wrt="x", guided=True)


def test_a_clip_whose_bounds_are_inputs_is_no_rectifier() -> None:
    x, low = np.array([[-3.0, 0.75]], np.float32), np.array(0, np.float32)
    assert not gradient.has_rectifier(one_node("Clip", {"x": x, "low": low}), wrt="x")


def test_a_switch_turns_the_gradient_off() -> None:
    compiled = gradient.compile(network(), wrt="image", also=["map"], switch="explain")
    onnx.checker.check_model(compiled, full_check=True)
    assert names(compiled.graph.input) == ["image", "seed", "explain"]
    assert names(compiled.graph.output) == ["logits", "pooled", "grad_image", "map", "grad_map"]
    plain, feeds = gradient.compile(network(), wrt="image", also=["map"]), {"image": IMAGE, "seed": SEED}
    on, off = (run(compiled, {**feeds, "explain": np.array(value)}, optimised=False) for value in (True, False))
    for name, value in run(plain, feeds, optimised=False).items():
        np.testing.assert_array_equal(on[name], value)
    assert (off["grad_image"].shape, off["grad_map"].shape) == ((0, 0, 0, 0), (0, 0, 0, 0))
    np.testing.assert_array_equal(off["logits"], on["logits"])


@pytest.mark.parametrize("opset", gradient.OPSETS)
def test_every_opset(opset: int) -> None:
    compiled = gradient.compile(network(opset=opset), wrt="image")
    onnx.checker.check_model(compiled, full_check=True)
    assert_as_by_torch(run(compiled, {"image": IMAGE, "seed": SEED})["grad_image"], "grad_image")


def test_the_batch_may_stay_open() -> None:
    compiled = gradient.compile(network(dynamic=True), wrt="image")
    shape = compiled.graph.output[2].type.tensor_type.shape.dim
    assert [dim.dim_param or dim.dim_value for dim in shape] == ["N", 2, 6, 6]
    images = np.concatenate([IMAGE, -IMAGE, IMAGE])
    results = run(compiled, {"image": images, "seed": np.concatenate([SEED] * 3)})
    assert_as_by_torch(results["grad_image"][:1], "grad_image")
    np.testing.assert_array_equal(results["grad_image"][0], results["grad_image"][2])


def test_the_forward_half_stays_as_it_was() -> None:
    model = network()
    before = model.SerializeToString(deterministic=True)
    compiled = gradient.compile(model, wrt="image")
    assert model.SerializeToString(deterministic=True) == before
    assert list(compiled.graph.node[: len(model.graph.node)]) == list(model.graph.node)
    assert list(compiled.graph.initializer[:2]) == list(model.graph.initializer)


def test_only_what_is_needed_is_written() -> None:
    compiled = gradient.compile(network(), wrt="image")
    read = {name for node in compiled.graph.node for name in node.input} | set(names(compiled.graph.output))
    made = [name for node in compiled.graph.node for name in node.output]
    assert [name for name in (*made, *names(compiled.graph.initializer)) if name not in read] == []
    # No copy of a weight: the backward half adds small vectors such as shapes and axes alone.
    assert all(np.prod(tensor.dims) <= 8 for tensor in compiled.graph.initializer[2:])


def test_the_same_model_gives_the_same_bytes() -> None:
    first, second = (gradient.compile(network(), wrt="image").SerializeToString(deterministic=True) for _ in range(2))
    assert first == second


def test_shapes_that_onnx_does_not_infer_are_known() -> None:
    nodes = [
        helper.make_node("GroupNormalization", ["image", "scale", "scale"], ["normal"], num_groups=1),
        helper.make_node("Relu", ["normal"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, IMAGE.shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, IMAGE.shape)],
        [numpy_helper.from_array(np.ones(2, np.float32), "scale")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    compiled = gradient.compile(model, wrt="image")
    onnx.checker.check_model(compiled, full_check=True)
    prove(model, {"image": IMAGE}, lambda image: torch.relu(torch.nn.functional.group_norm(image, 1) + 1))


def test_names_that_begin_like_new_ones_do_no_harm() -> None:
    nodes = [
        helper.make_node("Exp", ["image"], ["back_1_Mul"], name="back_2_Mul"),
        helper.make_node("Exp", ["back_1_Mul"], ["y"]),
    ]
    x = values(2, 3)
    prove(model_of(nodes, {"image": x}, {}, ["y"]), {"image": x}, lambda image: image.exp().exp())


def test_a_flat_way_gives_zeros() -> None:
    x = values(2, 3)
    compiled = gradient.compile(one_node("Floor", {"x": x}), wrt="x")
    assert run(compiled, {"x": x, "seed": np.ones_like(x)})["grad_x"].tolist() == [[0.0] * 3] * 2


def test_several_uses_add_up() -> None:
    nodes = [
        helper.make_node("Mul", ["x", "x"], ["square"]),
        helper.make_node("Add", ["square", "x"], ["sum"]),
        helper.make_node("Mul", ["sum", "x"], ["y"]),
    ]
    x = np.array([2.0, -3.0], np.float32)
    compiled = gradient.compile(model_of(nodes, {"x": x}, {}, ["y"]), wrt="x")
    # y = x³ + x², so y' = 3x² + 2x.
    assert run(compiled, {"x": x, "seed": np.ones(2, np.float32)})["grad_x"].tolist() == [16.0, 21.0]


def test_needs_neither_the_rest_of_sitegen_nor_more_than_onnx_and_numpy() -> None:
    program = (
        "import sys; from sitegen import gradient\n"
        "own = [name for name in sys.modules if name.split('.')[0].startswith('sitegen')]\n"
        "rest = sorted(name for name in own if not name.startswith('sitegen.gradient'))\n"
        "print(rest, sorted({'torch', 'onnxruntime', 'pydantic', 'typer', 'scipy'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['sitegen', 'sitegen.errors'] []"


def refused(model: onnx.ModelProto, **options: Any) -> str:
    with pytest.raises(GradientError) as caught:
        gradient.compile(model, **{"wrt": "image", **options})
    return str(caught.value)


def test_unknown_names() -> None:
    assert "no tensor 'picture'" in refused(network(), wrt="picture")
    assert "no tensor 'logit'" in refused(network(), of="logit")
    assert "no tensor 'features'" in refused(network(), also=["features"])
    assert "the inputs 'image', the outputs 'logits', 'pooled'" in refused(network(), wrt="picture")


def test_names_that_are_taken() -> None:
    assert "'map' is taken" in refused(network(), seed="map")
    assert "'seed' is taken" in refused(network(), switch="seed")


def test_nothing_flows_back_through_integers() -> None:
    nodes = [
        helper.make_node("Cast", ["image"], ["whole"], to=TensorProto.INT64),
        helper.make_node("Cast", ["whole"], ["y"], to=TensorProto.FLOAT),
    ]
    model = model_of(nodes, {"image": IMAGE}, {}, ["y"])
    assert "'y' does not depend on 'image' through floating-point numbers" in refused(model)
    assert "'whole' does not hold floating-point numbers" in refused(model, of="whole")


def test_a_tensor_that_the_result_does_not_depend_on() -> None:
    assert "'pooled' does not depend on 'linear'" in refused(network(), of="pooled", wrt="linear")


@pytest.mark.parametrize("opset", [16, 27])
def test_opsets_that_are_not_supported(opset: int) -> None:
    message = refused(network(opset=opset))
    assert f"opset {opset}; 17 to 26 are supported" in message
    assert "onnx.version_converter" in message


def test_guided_without_a_relu() -> None:
    assert "no Relu, and no Clip from 0, between 'map' and 'logits'" in refused(network(), wrt="map", guided=True)


def test_an_operator_without_a_rule_is_named() -> None:
    nodes = [helper.make_node("Det", ["image"], ["y"], name="the node")]
    message = refused(model_of(nodes, {"image": IMAGE}, {}, ["y"]))
    assert message.startswith("No gradient for node 'the node' (Det): there is no rule for this operator")


def test_control_flow_is_named() -> None:
    branch = helper.make_graph(
        [helper.make_node("Exp", ["image"], ["inner"])], "branch", [], [helper.make_tensor_value_info("inner", 1, None)]
    )
    nodes = [helper.make_node("If", ["c"], ["y"], name="choice", then_branch=branch, else_branch=branch)]
    model = model_of(nodes, {"image": IMAGE, "c": np.array(True)}, {}, ["y"])
    assert "node 'choice' (If): control flow is not supported" in refused(model)


def test_another_domain_is_named() -> None:
    model = one_node("Relu", {"image": IMAGE})
    model.graph.node[0].domain = "com.example"
    model.opset_import.append(helper.make_opsetid("com.example", 1))
    assert "domain 'com.example'" in refused(model)


def test_a_second_output_that_is_used_is_named() -> None:
    nodes = [
        helper.make_node("LayerNormalization", ["image", "scale"], ["normal", "mean"], name="norm", axis=3),
        helper.make_node("Add", ["normal", "mean"], ["y"]),
    ]
    model = model_of(nodes, {"image": IMAGE}, {"scale": values(6)}, ["y"])
    assert "node 'norm' (LayerNormalization): more than its first output is used" in refused(model)


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.onnx").write_bytes(b"no model")
    with pytest.raises(GradientError, match=r"a\.onnx is not a readable ONNX file"):
        gradient.compile(tmp_path / "a.onnx", wrt="image")
