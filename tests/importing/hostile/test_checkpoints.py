"""Files that are no honest checkpoints: clear errors, and nothing in them is run."""

import os
import pickle
import struct
import zipfile
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from sitegen.errors import ModelError
from sitegen.importing.checkpoint.pickled_network import read_pickled_network
from sitegen.importing.checkpoint.safe_checkpoint import read_checkpoint
from sitegen.importing.settings import ImportSettings, LabelSettings
from sitegen.importing.source import ImportedClassifier
from sitegen.importing.sources.chexnet import import_chexnet
from sitegen.importing.sources.torch_model import import_torch, import_torchscript
from sitegen.importing.sources.torchxrayvision import import_torchxrayvision
from tests.helpers.importing.checkpoints import SIDE, Small, randomised

SETTINGS = ImportSettings(image={"side": SIDE}, labels=tuple(LabelSettings(name) for name in "ABC"))
HERE = Path(__file__).parents[2] / "helpers" / "importing" / "checkpoints.py"


def imported(file: Path) -> ImportedClassifier:
    return import_torch(file, SETTINGS, f"{HERE}:Small")


def good() -> dict[str, Tensor]:
    return randomised(Small()).state_dict()


class Command:
    """As it is unpickled, a command runs."""

    def __init__(self, line: str) -> None:
        self.line = line

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (self.line,)


class Memory:
    """As it is unpickled, it takes a terabyte."""

    def __reduce__(self) -> tuple[type, tuple[int]]:
        return bytearray, (1 << 40,)


def _plain(protocol: int) -> Callable[[Any, Path], object]:
    return lambda content, file: file.write_bytes(pickle.dumps(content, protocol))


WRITERS: dict[str, Callable[[Any, Path], object]] = {
    "torch.save": torch.save,
    "torch.save before 2020": lambda content, file: torch.save(content, file, _use_new_zipfile_serialization=False),
    "torch.save, protocol 4": lambda content, file: torch.save(content, file, pickle_protocol=4),
    "pickle, protocol 0": _plain(0),
    "pickle, protocol 2": _plain(2),
    "pickle, protocol 5": _plain(5),
}
SOURCES: dict[str, Callable[[Path], object]] = {
    "torch": imported,
    "torchscript": lambda file: import_torchscript(file, SETTINGS),
    "chexnet": lambda file: import_chexnet(file, SETTINGS),
    "torchxrayvision": lambda file: import_torchxrayvision(file, SETTINGS),
    "pickled network": lambda file: read_pickled_network(file, r"torch\.nn\..*"),
}


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("writer", WRITERS)
def test_code_in_a_pickle_is_named_and_not_run(tmp_path: Path, writer: str, source: str) -> None:
    file, trace = tmp_path / "model.pt", tmp_path / "was-run"
    WRITERS[writer]({"state_dict": {"weight": Command(f"touch {trace}")}}, file)
    refusal = "is no TorchScript archive" if source == "torchscript" else rf"asks for {os.name}\.system, which is "
    with pytest.raises(ModelError, match=refusal) as caught:
        SOURCES[source](file)
    assert source != "torch" or "torch.save(model.state_dict(), 'weights.pt')" in str(caught.value)
    assert not trace.exists()
    # The file is what it is taken for: unpickled as such files used to be, it runs its command.
    if writer.startswith("pickle"):
        pickle.loads(file.read_bytes())  # noqa: S301
        assert trace.exists()


def test_a_pickle_that_would_take_all_memory_is_refused(tmp_path: Path) -> None:
    torch.save({"weight": Memory()}, tmp_path / "model.pt")
    with pytest.raises(ModelError, match=r"asks for (__builtin__|builtins)\.bytearray"):
        imported(tmp_path / "model.pt")


def test_a_whole_network_is_refused_with_the_way_to_convert_it(tmp_path: Path) -> None:
    torch.save(nn.Sequential(nn.Linear(2, 2)), tmp_path / "model.pt")
    with pytest.raises(
        ModelError, match=r"asks for torch\.nn\.modules\.container\.Sequential, .*save the weights alone"
    ):
        imported(tmp_path / "model.pt")


