"""Weights as whole numbers times scales, in the file that a graph keeps them in, and as sites pack them."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from sitegen.errors import ExportError
from sitegen.graphs.byte_weights import as_bytes, round_to_bytes, rounded
from sitegen.graphs.files import save_with_weights
from sitegen.graphs.session import open_session
from sitegen.graphs.signature import stored_tensors
from sitegen.site.weight_layout import BYTES, PLANES, lay_out, layout_of
from tests.helpers.bundles import classifier

RANDOM = np.random.default_rng(7)


def written(folder: Path, model: onnx.ModelProto | None = None) -> Path:
    save_with_weights(model or classifier(channels=3, labels=40), folder / "classifier.onnx")
    return folder / "classifier.onnx"


def test_by_hand() -> None:
    values = np.array([[127, -64.4, 0.4, 12.7], [0, 0, 0, 0], [0.5, -0.25, 0.001, 0.1]], np.float32)
    made = rounded(values, 0, "kernel")
    assert made[0].tolist() == [127, -64, 0, 13]
    assert made[1].tolist() == [0, 0, 0, 0]
    scale = 66052 / 2**24  # 0.5 / 127 is 66052.03 of these, which have 17 significant bits
    assert made[2].tolist() == pytest.approx([127 * scale, -64 * scale, 0, 25 * scale], abs=0)


@pytest.mark.parametrize("axis", [0, 1])
def test_no_number_is_farther_off_than_half_a_step_of_its_channel(axis: int) -> None:
    values = (RANDOM.normal(size=(20, 30)) * 10.0 ** RANDOM.integers(-6, 6, (20, 30))).astype(np.float32)
    made = rounded(values, axis, "kernel")
    step = np.abs(values).max(axis=1 - axis, keepdims=True).astype(np.float64) / 127
    assert (np.abs(made - values.astype(np.float64)) <= step * (0.5 + 127 * 2**-17)).all()
    whole, scales = as_bytes(made, axis) or pytest.fail("it is not told")
    assert np.abs(whole.astype(int)).max(axis=1 - axis).tolist() == [127] * values.shape[axis]
    exact = whole.astype(np.float64) * np.expand_dims(scales.astype(np.float64), 1 - axis)
    assert np.array_equal(exact, made)  # no digit of the product is lost in float32


def test_other_weights_are_not_taken_for_bytes() -> None:
    values = RANDOM.normal(size=(20, 30)).astype(np.float32)
    assert as_bytes(values, 0) is None
    made = rounded(values, 0, "kernel")
    made[3, 4] = np.nextafter(made[3, 4], np.float32(9))
    assert as_bytes(made, 0) is None
    made[3, 4] = -0.0
    assert as_bytes(made, 0) is None


def test_the_graph_has_rounded_weights_and_sites_pack_a_byte_a_number(tmp_path: Path) -> None:
    path = written(tmp_path)
    assert round_to_bytes(path) == 8 * 3 * 25 + 8 * 40
    model = classifier(channels=3, labels=40)
    for tensor in model.graph.initializer:
        if tensor.name != "bias":  # 160 bytes, which stay in the graph
            made = rounded(numpy_helper.to_array(tensor), 1 if tensor.name == "linear" else 0, tensor.name)
            tensor.CopyFrom(numpy_helper.from_array(made, tensor.name))
    image = RANDOM.uniform(0, 1, (1, 3, 32, 32)).astype(np.float32)
    whole = open_session(model.SerializeToString()).run(None, {"image": image})[0]
    assert np.array_equal(open_session(path).run(None, {"image": image})[0], whole)
    weights, tensors = path.with_suffix(".weights").read_bytes(), stored_tensors(path)
    assert layout_of(weights, tensors) == BYTES
    assert len(lay_out(weights, BYTES, tensors)) == 4 + 2 * 12 + 4 * (8 + 40) + (600 + 320)
    assert layout_of(weights) == PLANES


def test_vectors_whole_numbers_and_small_channels_stay(tmp_path: Path) -> None:
    parts: dict[str, np.ndarray] = {
        "vector": RANDOM.normal(size=300).astype(np.float32),
        "narrow": RANDOM.normal(size=(300, 4)).astype(np.float32),
        "indices": np.arange(300, dtype=np.int64),
    }
    nodes = [
        helper.make_node("Gather", ["vector", "indices"], ["turned"]),
        helper.make_node("ReduceSum", ["narrow"], ["sum"], keepdims=0),
        helper.make_node("Add", ["turned", "sum"], ["together"]),
        helper.make_node("Add", ["image", "together"], ["logits"]),
    ]
    ends = [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [300]) for name in ("image", "logits")]
    stored = [numpy_helper.from_array(value, name) for name, value in parts.items()]
    graph = helper.make_graph(nodes, "test", ends[:1], ends[1:], stored)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    path = written(tmp_path, model)
    before = path.with_suffix(".weights").read_bytes()
    assert round_to_bytes(path) == 0
    assert path.with_suffix(".weights").read_bytes() == before


def test_what_is_no_number_is_named(tmp_path: Path) -> None:
    model = classifier(channels=3, labels=40)
    values = np.full((8, 40), np.inf, np.float32)
    next(each for each in model.graph.initializer if each.name == "linear").CopyFrom(
        numpy_helper.from_array(values, "linear")
    )
    with pytest.raises(ExportError, match="'linear' has values that are no numbers, or infinite"):
        round_to_bytes(written(tmp_path, model))
