"""CIFAR-100 and MNIST in their publishers' files, which the tests make, and pickles that would run something."""

import gzip
import io
import pickle
import struct
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sitegen.data.layouts.class_folders import read_class_folders
from sitegen.data.unpacking.safe_pickle import load_plain
from sitegen.data.unpacking.unpack import idx_array, unpack, unpack_cifar100, unpack_mnist
from sitegen.errors import DataError

PLANES = np.random.default_rng(0).integers(0, 256, (3, 3072), dtype=np.uint8)


def string2(text: bytes) -> bytes:
    """A string as Python 2 pickles it."""
    return b"T" + struct.pack("<i", len(text)) + text


def array2(array: np.ndarray) -> bytes:
    """An array as Python 2 and NumPy 1 pickle it."""
    rows, columns = array.shape
    start = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\x85U\x01b\x87R"
    kind = b"cnumpy\ndtype\nU\x02u1K\0K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb"
    shape = b"M" + struct.pack("<H", rows) + b"M" + struct.pack("<H", columns) + b"\x86"
    return start + b"(K\x01" + shape + kind + b"\x89" + string2(array.tobytes()) + b"tb"


def dictionary2(**entries: bytes) -> bytes:
    return b"\x80\x02}(" + b"".join(string2(name.encode()) + value for name, value in entries.items()) + b"u."


def list2(*entries: bytes) -> bytes:
    return b"](" + b"".join(entries) + b"e"


def number2(value: int) -> bytes:
    return b"K" + bytes([value])


CIFAR = {
    "meta": dictionary2(fine_label_names=list2(string2(b"apple"), string2(b"aquarium_fish"))),
    "train": dictionary2(data=array2(PLANES[:2]), fine_labels=list2(number2(1), number2(0))),
    "test": dictionary2(data=array2(PLANES[2:]), fine_labels=list2(number2(1))),
}


def archive(path: Path, parts: dict[str, bytes] = CIFAR) -> Path:
    with tarfile.open(path, "w:gz") as out:
        for name, content in parts.items():
            member = tarfile.TarInfo(f"cifar-100-python/{name}")
            member.size = len(content)
            out.addfile(member, io.BytesIO(content))
    return path


def folder_of(path: Path, parts: dict[str, bytes] = CIFAR) -> Path:
    path.mkdir()
    for name, content in parts.items():
        (path / name).write_bytes(content)
    return path


@pytest.mark.parametrize("place", [archive, folder_of])
def test_cifar_becomes_a_folder_a_class(tmp_path: Path, place: Callable[[Path], Path]) -> None:
    assert unpack_cifar100(place(tmp_path / "cifar-100-python.tar.gz"), tmp_path / "out") == 3
    records = read_class_folders(tmp_path / "out")
    assert [(each.split, each.label, each.path.name) for each in records] == [
        ("test", "aquarium_fish", "00000.png"),
        ("train", "apple", "00001.png"),
        ("train", "aquarium_fish", "00000.png"),
    ]
    with Image.open(records[1].path) as image:
        assert image.mode == "RGB"
        # Published plane by plane: all red values, then green, then blue.
        assert np.array_equal(np.asarray(image)[:, :, 2].ravel(), PLANES[1, 2048:])
        assert image.getpixel((5, 1)) == tuple(PLANES[1, [37, 1024 + 37, 2048 + 37]])


def test_arrays_of_today_are_read_too() -> None:
    for protocol in (2, 3, 4):
        loaded = load_plain(pickle.dumps({"data": PLANES}, protocol))
        assert np.array_equal(np.asarray(loaded["data"]), PLANES)


class Runs:
    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return self.call


@pytest.mark.parametrize(
    "content",
    [
        pickle.dumps(Runs(exec, "raise SystemExit")),
        pickle.dumps(Runs(io.open, "made-by-a-pickle", "w")),
        pickle.dumps(np.arange(3.0)),
        pickle.dumps(np.array([{}], object)),
        pickle.dumps(np.asfortranarray(PLANES), 2),
        b"cos\nsystem\n(S'true'\ntR.",
        b"cnumpy\nload\n.",
        CIFAR["train"][:-100],
        b"",
    ],
)
def test_anything_else_in_a_pickle_is_refused(content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(pickle.UnpicklingError):
        load_plain(content)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"meta": pickle.dumps(Runs(exec, "raise SystemExit"))}, "meta cannot be read: it asks for builtins.exec"),
        ({"train": None}, "train cannot be read: the archive lacks it"),
        ({"train": dictionary2(data=array2(PLANES))}, r"train is not what CIFAR-100 has there \(b'fine_labels'\)"),
        (
            {"meta": dictionary2(fine_label_names=list2(string2(b"../../x"), string2(b"b")))},
            "a label is no plain word",
        ),
        ({"train": dictionary2(data=array2(PLANES), fine_labels=list2(number2(0)))}, "train is not what CIFAR-100"),
    ],
)
def test_an_archive_that_is_not_cifar(tmp_path: Path, changed: dict[str, bytes | None], message: str) -> None:
    parts = {name: content for name, content in (CIFAR | changed).items() if content is not None}
    with pytest.raises(DataError, match=message):
        unpack_cifar100(archive(tmp_path / "archive.tar.gz", parts), tmp_path / "out")
    assert not (tmp_path / "x").exists()


