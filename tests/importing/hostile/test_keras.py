"""Models of Keras that are damaged, or made to do harm, get an error that names them; nothing of them is run."""

import json
import resource
import struct
import sys
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sitegen.errors import ModelError
from sitegen.importing.sources.keras_model import import_keras
from tests.helpers.importing.keras_models import configuration, save_archive, save_hdf5, save_tfjs, weights
from tests.helpers.importing.onnx_models import settings

Change = Callable[[dict[str, Any]], object]


def refused(path: Path, message: str) -> str:
    with pytest.raises(ModelError, match=message) as caught:
        import_keras(path, settings(3))
    assert str(path.name) in str(caught.value)
    return str(caught.value)


@pytest.fixture
def h5py() -> Any:
    return pytest.importorskip("h5py", reason="HDF5 files are read with h5py: pip install h5py")


def layer(document: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(each for each in document["config"]["layers"] if each["config"]["name"] == name)
    return found


def as_class(name: str, kind: str, **others: Any) -> Change:
    return lambda document: layer(document, name).update({"class_name": kind, **others})


def with_config(name: str, **config: Any) -> Change:
    return lambda document: layer(document, name)["config"].update(config)


def circle(document: dict[str, Any]) -> None:
    layer(document, "conv")["inbound_nodes"] = [[["deep", 0, 0, {}]]]


def within_itself(document: dict[str, Any]) -> None:
    inner = layer(document, "inner")
    for _ in range(40):
        inner = {"class_name": "Sequential", "config": {"name": "deeper", "layers": [inner]}}
    document["config"]["layers"] = [document["config"]["layers"][0], inner]
    document["class_name"] = "Sequential"


def many_times(document: dict[str, Any]) -> None:
    """Ten in ten in ten in ten in ten: a small file that stands for 100,000 layers."""
    inner: dict[str, Any] = {"class_name": "ReLU", "config": {"name": "six"}}
    for depth in range(5):
        copies = [{**inner, "config": {**inner["config"], "name": f"copy{at}"}} for at in range(10)]
        inner = {"class_name": "Sequential", "config": {"name": f"level{depth}", "layers": copies}}
    document["config"]["layers"] = [document["config"]["layers"][0], inner]
    document["class_name"] = "Sequential"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (as_class("six", "Lambda", config={"name": "six", "function": ["4wEAAAA=", None, None]}), "'six' is a Lambda"),
        (as_class("six", "Mine", module="evil.layers"), "'Mine' of evil.layers"),
        (as_class("six", "ReLU", registered_name="Mine>ReLU"), "'Mine>ReLU'"),
        (as_class("six", "Conv2D", module="os"), "of os"),
        (as_class("six", "TFOpLambda", config={"name": "six", "function": "io.read_file"}), "io.read_file"),
        (as_class("six", "LSTM"), "not known here"),
        (with_config("conv", activation={"class_name": "__lambda__", "config": {}}), "__lambda__"),
        (with_config("conv", activation={"class_name": "function", "config": "mine"}), "'mine'"),
        (with_config("conv", data_format="channels_first"), "channels come first"),
        (with_config("conv", strides=[10**9, 1]), "strides"),
        (with_config("conv", padding="causal"), "causal"),
        (with_config("conv", kernel_size=[5, 5]), "shape"),
        (with_config("norm", axis=1), "axis is 1"),
        (with_config("norm", epsilon="much"), "epsilon"),
        (with_config("six", threshold=1.0), "threshold"),
        (with_config("given", batch_input_shape=[None, 8, 8, 8, 1]), "not a batch of images"),
        (with_config("given", batch_input_shape="all"), "not a batch of images"),
        (with_config("inner", layers="none"), "no list of layers"),
        (lambda document: document.update(class_name="Lambda"), "Lambda"),
        (lambda document: document["config"].update(output_layers=[["nobody", 0, 0]]), "nobody"),
        (lambda document: document["config"].update(output_layers=[["dense", 0, 7]]), "no result 7"),
        (lambda document: document["config"].update(output_layers=[["given", 0, 0]]), "what it was given"),
        (with_config("inner", layers=[1, 2]), "no list of layers"),
        (circle, "in a circle"),
        (within_itself, "deep"),
        (many_times, "more than 5000 steps"),
    ],
)
def test_models_that_are_refused(tmp_path: Path, change: Change, message: str) -> None:
    document = configuration(2)
    change(document)
    refused(save_tfjs(tmp_path, weights(), document=document), message)


@pytest.mark.parametrize("name", ["/etc/hostname", "../outside.bin", "a.bin/../../outside.bin"])
def test_shards_outside_of_the_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / "outside.bin").write_bytes(b"secret")
    file = save_tfjs(tmp_path / "in", weights())
    document = json.loads(file.read_text())
    document["weightsManifest"][0]["paths"] = [name]
    file.write_text(json.dumps(document))
    refused(file, "outside of the model's folder")


