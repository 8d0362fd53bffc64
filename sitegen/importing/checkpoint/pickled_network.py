"""Whole networks that torch.save pickled, as data: their weights by name, and what else they keep. No code is run.

Where a pickle asks for a class of networks it gets a stand-in that only keeps what it is given, so that the library
with the network's code is not even needed. `torch.load` with `weights_only` reads no such file of before 2020, whose
format PyTorch describes in `torch.serialization`: pickles of a magic number, a version, the system and the object, the
list of storages, then each storage's length and numbers.
"""

import io
import pickle
import re
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import torch
from torch import Tensor

from sitegen.errors import ModelError
from sitegen.importing.checkpoint.archive import check_archive

_MAGIC, _VERSION = 0x1950A86A20F9469CFC6C, 1001
_TYPES = {
    "DoubleStorage": torch.float64,
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}
_DEEP = 64  # networks inside networks


@dataclass(frozen=True)
class PickledNetwork:
    """The tensors of a network by name, as `state_dict` would give them, and its other attributes."""

    weights: dict[str, Tensor]
    attributes: Mapping[str, object]


@dataclass(frozen=True)
class _Storage:
    kind: torch.dtype


def read_pickled_network(file: Path, classes: str) -> PickledNetwork:
    """Return what a pickled network keeps.

    `classes` is a regular expression for the full names of those that get a stand-in, as in "torch.nn.modules.conv.
    Conv2d"; names of all that are needed for tensors are known. Raises ModelError where the pickle asks for anything
    else, is no network, or is damaged.
    """
    try:
        network = unpickled(file, lambda stream, storage: DataUnpickler(stream, classes, storage))
        weights: dict[str, Tensor] = {}
        _collect(network, "", weights)
    except ModelError:
        raise
    except Exception as error:  # a hostile or damaged pickle can fail in any way that a program can
        raise ModelError(f"{file} cannot be read as a pickled network: {error or type(error).__name__}.") from error
    if not weights:
        raise ModelError(f"{file} holds no network: there are no weights in it.")
    kept = vars(network)
    return PickledNetwork(weights, {name: value for name, value in kept.items() if not name.startswith("_")})


Storages = Callable[[torch.dtype, str, int], Tensor]
Make = Callable[[IO[bytes], Storages], pickle.Unpickler]


def unpickled(file: Path, make: Make) -> object:
    """Return what is in a file of torch.save, of any version, read by the unpickler that `make` returns.

    Raises ModelError, and what an unpickler does for what it does not know or what is damaged.
    """
    with file.open("rb") as stream:
        archive = stream.read(4) == b"PK\x03\x04"
        stream.seek(0)
        return _from_archive(file, make) if archive else _from_stream(stream, file.stat().st_size, make)


def _from_archive(file: Path, make: Make) -> object:
    names = check_archive(file)
    pickled = next((name for name in names if name.partition("/")[2] == "data.pkl"), None)
    if pickled is None:
        raise ModelError(f"{file} is an archive without data.pkl, so not one of torch.save.")
    with zipfile.ZipFile(file) as archive:

        def storage(kind: torch.dtype, key: str, count: int) -> Tensor:
            content = archive.read(f"{pickled.partition('/')[0]}/data/{key}")
            if not count:
                return torch.zeros(0, dtype=kind)
            return torch.frombuffer(bytearray(content), dtype=kind, count=count)

        return make(io.BytesIO(archive.read(pickled)), storage).load()


def _from_stream(stream: IO[bytes], size: int, make: Make) -> object:
    """Read the format of before 2020, in which tensors come before their numbers."""
    storages: dict[str, Tensor] = {}

    def storage(kind: torch.dtype, key: str, count: int) -> Tensor:
        if not 0 <= count * kind.itemsize <= size:
            raise pickle.UnpicklingError(f"a storage of {count} numbers does not fit into the file")
        return storages.setdefault(key, torch.zeros(count, dtype=kind))

    def load() -> Any:
        return make(stream, storage).load()

    magic, version, _ = load(), load(), load()
    if (magic, version) != (_MAGIC, _VERSION):
        raise pickle.UnpicklingError("it does not begin as torch.save does")
    network = load()
    for key in load():
        numbers = storages[str(key)]
        count = int.from_bytes(stream.read(8), "little")
        content = stream.read(numbers.nbytes)
        if count != numbers.numel() or len(content) != numbers.nbytes:
            raise pickle.UnpicklingError("it is cut off, or its storages have other lengths than it says")
        if count:
            numbers.copy_(torch.frombuffer(bytearray(content), dtype=numbers.dtype))
    return network


class DataUnpickler(pickle.Unpickler):
    """Knows what tensors are made of, and stand-ins for networks."""

    def __init__(self, stream: IO[bytes], classes: str, storage: Storages) -> None:
        super().__init__(stream, encoding="utf-8")
        self._classes, self._storage = re.compile(classes), storage

        class StandIn:
            """Keeps its state. Each unpickler has its own, so that no pickle changes the next one's."""

            def __init__(self, *_: object) -> None:
                pass

        self._stand_in = StandIn

    def find_class(self, module: str, name: str) -> Any:
        """Return what stands for a name. Raises UnpicklingError for any other."""
        match module, name:
            case ("collections", "OrderedDict"):
                return OrderedDict
            case ("builtins" | "__builtin__", "set"):
                return set
            case ("torch._utils", "_rebuild_tensor" | "_rebuild_tensor_v2"):
                return _tensor
            case ("torch._utils", "_rebuild_parameter"):
                return _parameter
            case ("torch" | "torch.cuda", name) if name in _TYPES:
                return _Storage(_TYPES[name])
        if self._classes.fullmatch(f"{module}.{name}"):
            return self._stand_in
        raise pickle.UnpicklingError(f"it asks for {module}.{name}, which is not data; it was not run")

    def persistent_load(self, pid: Any) -> Any:
        """Return a storage, or the stand-in of a class that the file keeps the source of."""
        match pid:
            case ("storage", _Storage(kind), key, _, int(count), *rest) if not any(rest):
                return self._storage(kind, str(key), count)
            case ("module", kind, *_) if kind is self._stand_in:
                return kind
        raise pickle.UnpicklingError("it refers to something that is neither numbers nor a network")


def _tensor(storage: Any, offset: Any, size: Any, stride: Any, *_: object) -> Tensor:
    """Return part of a storage; torch checks that it lies inside."""
    if not isinstance(storage, Tensor):
        raise pickle.UnpicklingError("a tensor has no storage")
    return storage.as_strided(tuple(size), tuple(stride), offset)


def _parameter(tensor: Any, *_: object) -> Any:
    return tensor


def _collect(network: object, place: str, weights: dict[str, Tensor]) -> None:
    """Put the tensors of a network, and of those inside of it, under their names."""
    if place.count(".") > _DEEP or not hasattr(network, "__dict__"):
        raise ModelError(f"{place or 'the pickle'} holds a {type(network).__name__}, not a network.")
    kept = vars(network)
    for kind in ("_parameters", "_buffers"):
        weights.update({f"{place}{name}": value for name, value in _entries(kept, kind) if isinstance(value, Tensor)})
    for name, inner in _entries(kept, "_modules"):
        if inner is not None:
            _collect(inner, f"{place}{name}.", weights)


def _entries(kept: Mapping[str, object], kind: str) -> list[tuple[str, object]]:
    entries = kept.get(kind, {})
    return [(str(name), value) for name, value in entries.items()] if isinstance(entries, dict) else []