def idx(array: np.ndarray) -> bytes:
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


DIGITS = np.random.default_rng(1).integers(0, 256, (3, 28, 28), dtype=np.uint8)


def mnist(folder: Path, packed: bool = True) -> Path:
    files = {
        "train-images-idx3-ubyte": idx(DIGITS[:2]),
        "train-labels-idx1-ubyte": idx(np.array([7, 0], np.uint8)),
        "t10k-images-idx3-ubyte": idx(DIGITS[2:]),
        "t10k-labels-idx1-ubyte": idx(np.array([7], np.uint8)),
    }
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        if packed:
            (folder / f"{name}.gz").write_bytes(gzip.compress(content))
        else:
            (folder / name).write_bytes(content)
    return folder


@pytest.mark.parametrize("packed", [True, False])
def test_mnist_becomes_a_folder_a_digit(tmp_path: Path, packed: bool) -> None:
    mnist(tmp_path, packed)
    assert unpack_mnist(tmp_path, tmp_path / "out") == 3
    records = read_class_folders(tmp_path / "out")
    assert [(each.split, each.label) for each in records] == [("test", "7"), ("train", "0"), ("train", "7")]
    with Image.open(records[1].path) as image:
        assert np.array_equal(np.asarray(image), DIGITS[1])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\0\0\x0d\1\0\0\0\1abcd", "no IDX file of unsigned bytes"),
        (b"\0\0\x08\3\0\0\0\1", "ends within its header"),
        (b"\0\0\x08\1\0\0\0\5abcd", "cannot reshape"),
    ],
)
def test_an_idx_file_that_is_none(content: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        idx_array(content)


def test_mnist_with_a_file_missing_or_cut(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte cannot be read: .*No such file"):
        unpack_mnist(tmp_path, tmp_path / "out")
    packed = gzip.compress(idx(np.zeros((1, 28, 28), np.uint8)))
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(packed[:-10])
    with pytest.raises(DataError, match="train-images-idx3-ubyte cannot be read: Compressed file ended"):
        unpack_mnist(tmp_path, tmp_path / "out")


def test_a_file_that_unpacks_to_more_than_any_part_has_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sitegen.data.unpacking.unpack._LARGEST", 1_000)
    mnist(tmp_path / "digits")
    with pytest.raises(DataError, match="train-images-idx3-ubyte cannot be read: unpacked it has more than 1,000"):
        unpack_mnist(tmp_path / "digits", tmp_path / "out")
    with pytest.raises(DataError, match="cannot be read: unpacked it has more than 1,000 bytes"):
        unpack_cifar100(archive(tmp_path / "cifar.tar.gz"), tmp_path / "others")


@pytest.mark.parametrize(("place", "name"), [(archive, "CIFAR-100"), (folder_of, "CIFAR-100"), (mnist, "MNIST")])
def test_which_of_the_two_it_is_is_told_by_the_content(
    tmp_path: Path, place: Callable[[Path], Path], name: str
) -> None:
    out = tmp_path / "out"
    assert unpack(place(tmp_path / "download"), out) == (name, 3)
    assert len(list(out.rglob("*.png"))) == 3
    with pytest.raises(DataError, match=r"out is not an empty folder\. Name another"):
        unpack(tmp_path / "download", out)


def test_what_is_neither_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.tar.gz").write_text("no archive")
    with tarfile.open(tmp_path / "other.tar", "w") as out:
        out.add(tmp_path / "text.tar.gz", "cifar-10-batches-py/text")
    (tmp_path / "empty").mkdir()
    for name in ("text.tar.gz", "other.tar", "empty", "none"):
        with pytest.raises(DataError, match=rf"{name} is neither CIFAR-100 .* nor MNIST"):
            unpack(tmp_path / name, tmp_path / "out")
    assert not (tmp_path / "out").exists()
