"""Pickles as data: numbers, strings, bytes, lists, tuples, dictionaries, and arrays of unsigned bytes. Nothing is run.

A pickle is a program that may name any function of any module. Here the few names that an array of NumPy's needs
lead to stand-ins of this module, which only keep what they are given; every other name is refused.
"""

import io
import pickle
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

_NUMPY = ("numpy.core.multiarray", "numpy._core.multiarray")  # before NumPy 2, and since


class PlainArray:
    """An array of unsigned bytes that a pickle holds; `np.asarray` takes it."""

    def __init__(self) -> None:
        self._values: NDArray[np.uint8] = np.zeros(0, np.uint8)

    def __setstate__(self, state: Any) -> None:
        """Take the array's version, shape, type, order and bytes. Raises UnpicklingError where they do not fit."""
        match state:
            case (_, tuple(shape), _PlainType(), False | 0, bytes(raw)) if all(isinstance(side, int) for side in shape):
                if min(shape, default=0) < 0 or prod(shape) != len(raw):
                    raise pickle.UnpicklingError(f"an array of {shape} cannot have {len(raw)} bytes")
                self._values = np.frombuffer(raw, np.uint8).reshape(shape)
            case _:
                raise pickle.UnpicklingError("an array is not one of unsigned bytes, row by row")

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """Return the array, shape and bytes as in the pickle."""
        return np.array(self._values, dtype, copy=copy)


class _PlainType:
    """NumPy's type of unsigned bytes."""

    def __init__(self, code: Any, *_: Any) -> None:
        if code not in ("u1", b"u1"):
            raise pickle.UnpicklingError(f"an array has elements of type {code!r}, not unsigned bytes")

    def __setstate__(self, state: Any) -> None:
        """Take the byte order and the like, which bytes do not have."""


def load_plain(raw: bytes) -> Any:
    """Return what a pickle holds; strings of Python 2 come as bytes, arrays as `PlainArray`.

    Raises pickle.UnpicklingError where it needs anything else, or is damaged.
    """
    try:
        return _PlainUnpickler(io.BytesIO(raw), encoding="bytes").load()
    except pickle.UnpicklingError:
        raise
    except Exception as error:  # a damaged pickle can fail in any way that a program can
        raise pickle.UnpicklingError(f"the pickle is damaged: {error}") from error


class _PlainUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        """Return the stand-in for a name. Raises UnpicklingError for any that has none."""
        match module, name:
            case (module, "_reconstruct") if module in _NUMPY:
                return _new_array
            case ("numpy", "ndarray"):
                return PlainArray
            case ("numpy", "dtype"):
                return _PlainType
            case ("_codecs", "encode"):
                return _latin
        raise pickle.UnpicklingError(f"it asks for {module}.{name}, which is not data; it was not run")


def _new_array(kind: Any, *_: Any) -> PlainArray:
    if kind is not PlainArray:
        raise pickle.UnpicklingError("an array is of a kind that is not known here")
    return PlainArray()


def _latin(text: Any, encoding: Any = "latin1") -> bytes:
    """Python 3's way to keep bytes in pickles that Python 2 can read."""
    if not isinstance(text, str) or encoding not in ("latin1", b"latin1"):
        raise pickle.UnpicklingError("it keeps bytes in a way that is not known here")
    return text.encode("latin1")
