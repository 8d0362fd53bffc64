"""Classifiers of whole numbers: which networks are not taken, because a page would be slower with them."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from sitegen.errors import ExportError
from sitegen.export.variants.static import quantise
from sitegen.graphs.files import save_with_weights
from sitegen.graphs.session import open_session

RANDOM = np.random.default_rng(2)
IMAGES = RANDOM.normal(size=(8, 4, 16, 16)).astype(np.float32)


def written(folder: Path, groups: int) -> Path:
    kernel = RANDOM.normal(size=(8, 4 // groups, 3, 3)).astype(np.float32)
    nodes = [
        helper.make_node("Conv", ["image", "kernel"], ["map"], group=groups, name="conv"),
        helper.make_node("Relu", ["map"], ["positive"]),
        helper.make_node("ReduceMean", ["positive", "axes"], ["logits"], keepdims=0),
    ]
    ends = [
        helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)
        for name, shape in (("image", [1, 4, 16, 16]), ("logits", [1, 8]))
    ]
    stored = [numpy_helper.from_array(kernel, "kernel"), numpy_helper.from_array(np.array([2, 3]), "axes")]
    graph = helper.make_graph(nodes, "test", ends[:1], ends[1:], stored)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    save_with_weights(model, folder / "classifier.onnx")
    return folder / "classifier.onnx"


def logits(path: Path) -> np.ndarray:
    session = open_session(path)
    return np.concatenate([session.run(["logits"], {"image": image[np.newaxis]})[0] for image in IMAGES])


def test_it_gives_nearly_the_same_and_weights_use_seven_bits(tmp_path: Path) -> None:
    path = written(tmp_path, 1)
    before = logits(path)
    assert quantise(path, IMAGES) == 8 * 4 * 9
    assert np.abs(logits(path) - before).max() < 0.03 * np.abs(before).max()
    assert not np.array_equal(logits(path), before)
    weights = [numpy_helper.to_array(each) for each in onnx.load(str(path)).graph.initializer if each.data_type == 3]
    assert max(int(np.abs(each.astype(int)).max()) for each in weights) == 64


def test_convolutions_in_groups_are_refused_and_the_graph_stays(tmp_path: Path) -> None:
    path = written(tmp_path, 2)
    before = path.read_bytes()
    with pytest.raises(ExportError, match=r"1 of the network's 1 convolutions are in groups.* Take int8 or half"):
        quantise(path, IMAGES)
    assert path.read_bytes() == before


def test_too_few_images_do_not_calibrate(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="7 images cannot calibrate a network"):
        quantise(written(tmp_path, 1), IMAGES[:7])
