"""TensorFlow.js models that are damaged, or made to do harm, get an error that names them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sitegen.errors import ModelError
from sitegen.importing.sources.tfjs_model import import_tfjs
from tests.helpers.importing.onnx_models import settings
from tests.helpers.importing.tfjs_models import ChannelsFirst, Model, dense_classifier, mobile_classifier, text


def refused(path: Path, message: str) -> str:
    with pytest.raises(ModelError, match=message) as caught:
        import_tfjs(path, settings(4, side=32))
    return str(caught.value)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return mobile_classifier().save(tmp_path / "model")


def change(file: Path, function: Callable[[Any], object]) -> None:
    document = json.loads(file.read_text())
    function(document)
    file.write_text(json.dumps(document))


def entry(document: Any, index: int = 0) -> Any:
    return document["weightsManifest"][0]["weights"][index]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no JSON"),
        (b"{", "no JSON"),
        (b"\xff\xfe\x00", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"[]", "it is a list"),
        (b"{}", "no modelTopology"),
        (b'{"modelTopology": {"node": 5}}', "no modelTopology"),
        (b'{"modelTopology": {"node": []}, "weightsManifest": []}', "no outputs"),
        (b'{"modelTopology": {"node": [1]}, "weightsManifest": []}', "a node that is none"),
        (b'{"modelTopology": {"node": [{"name": "a"}]}, "weightsManifest": []}', "a node that is none"),
        (b'{"format": "layers-model", "modelTopology": {"model_config": {}}}', "sitegen import keras"),
    ],
)
def test_documents_that_are_no_graph_model(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "model.json").write_bytes(content)
    assert "model.json" in refused(tmp_path, message)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    refused(tmp_path / "model.json", "cannot be read")


@pytest.mark.parametrize("change_by", [-1, -500, 1])
def test_shards_of_another_size(file: Path, change_by: int) -> None:
    shard = file.parent / "group1-shard1of1.bin"
    raw = shard.read_bytes()
    shard.write_bytes(raw[:change_by] if change_by < 0 else raw + b"\0")
    message = refused(file, f"its weights have {len(raw)} bytes")
    assert f"'group1-shard1of1.bin': {len(raw) + change_by}" in message


@pytest.mark.parametrize(
    "place", ["/etc/passwd", "../secret.bin", "a/../../secret.bin", "C:\\secret.bin", "https://example.org/secret.bin"]
)
def test_shards_outside_of_the_folder_are_not_read(file: Path, place: str) -> None:
    (file.parent.parent / "secret.bin").write_bytes(b"\0" * 10)
    change(file, lambda document: document["weightsManifest"][0].update(paths=[place]))
    refused(file, "That is not read")


def test_a_link_out_of_the_folder_is_not_followed(file: Path) -> None:
    (file.parent / "group1-shard1of1.bin").rename(file.parent.parent / "elsewhere.bin")
    (file.parent / "group1-shard1of1.bin").symlink_to(file.parent.parent / "elsewhere.bin")
    refused(file, "That is not read")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"shape": [10**6, 10**6]}, "more than a page can hold"),
        ({"shape": [10**30]}, "more than a page can hold"),
        ({"shape": [-1, 3]}, "no valid weightsManifest"),
        ({"shape": "many"}, "no valid weightsManifest"),
        ({"shape": None}, "no valid weightsManifest"),
        ({"dtype": "string"}, "string stored as string"),
        ({"dtype": "complex64"}, "complex64 stored as complex64"),
        ({"dtype": "float16"}, "float16 stored as float16"),
        ({"quantization": {"dtype": "uint4", "min": 0, "scale": 1}}, "float32 stored as uint4"),
        ({"quantization": {"dtype": "uint8"}}, "no valid weightsManifest"),
        ({"quantization": {"dtype": "uint8", "min": "x", "scale": 1}}, "no valid weightsManifest"),
    ],
)
def test_weights_that_cannot_be(
    file: Path, values: dict[str, list[int] | str | dict[str, Any] | None], message: str
) -> None:
    change(file, lambda document: entry(document).update(values))
    refused(file, message)


@pytest.mark.parametrize(
    "manifest", [None, 5, [5], [{}], [{"paths": 5, "weights": 5}], [{"paths": [], "weights": [5]}]]
)
def test_manifests_that_are_none(file: Path, manifest: Any) -> None:
    change(file, lambda document: document.update(weightsManifest=manifest))
    refused(file, "no valid weightsManifest")


def test_weights_that_are_missing_are_named(file: Path) -> None:
    def drop(document: Any) -> None:
        group = document["weightsManifest"][0]
        gone = group["weights"].pop()
        shard = file.parent / group["paths"][0]
        shard.write_bytes(shard.read_bytes()[: -4 * int(np.prod(gone["shape"]))])

    gone = json.loads(file.read_text())["weightsManifest"][0]["weights"][-1]["name"]
    change(file, drop)
    refused(file, f"lists no weights for {gone}")


def test_weights_that_are_no_numbers_are_named(tmp_path: Path) -> None:
    for bad in (np.nan, np.inf):
        model = mobile_classifier()
        name = next(name for name, values in model.weights.items() if values.shape == (4,))
        model.weights[name][1] = bad
        refused(model.save(tmp_path / "model"), f"the weights '{name}' have numbers that are NaN or infinite")


def test_operators_that_are_not_known_are_all_named(tmp_path: Path) -> None:
    model = Model()
    maps = model.image(1, 32, 32, 3)
    model.node("Softmax", model.node("ReadFile", model.node("Einsum", model.node("Relu", maps))))
    refused(model.save(tmp_path / "model"), "Einsum, ReadFile")


def test_nodes_that_need_each_other(file: Path) -> None:
    def turn(document: Any) -> None:
        nodes = document["modelTopology"]["node"]
        first = next(node for node in nodes if node["op"] == "Relu6")
        first["input"] = [next(node["name"] for node in nodes if node["op"] == "Softmax")]

    change(file, turn)
    change(file, lambda document: document.update(signature={"outputs": {"a": {"name": "shares:0"}}}))
    refused(file, "needs its own result")


@pytest.mark.parametrize(
    ("operator", "attributes", "message"),
    [
        ("Softmax", {"input": ["nowhere"]}, "no node 'nowhere'"),
        ("Softmax", {"input": ["relu6_1:1"]}, "further outputs"),
        ("Conv2D", {"attr": {}}, "attribute 'strides' is missing"),
        ("Conv2D", {"attr": {"strides": {"list": {"i": ["a", "b"]}}}}, "not those of the operator"),
        ("Conv2D", {"attr": {"strides": {"list": {"i": ["1", "1", "1", "1"]}}}}, "the padding '' is not known"),
        ("Conv2D", {"attr": {"data_format": {"s": "!"}}}, "no text in base64"),
        ("Mean", {"input": ["addv2_1"]}, "no node"),
        ("FusedBatchNormV3", {"attr": {"is_training": {"b": True}}}, "set to training"),
        ("Placeholder", {"attr": {"shape": {"shape": {"dim": [{"size": "x"}]}}}}, "its shape is none"),
        ("Placeholder", {"attr": {"shape": {"shape": {"dim": [{"size": "5"}]}}}}, "four axes"),
    ],
)
def test_nodes_that_say_what_is_not(file: Path, operator: str, attributes: dict[str, Any], message: str) -> None:
    def turn(document: Any) -> None:
        next(node for node in document["modelTopology"]["node"] if node["op"] == operator).update(attributes)

    change(file, turn)
    change(file, lambda document: document.update(signature={"outputs": {"a": {"name": "shares:0"}}}))
    refused(file, message)


def test_several_inputs_and_nodes_of_one_name(tmp_path: Path) -> None:
    model = ChannelsFirst()
    model.normal(3)
    model.node("Add", model.image(1, 3, 8, 8), model.node("Placeholder", name="age"), name="both")
    refused(model.save(tmp_path / "inputs", ["both"]), r"\['input', 'age'\]")
    twice = dense_classifier()
    twice.nodes.append(twice.nodes[0])
    refused(twice.save(tmp_path / "twice"), "of the same name")


def test_an_output_that_is_what_was_given(tmp_path: Path) -> None:
    model = Model()
    constant = model.normal(1, 4)
    model.node("Add", model.image(1, 3, 8, 8), constant, data_format=text("NHWC"))
    refused(model.save(tmp_path / "model", ["input"]), "what was given")
