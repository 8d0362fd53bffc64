"""Snapshots of a generator are measured against its training images, as `evaluate frechet` would."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from PIL import Image

from sitegen.evaluation.frechet.snapshots import snapshot_judge
from sitegen.training.generator.images import TrainingImages
from sitegen.training.generator.settings import generator_file


def _mean_grey(path: Path) -> None:
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 1, 32, 32])
    mean = helper.make_tensor_value_info("mean", TensorProto.FLOAT, [1, 1])
    nodes = [helper.make_node("ReduceMean", ["image"], ["mean"], axes=[2, 3], keepdims=0)]
    graph = helper.make_graph(nodes, "n", [image], [mean])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)


def _images(*greys: int) -> TrainingImages:
    pixels = np.stack([np.full((1, 32, 32), grey, np.uint8) for grey in greys])
    return TrainingImages(pixels, np.zeros(len(greys), np.int64), (), (), "key")


def _document(folder: Path, **snapshots: object) -> dict[str, object]:
    return {
        "name": "a",
        "preset": "tiny",
        "images": {"places": ["."]},
        "snapshots": snapshots,
        "folder": str(folder),
    }


def test_the_distance_is_that_of_the_features(tmp_path: Path) -> None:
    """Of means 51 and 153 of 255, and of 0 and 255: (0.4 - 0.5)² and the difference of deviations, squared."""
    _mean_grey(tmp_path / "n.onnx")
    made = tmp_path / "made"
    made.mkdir()
    for number, grey in enumerate((0, 255)):
        Image.fromarray(np.full((32, 32), grey, np.uint8)).save(made / f"{number}.png")
    judge = snapshot_judge(generator_file(_document(tmp_path, network="n.onnx")), _images(51, 153), tmp_path / "w", 1)
    assert judge is not None
    assert judge(made) == pytest.approx(0.1**2 + (0.5**0.5 - 0.4 / 2**0.5) ** 2, rel=1e-4)


def test_without_a_network_nothing_is_measured(tmp_path: Path) -> None:
    assert snapshot_judge(generator_file(_document(tmp_path)), _images(0), tmp_path) is None
