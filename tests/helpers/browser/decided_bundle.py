"""A bundle whose gradient graphs take the decisions that native ONNX Runtime took for one image, whatever they get.

A rectifier's gradient goes by the sign of what it put out, and a maximum's by its place. Near a tie, two engines decide
differently, and gradients differ by far more than rounding. With the decisions as constants of the graphs, every engine
takes the same, and rounding alone is left to compare. Forward halves are as they were.
"""

import shutil
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from sitegen.bundle import Bundle, describe_files, load_bundle, write_description
from sitegen.bundle.description import Role
from sitegen.prediction import Predictor

DECISIONS = {
    "Greater",
    "Less",
    "Equal",
}  # the rules of Relu, Clip and MaxPool write them; nothing else in these graphs does
ROLES: tuple[Role, ...] = ("gradient", "cam", "guided")
Feeds = dict[str, np.ndarray]


def decided_bundle(bundle: Bundle, image: bytes, folder: Path) -> Bundle:
    """Copy a bundle into a folder, with the decisions taken for this image's bytes as constants."""
    shutil.copytree(bundle.folder, folder)
    explained = Predictor(bundle).explain(image, [], force=True)
    assert explained.seen is not None
    for role in ROLES:
        file = bundle.description.graphs[role].file
        (entry,) = bundle.description.graphs[role].images
        values = np.array(explained.seen.image.values, np.float32).reshape(entry.shape)
        _decide(folder / file, entry.name, values)
    description = bundle.description
    files = describe_files(folder, sorted(description.files))
    write_description(folder, description.model_copy(update={"files": files}))
    return load_bundle(folder)


def decisions(model: onnx.ModelProto) -> list[onnx.NodeProto]:
    """The nodes of a graph that decide something."""
    return [node for node in model.graph.node if node.op_type in DECISIONS]


def _decide(path: Path, name: str, image: np.ndarray) -> None:
    """Write a graph anew, with the results that its decisions have for an image in place of the decisions."""
    model = onnx.load(str(path), load_external_data=False)
    deciding = decisions(model)
    taken = _results(path, model, [node.output[0] for node in deciding], {name: image})
    for node in deciding:
        model.graph.node.remove(node)
    model.graph.initializer.extend(numpy_helper.from_array(value, output) for output, value in taken.items())
    path.write_bytes(model.SerializeToString(deterministic=True))
    onnx.checker.check_model(str(path), full_check=True)


def _results(
    path: Path, model: onnx.ModelProto, names: list[str], feeds: dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """The values of tensors within a graph, whatever the seed is: no decision depends on it."""
    if not names:
        return {}
    observed = onnx.ModelProto()
    observed.CopyFrom(model)
    observed.graph.output.extend(helper.make_tensor_value_info(name, TensorProto.BOOL, None) for name in names)
    beside = path.with_suffix(".observed")  # beside the weights, which it names
    beside.write_bytes(observed.SerializeToString())
    session = onnxruntime.InferenceSession(str(beside), providers=["CPUExecutionProvider"])
    beside.unlink()
    (seed,) = (entry for entry in session.get_inputs() if entry.name not in feeds)
    values = session.run(names, {**feeds, seed.name: np.ones(seed.shape, np.float32)})
    return dict(zip(names, values, strict=True))
