"""Checkpoints that keep records of a training beside their weights: numbers of NumPy, options, paths, dates.

Of a record nothing is made. It gets a stand-in that takes what it is given and does nothing with it, so that no code of
its library, or of anyone, runs; the weights beside it are read as from any other checkpoint.
"""

import re
from pathlib import Path
from typing import IO, Any

from sitegen.errors import ModelError
from sitegen.importing.checkpoint.pickled_network import DataUnpickler, Storages, unpickled

_NOTHING = r"(?!)"  # matches no name


class Record:
    """Something that a training kept, whatever it was."""

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def __call__(self, *_: object) -> "Record":
        """As a factory in a record is one: nothing comes of it."""
        return self

    def __setitem__(self, key: object, value: object) -> None:
        pass

    def __setstate__(self, state: object) -> None:
        pass

    def __hash__(self) -> int:
        return id(self)

    def append(self, value: object) -> None:
        """Take an entry of a list."""

    def extend(self, values: object) -> None:
        """Take entries of a list."""

    def add(self, value: object) -> None:
        """Take an entry of a set."""


class _Records(DataUnpickler):
    def __init__(self, stream: IO[bytes], records: re.Pattern[str], storage: Storages) -> None:
        super().__init__(stream, _NOTHING, storage)
        self._records = records

    def find_class(self, module: str, name: str) -> Any:
        """Return what stands for a name. Raises UnpicklingError for any that is neither data nor a record."""
        if self._records.fullmatch(f"{module}.{name}"):
            return Record
        return super().find_class(module, name)


def read_with_stand_ins(file: Path, records: re.Pattern[str], data: re.Pattern[str]) -> object:
    """Return what a checkpoint holds, with a `Record` for each record, and for data that is no tensor.

    `records` and `data` match full names, as in "argparse.Namespace". Raises ModelError where it is damaged.
    """
    both = re.compile(f"(?:{records.pattern})|(?:{_others(data)})")
    try:
        return unpickled(file, lambda stream, storage: _Records(stream, both, storage))
    except ModelError:
        raise
    except Exception as error:  # a hostile or damaged pickle can fail in any way that a program can
        raise ModelError(f"{file} cannot be read as data: {error or type(error).__name__}. It is damaged.") from error


def _others(data: re.Pattern[str]) -> str:
    """Of the names that are data those that the unpickler does not make itself: sizes, types, devices."""
    made = r"collections\.OrderedDict|torch\._utils\.|torch(\.cuda)?\.\w+Storage|(builtins|__builtin__)\.set"
    return f"(?!{made})(?:{data.pattern})"