def test_weights_that_are_missing_or_no_numbers(tmp_path: Path) -> None:
    given = weights()
    given["dense/bias"][1] = np.nan
    refused(save_tfjs(tmp_path / "nan", given), "NaN")
    del given["dense/bias"]
    refused(save_tfjs(tmp_path / "none", given), "no weights bias for the layer 'dense'")


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"{}", b"[" * 100_000, b"PK\x03\x04", b"\x89HDF\r\n\x1a\n", b"\x80"]
)
def test_files_that_are_none(tmp_path: Path, content: bytes, h5py: Any) -> None:
    for name in ("model.keras", "model.h5", "model.json"):
        (tmp_path / name).write_bytes(content)
        refused(tmp_path / name, "no model of Keras|damaged|no HDF5 file")


def test_an_archive_of_something_else(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "model.pt", "w") as archive:
        archive.writestr("model/data.pkl", b"cos\nsystem\n")
    refused(tmp_path / "model.pt", "sitegen import torch")


def test_an_archive_that_unpacks_without_end(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "model.keras", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", b" " * 70_000_000)
        archive.writestr("model.weights.h5", b"")
    refused(tmp_path / "model.keras", "unpacks to more than")


def with_weights(path: Path, h5py: Any, write: Callable[[Any, str], object]) -> Path:
    """A `.keras` whose first bias is written in another way."""
    save_archive(path, weights())
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    buffer = BytesIO(members["model.weights.h5"])
    with h5py.File(buffer, "r+") as file:
        place = "layers/conv2d/vars/1"
        del file[place]
        write(file, place)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in {**members, "model.weights.h5": buffer.getvalue()}.items():
            archive.writestr(name, content)
    return path


def test_weights_that_lie_elsewhere(tmp_path: Path, h5py: Any) -> None:
    other = tmp_path / "other.h5"
    with h5py.File(other, "w") as file:
        file["secret"] = np.zeros(4, np.float32)
    layout = h5py.VirtualLayout((4,), np.float32)
    layout[:] = h5py.VirtualSource(str(other), "secret", (4,))
    raw = tmp_path / "raw.bin"
    raw.write_bytes(bytes(16))
    ways: dict[str, Callable[[Any, str], object]] = {
        "is a link": lambda file, place: file.__setitem__(place, h5py.ExternalLink(str(other), "secret")),
        "link to": lambda file, place: file.__setitem__(place, h5py.SoftLink("/layers/dense/vars/1")),
        "another file": lambda file, place: file.create_virtual_dataset(place, layout),
        "in another file": lambda file, place: file.create_dataset(
            place, (4,), np.float32, external=[(str(raw), 0, 16)]
        ),
    }
    for at, (message, write) in enumerate(ways.items()):
        refused(with_weights(tmp_path / f"{at}.keras", h5py, write), message)


def test_weights_that_are_larger_than_their_file(tmp_path: Path, h5py: Any) -> None:
    def huge(file: Any, place: str) -> None:
        file.create_dataset(place, (300_000_000,), np.float32, chunks=(1000,))

    def wide(file: Any, place: str) -> None:
        file.create_dataset(place, (4,), np.float32, chunks=(100_000_000,), maxshape=(None,))

    for at, write in enumerate((huge, wide)):
        refused(with_weights(tmp_path / f"{at}.keras", h5py, write), "says that it has")
    texts = with_weights(tmp_path / "texts.keras", h5py, lambda file, place: file.__setitem__(place, ["a", "b"]))
    refused(texts, "not numbers")


def test_names_that_are_longer_than_their_file(tmp_path: Path, h5py: Any) -> None:
    """One text of 900 kB, which a list of 4,000 names leads to: 3.6 GB, in a file of 1 MB."""
    file = save_hdf5(tmp_path / "model.h5", weights())
    with h5py.File(file, "r+") as opened:
        group = opened["model_weights/conv"]
        group.attrs["long"] = "x" * 900_000
        group.attrs.create("weight_names", ["y"] * 4000, dtype=h5py.string_dtype())
    refused(file, "'weight_names' is not what Keras writes")


def test_a_file_of_nothing_that_links_to_itself(tmp_path: Path, h5py: Any) -> None:
    with h5py.File(tmp_path / "model.h5", "w") as file:
        file.attrs["model_config"] = json.dumps(configuration(2))
        file["model_weights"] = h5py.SoftLink("/model_weights")
    refused(tmp_path / "model.h5", "is a link")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux bounds what a process may have")
def test_a_text_that_says_it_is_longer_than_memory(tmp_path: Path, h5py: Any) -> None:
    """The library takes as much memory as the reference to a text says that it is long."""
    file = save_hdf5(tmp_path / "model.h5", weights())
    length = struct.pack("<I", len(json.dumps(configuration(2))))
    content = file.read_bytes()
    assert content.count(length) == 2  # the reference, and the text's own place
    for place in (content.find(length), content.rfind(length)):
        file.write_bytes(content[:place] + struct.pack("<I", 0xF0000000) + content[place + 4 :])
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        refused(file, "damaged")
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1_000_000  # kB; it says 4 GB