def test_an_archive_that_unpacks_to_much_more_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "model.pt"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", pickle.dumps({}, 2))
        archive.writestr("archive/version", "3\n")
        archive.writestr("archive/data/0", bytes(80 << 20))
    assert file.stat().st_size < 100_000
    with pytest.raises(ModelError, match=r"would unpack to 838860\d\d, in 3 members"):
        imported(file)


def test_an_archive_whose_members_overlap_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "model.pt"
    torch.save({"weight": torch.zeros(50_000)}, file)
    content = bytearray(file.read_bytes())
    # The index at the end names the same 200 kB again and again.
    end = content.rindex(b"PK\x05\x06")
    size, start = struct.unpack("<LL", content[end + 12 : end + 20])
    entry = next(
        bytes(part)
        for part in _entries(content[start : start + size])
        if struct.unpack("<L", part[24:28])[0] == 200_000
    )
    index = entry * 40
    rest = struct.pack("<4sHHHHLLH", b"PK\x05\x06", 0, 0, 40, 40, len(index), start, 0)
    file.write_bytes(content[:start] + index + rest)
    with pytest.raises(ModelError, match="would unpack to 8000000, in 40 members"):
        imported(file)


def _entries(index: bytearray) -> list[bytearray]:
    parts, at = [], 0
    while at < len(index):
        length = 46 + sum(struct.unpack("<HHH", index[at + 28 : at + 34]))
        parts.append(index[at : at + length])
        at += length
    return parts


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.9, 0.999])
@pytest.mark.parametrize("archive", [True, False], ids=["archive", "before 2020"])
def test_cut_off_files_are_refused(tmp_path: Path, archive: bool, share: float) -> None:
    file = tmp_path / "model.pt"
    torch.save(good(), file, _use_new_zipfile_serialization=archive)
    content = file.read_bytes()
    file.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ModelError, match=r"model\.pt (is|cannot|holds)"):
        imported(file)


def test_damage_inside_an_archive_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "model.pt"
    torch.save(good(), file)
    content = file.read_bytes()
    at = content.index(b"first.weight")
    file.write_bytes(content[: at - 40] + bytes(40) + content[at:])
    with pytest.raises(ModelError, match=r"model\.pt (is|cannot)"):
        imported(file)


@pytest.mark.parametrize("content", [b"", b"a text", b"PK\x03\x04", b"\x80\x04.", bytes(1000), b"\x89PNG\r\n\x1a\n"])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "model.pt").write_bytes(content)
    with pytest.raises(ModelError, match=r"model\.pt (is|cannot)"):
        imported(tmp_path / "model.pt")


def test_an_archive_of_something_else_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "model.pt", "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(ModelError, match=r"without data\.pkl, so not one of torch\.save"):
        imported(tmp_path / "model.pt")


