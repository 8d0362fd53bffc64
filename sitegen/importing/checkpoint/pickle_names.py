"""The names that a pickle asks for, found without running it.

A pickle is a program, and a name in it is a class or function of any module. What a file of numbers needs is little;
what else it names is what a person must know who was told that the file is refused.
"""

import pickletools
from collections.abc import Iterator
from typing import BinaryIO

from sitegen.errors import ModelError

_UNKNOWN = "a name that it puts together as it runs"
_TEXTS = {"UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "STRING", "BINSTRING", "SHORT_BINSTRING"}


def pickle_names(stream: BinaryIO, pickles: int = 1) -> list[str]:
    """Return "module.name" for all that up to so many pickles, one after the other, ask for; each name once.

    Raises ModelError where what is there is no pickle, or a damaged one. Nothing of it is run.
    """
    names: dict[str, None] = {}
    for number in range(pickles):
        try:
            names.update(dict.fromkeys(_names(stream)))
        except Exception as error:  # a damaged pickle can fail in any way
            raise ModelError(f"what should be a pickle is none, or is damaged: {error}") from error
        position = stream.tell()
        if number + 1 < pickles and not stream.read(1):
            break
        stream.seek(position)
    return list(names)


def _names(stream: BinaryIO) -> Iterator[str]:
    """Names of one pickle. Since protocol 4 a name is two texts that were put on a stack before."""
    texts: list[str] = []
    kept: dict[object, str] = {}
    for operation, argument, _ in pickletools.genops(stream):
        name = operation.name
        if name in ("GLOBAL", "INST"):
            yield str(argument).replace(" ", ".", 1)
        elif name == "STACK_GLOBAL":
            yield ".".join(texts[-2:]) if len(texts) > 1 else _UNKNOWN
        elif name in ("EXT1", "EXT2", "EXT4"):
            yield _UNKNOWN
        elif name in _TEXTS:
            texts.append(str(argument))
        elif name == "MEMOIZE":
            kept[len(kept)] = texts[-1] if texts else ""
        elif name in ("PUT", "BINPUT", "LONG_BINPUT"):
            kept[argument] = texts[-1] if texts else ""
        elif name in ("GET", "BINGET", "LONG_BINGET"):
            texts.append(kept.get(argument, _UNKNOWN))
