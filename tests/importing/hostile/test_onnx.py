"""Files that are damaged, or made to do harm, get an error that names them; nothing outside of their folder is read."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from sitegen.errors import ModelError
from sitegen.importing.graph.folding import fold
from sitegen.importing.graph.reading import read_onnx
from sitegen.importing.sources.onnx_model import import_onnx
from tests.helpers.importing.onnx_models import graph, settings, small, written

SETTINGS = settings(3, colour="grey")


def refused(path: Path, message: str) -> str:
    with pytest.raises(ModelError, match=message) as caught:
        import_onnx(path, SETTINGS)
    assert path.name in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_file_that_is_cut_short(tmp_path: Path, share: float) -> None:
    raw = small().SerializeToString()
    (tmp_path / "net.onnx").write_bytes(raw[: int(share * len(raw))])
    refused(tmp_path / "net.onnx", r"cut short|no valid ONNX|no operators|does not hold")


@pytest.mark.parametrize(
    "content",
    [b"", b"PK\x03\x04" + b"\0" * 60, b"<html>not found</html>", b"\x0a" * 5000, b"\x12\x00" * 3000],
    ids=["nothing", "an archive", "a page", "nested", "repeated"],
)
def test_a_file_that_is_no_model(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "net.onnx").write_bytes(content)
    refused(tmp_path / "net.onnx", "net.onnx")


def test_a_file_that_is_not_there_and_a_folder(tmp_path: Path) -> None:
    refused(tmp_path / "net.onnx", "cannot be read")
    (tmp_path / "folder.onnx").mkdir()
    refused(tmp_path / "folder.onnx", "cannot be read")


def nested(depth: int) -> bytes:
    """The bytes of a graph within a graph, so many times."""

    def field(number: int, content: bytes) -> bytes:
        size, length = len(content), b""
        while size > 127:
            length, size = length + bytes([size & 127 | 128]), size >> 7
        return bytes([number << 3 | 2]) + length + bytes([size]) + content

    inner = b""
    for _ in range(depth):
        inner = field(1, field(4, b"If") + field(5, field(1, b"then_branch") + field(6, inner)))
    return field(7, inner)


@pytest.mark.parametrize("depth", [3, 20, 200, 5000])
def test_graphs_within_graphs_without_end(tmp_path: Path, depth: int) -> None:
    (tmp_path / "net.onnx").write_bytes(nested(depth))
    refused(tmp_path / "net.onnx", "net.onnx")


def external(model: onnx.ModelProto, location: str, offset: object = None, length: object = None) -> onnx.ModelProto:
    """Say of the first weights that they lie in another file."""
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", location), ("offset", offset), ("length", length)):
        if value is not None:
            tensor.external_data.add(key=key, value=str(value))
    return model


@pytest.mark.parametrize(
    "location",
    [
        "../../etc/passwd",
        "/etc/passwd",
        "weights/../../secret",
        "C:\\Windows\\win.ini",
        "..\\secret",
        "\\\\server\\share",
        "file:///etc/passwd",
    ],
)
def test_weights_outside_of_the_folder_are_not_read(tmp_path: Path, location: str) -> None:
    (tmp_path / "secret").write_bytes(b"\0" * 4096)
    (tmp_path / "model").mkdir()
    message = refused(written(external(small(), location), tmp_path / "model" / "net.onnx"), "That is not read")
    assert "'kernel'" in message
    assert repr(location) in message


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"\0" * 4096)
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "net.data").symlink_to(tmp_path / "secret")
    refused(written(external(small(), "net.data"), tmp_path / "model" / "net.onnx"), "That is not read")


@pytest.mark.parametrize(
    ("offset", "length"), [(0, 200), (100, 180), (-4, None), (0, 10**18), ("x", None), (2**63, None)]
)
def test_weights_that_are_not_where_they_should_be(tmp_path: Path, offset: int | str, length: int | None) -> None:
    (tmp_path / "net.data").write_bytes(b"\0" * 200)
    model = external(small(), "net.data", offset, length)  # the weights have 180 bytes
    refused(written(model, tmp_path / "net.onnx"), "'kernel' of 180 bytes are not in net.data, which has 200 bytes")


def test_weights_whose_file_is_missing(tmp_path: Path) -> None:
    refused(written(external(small(), "net.data"), tmp_path / "net.onnx"), "no such file")


@pytest.mark.parametrize("dims", [(10**9, 10**9), (-5, 9), (7, 7), (0,)])
def test_shapes_that_the_bytes_do_not_fill(tmp_path: Path, dims: tuple[int, ...]) -> None:
    model = small()
    del model.graph.initializer[0].dims[:]
    model.graph.initializer[0].dims.extend(dims)
    refused(written(model, tmp_path / "net.onnx"), "'?kernel'?|fit together")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_weights_that_are_no_numbers_are_named(tmp_path: Path, bad: float) -> None:
    model = small()
    values = numpy_helper.to_array(model.graph.initializer[2]).copy()
    values[1, 2] = bad
    model.graph.initializer[2].CopyFrom(numpy_helper.from_array(values, "matrix"))
    refused(written(model, tmp_path / "net.onnx"), "1 of the 15 numbers of the weights 'matrix' are NaN or infinite")


def test_masks_and_bounds_may_be_infinite(tmp_path: Path) -> None:
    mask = np.where(np.eye(3) > 0, 0, -np.inf).astype(np.float32)
    model = small(
        helper.make_node("Clip", ["z", "", "highest"], ["clipped"]),
        helper.make_node("Identity", ["clipped"], ["y"]),
        highest=np.array(np.inf, np.float32),
        mask=mask,
    )
    read = read_onnx(written(model, tmp_path / "net.onnx"))
    assert numpy_helper.to_array(read.graph.initializer[-1]).tolist() == mask.tolist()


@pytest.mark.parametrize("kind", [TensorProto.STRING, TensorProto.COMPLEX64, TensorProto.INT4, 99, 0])
def test_weights_that_are_no_plain_numbers(tmp_path: Path, kind: int) -> None:
    model = small()
    model.graph.initializer[0].data_type = kind
    refused(written(model, tmp_path / "net.onnx"), "'kernel' is of the type")


def test_operators_of_others_are_all_named(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("FusedConv", ["x", "w"], ["a"], domain="com.microsoft"),
        helper.make_node("Secret", ["a"], ["y"], domain="org.example"),
    ]
    model = graph(nodes, domains=["com.microsoft", "org.example"], w=np.ones((1, 1, 3, 3), np.float32))
    refused(written(model, tmp_path / "net.onnx"), r"com\.microsoft\.FusedConv, org\.example\.Secret")


def test_an_operator_that_does_not_exist(tmp_path: Path) -> None:
    refused(written(graph([helper.make_node("Conf", ["x"], ["y"])]), tmp_path / "net.onnx"), "Conf")


def test_nodes_that_need_each_other(tmp_path: Path) -> None:
    nodes = [helper.make_node("Add", ["x", "b"], ["a"]), helper.make_node("Relu", ["a"], ["b"])]
    nodes.append(helper.make_node("Flatten", ["b"], ["y"]))
    refused(written(graph(nodes), tmp_path / "net.onnx"), "no valid ONNX")


def test_constants_do_not_grow(tmp_path: Path) -> None:
    """A tensor of 4 GB that a few bytes describe is not computed."""
    nodes = [
        helper.make_node("ConstantOfShape", ["sizes"], ["huge"]),
        helper.make_node("ReduceMax", ["huge"], ["one"], keepdims=0),
        helper.make_node("Flatten", ["x"], ["flat"]),
        helper.make_node("MatMul", ["flat", "matrix"], ["z"]),
        helper.make_node("Add", ["z", "one"], ["y"]),
    ]
    model = graph(nodes, sizes=np.array([1 << 15, 1 << 15]), matrix=np.ones((64, 3), np.float32))
    read = read_onnx(written(model, tmp_path / "net.onnx"))
    fold(read)
    assert read.graph.node[0].op_type == "ConstantOfShape"
    assert sum(len(tensor.raw_data) for tensor in read.graph.initializer) < 2000


def test_functions_of_the_models_own_are_written_out(tmp_path: Path) -> None:
    inner = helper.make_function(
        "own", "Twice", ["a"], ["b"], [helper.make_node("Add", ["a", "a"], ["b"])], [helper.make_opsetid("", 18)]
    )
    model = small(helper.make_node("Twice", ["z"], ["y"], domain="own"))
    model.functions.append(inner)
    model.opset_import.append(helper.make_opsetid("own", 1))
    read = read_onnx(written(model, tmp_path / "net.onnx"))
    assert [node.op_type for node in read.graph.node][-1] == "Add"
    assert [entry.domain for entry in read.opset_import] == [""]
    assert not read.functions
    onnx.checker.check_model(read)