def test_no_file_at_all(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"none\.pt cannot be read: No such file"):
        imported(tmp_path / "none.pt")


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([1, 2], "holds a list, not the weights of a network by name"),
        ({"epoch": 3, "optimizer": {}}, "holds epoch, optimizer, and none of it is the weights"),
        ({}, "holds nothing, and none of it is the weights"),
        ({"first.weight": torch.zeros(1), "epoch": 3}, "has among its weights what is no tensor: epoch"),
    ],
)
def test_files_without_weights_are_refused(tmp_path: Path, document: object, message: str) -> None:
    torch.save(document, tmp_path / "model.pt")
    with pytest.raises(ModelError, match=message):
        imported(tmp_path / "model.pt")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"first.weight": torch.ones(6, 1, 3, 3, dtype=torch.int8)},
            r"'first\.weight' are int8, and a network computes",
        ),
        ({"last.bias": torch.ones(3, dtype=torch.complex64)}, r"'last\.bias' are complex64"),
        ({"last.bias": torch.ones(3).to_sparse()}, r"model\.pt asks for torch\._utils\._rebuild_sparse_tensor"),
        (
            {"last.bias": torch.tensor([0, float("nan"), 1])},
            r"1 of the 3 numbers of the weights 'last\.bias' are NaN or inf",
        ),
        (
            {"norm.running_var": torch.full((6,), float("inf"))},
            r"6 of the 6 numbers of the weights 'norm\.running_var'",
        ),
        ({"last.weight": torch.zeros(3, 7)}, r"other shapes than the network: last\.weight \[3, 7\] for \[3, 6\]"),
        # One number that says it is a hundred billion: told from its shape, never written out.
        ({"last.bias": torch.zeros(1).expand(10**11)}, r"last\.bias \[100000000000\] for \[3\]"),
        ({"extra.weight": torch.zeros(1)}, r"1 are not the network's \(extra\.weight\)"),
        (
            {"last.bias": torch.full((3,), 1e300, dtype=torch.float64)},
            r"3 of the 3 numbers of the weights 'last\.bias'",
        ),
    ],
)
def test_weights_that_no_network_has_are_named(tmp_path: Path, change: dict[str, Tensor], message: str) -> None:
    torch.save({**good(), **change}, tmp_path / "model.pt")
    with pytest.raises(ModelError, match=message):
        imported(tmp_path / "model.pt")


def test_missing_weights_are_named(tmp_path: Path) -> None:
    weights = {name: value for name, value in good().items() if not name.startswith("norm.")}
    torch.save(weights, tmp_path / "model.pt")
    with pytest.raises(
        ModelError, match=r"4 of the network's 9 weights are missing \(norm\.weight, norm\.bias, norm\."
    ):
        imported(tmp_path / "model.pt")


def test_a_tensor_beyond_its_numbers_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "model.pt"
    torch.save({"weight": torch.zeros(4, 3)}, file, _use_new_zipfile_serialization=False)
    content = file.read_bytes()
    # Its shape, (4, 3), as the pickle has it.
    assert content.count(b"K\x04K\x03\x86") == 1
    file.write_bytes(content.replace(b"K\x04K\x03\x86", b"K\xf4K\x03\x86"))
    with pytest.raises(ModelError, match="cannot be read as data: storage has wrong byte size"):
        read_checkpoint(file)


def test_safetensors_are_checked_too(tmp_path: Path) -> None:
    library = pytest.importorskip("safetensors.torch")
    file = tmp_path / "model.safetensors"
    library.save_file({**good(), "last.bias": torch.tensor([0, float("nan"), 1])}, str(file))
    with pytest.raises(ModelError, match=r"'last\.bias' are NaN or infinite"):
        imported(file)
    file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(ModelError, match="is no safetensors file, or is damaged"):
        imported(file)


def test_a_torchscript_archive_is_not_run_unless_it_is_named_as_one(tmp_path: Path) -> None:
    file = tmp_path / "model.pt"
    torch.jit.save(torch.jit.script(nn.Linear(2, 2)), file)
    with pytest.raises(ModelError, match="is a TorchScript archive: a program, not weights alone"):
        imported(file)


@pytest.mark.parametrize("second", ["archive/data.pkl", "other/data.pkl", "archive/data/0"])
def test_an_archive_in_which_readers_would_find_different_things(tmp_path: Path, second: str) -> None:
    file = tmp_path / "a.pt"
    torch.save(good(), file)
    with zipfile.ZipFile(file) as archive:
        prefix = archive.namelist()[0].partition("/")[0]
    with zipfile.ZipFile(file, "a") as archive, pytest.warns(UserWarning) if "other" not in second else nullcontext():
        archive.writestr(second.replace("archive", prefix), pickle.dumps({}))
    with pytest.raises(ModelError, match="more than one"):
        read_checkpoint(file)
    with pytest.raises(ModelError, match="more than one"):
        read_pickled_network(file, "a")
