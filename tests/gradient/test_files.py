"""One file of weights for both graphs, and the verb `sitegen gradient`."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper

from sitegen import gradient
from sitegen.gradient import GradientError
from sitegen.gradient.files import save
from tests.helpers.gradient.proof import values
from tests.helpers.gradient.small_network import IMAGE, SEED, assert_as_by_torch, network


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """The test network with all its weights in an external file."""
    path = tmp_path / "forward.onnx"
    onnx.save_model(network(), str(path), save_as_external_data=True, location="forward.weights", size_threshold=0)
    return path


def external(path: Path) -> dict[str, list[tuple[str, str]]]:
    tensors = onnx.load(str(path), load_external_data=False).graph.initializer
    return {tensor.name: [(entry.key, entry.value) for entry in tensor.external_data] for tensor in tensors}


def gradient_of(path: Path) -> np.ndarray:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(["grad_image"], {"image": IMAGE, "seed": SEED})[0]


def sitegen(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "sitegen.cli", *map(str, arguments)], capture_output=True, text=True)


def test_both_graphs_share_one_file_of_weights(source: Path) -> None:
    weights = source.with_name("forward.weights").read_bytes()
    out = source.with_name("gradient.onnx")
    assert save(gradient.compile(source, wrt="image"), out, source) == []
    before, after = external(source), external(out)
    assert {name: after[name] for name in before} == before
    assert [entries for name, entries in after.items() if name not in before] == [[]] * (len(after) - len(before))
    assert source.with_name("forward.weights").read_bytes() == weights
    assert sorted(path.name for path in source.parent.iterdir()) == ["forward.onnx", "forward.weights", "gradient.onnx"]
    assert_as_by_torch(gradient_of(out), "grad_image")


def test_constants_in_an_external_file_are_read_from_the_path_alone(tmp_path: Path) -> None:
    from tests.helpers.gradient.proof import one_node

    model = one_node("Slice", {"x": IMAGE}, {"starts": np.array([1]), "ends": np.array([3]), "axes": np.array([2])})
    path = tmp_path / "slice.onnx"
    onnx.save_model(model, str(path), save_as_external_data=True, location="slice.weights", size_threshold=0)
    assert gradient.compile(path, wrt="x").graph.output[1].name == "grad_x"
    content = onnx.load(str(path), load_external_data=False)
    with pytest.raises(GradientError, match="give the model's path instead of its content"):
        gradient.compile(content, wrt="x")


def test_weights_are_copied_to_another_folder_once(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "elsewhere" / "gradient.onnx"
    compiled = gradient.compile(source, wrt="image")
    assert save(compiled, out, source) == [out.with_name("forward.weights")]
    assert save(compiled, out, source) == []
    assert_as_by_torch(gradient_of(out), "grad_image")


def test_another_file_in_the_place_of_the_weights_is_kept(source: Path, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere" / "forward.weights"
    other.parent.mkdir()
    other.write_bytes(b"precious")
    with pytest.raises(GradientError, match="exists and is not the weights of"):
        save(gradient.compile(source, wrt="image"), other.with_name("gradient.onnx"), source)
    assert other.read_bytes() == b"precious"


def test_missing_weights_are_named(source: Path) -> None:
    compiled = gradient.compile(source, wrt="image")
    source.with_name("forward.weights").unlink()
    with pytest.raises(GradientError, match=r"forward\.weights, which is missing"):
        save(compiled, source.with_name("gradient.onnx"), source)


def test_weights_outside_the_folder_are_refused(source: Path) -> None:
    compiled = gradient.compile(source, wrt="image")
    for tensor in compiled.graph.initializer:
        for entry in tensor.external_data:
            if entry.key == "location":
                entry.value = "../forward.weights"
    with pytest.raises(GradientError, match="outside the model's folder"):
        save(compiled, source.with_name("gradient.onnx"), source)


def test_the_verb(source: Path) -> None:
    out = source.with_name("gradient.onnx")
    done = sitegen("gradient", source, "-o", out, "--also", "map", "--also", "pooled")
    assert (done.returncode, done.stderr) == (0, "")
    assert "output   grad_map [1, 3, 6, 6]" in done.stdout
    graph = onnx.load(str(out), load_external_data=False).graph
    assert [value.name for value in graph.output] == [
        "logits",
        "pooled",
        "grad_image",
        "map",
        "grad_map",
        "grad_pooled",
    ]
    assert_as_by_torch(gradient_of(out), "grad_image")


def test_the_verb_names_tensors_and_guides(source: Path) -> None:
    out = source.with_name("gradient.onnx")
    done = sitegen("gradient", source, "-o", out, "--wrt", "kernel", "--of", "pooled", "--guided", "--switch", "on")
    assert done.returncode == 0, done.stderr
    session = onnxruntime.InferenceSession(str(out), providers=["CPUExecutionProvider"])
    seed = np.abs(values(1, 3))  # nothing negative for the guided Relu to stop
    found = session.run(["grad_kernel"], {"image": IMAGE, "seed": seed, "on": np.array(True)})[0]
    assert_as_by_torch(found, "grad_kernel", seed, "pooled")


def test_the_verb_does_not_take_weights_for_inputs(tmp_path: Path) -> None:
    model = network()
    weights = [helper.make_tensor_value_info(tensor.name, 1, tensor.dims) for tensor in model.graph.initializer]
    model.graph.input.extend(weights)  # as exporters did before ONNX IR version 4
    onnx.save(model, str(tmp_path / "old.onnx"))
    done = sitegen("gradient", tmp_path / "old.onnx", "-o", tmp_path / "gradient.onnx")
    assert (done.returncode, done.stderr) == (0, "")
    assert_as_by_torch(gradient_of(tmp_path / "gradient.onnx"), "grad_image")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--wrt", "picture"], "no tensor 'picture'"),
        (["--guided", "--wrt", "map"], "guided changes nothing"),
        (["-o", "forward.onnx"], "is the model itself"),
    ],
)
def test_wrong_use_of_the_verb_gives_2(source: Path, arguments: list[str], message: str) -> None:
    arguments = [str(source.parent / entry) if entry.endswith(".onnx") else entry for entry in arguments]
    given = ["-o", source.with_name("gradient.onnx")] if "-o" not in arguments else []
    done = sitegen("gradient", source, *given, *arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not source.with_name("gradient.onnx").exists()
    assert onnx.load(str(source)).graph.node[0].name == "first"
