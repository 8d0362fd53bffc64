"""HDF5 files of strangers, read as data: no link is followed, no other file, no filter that is not built in.

HDF5 lets a file point at others (links, external storage, virtual data sets), name plug-ins that unpack it, and state
sizes that it does not have. All that is looked at before anything is read. The library that reads it, h5py, is needed
for these files alone.
"""

from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import IO, Any

import numpy as np

from sitegen.errors import ModelError
from sitegen.importing.checkpoint.optional_library import optional_library
from sitegen.importing.graph.reading import LARGEST
from sitegen.importing.keras.memory import at_most
from sitegen.importing.keras.network import Values

SIGNATURE = b"\x89HDF\r\n\x1a\n"
_FILTERS = {1: "deflate", 2: "shuffle", 3: "fletcher32", 32000: "lzf"}
_LARGEST_CHUNK = 64_000_000  # bytes
_EXPANSION, _SPARE = 100, 1_000_000  # of the file's length, and bytes beside it: weights hardly get smaller when packed
_LARGEST_TEXT = 256_000_000
_BLOCK = 1 << 20
_MOST_PARTS = 1000
_HEAP = b"GCOL\x01\x00\x00\x00"  # begins each place in a file where texts of any length are kept


class Hdf5:
    """An open file. Groups are named by their paths from the top, as sequences of names."""

    def __init__(self, stream: IO[bytes], length: int, file: Path) -> None:
        """`length` is that of the stream in bytes, `file` what errors name. Raises ModelError, SettingsError."""
        self._library: ModuleType = optional_library("h5py", f"{file} is an HDF5 file. Reading it")
        self._file, self._length = file, length
        self._left = min(LARGEST, _EXPANSION * length + _SPARE)
        self._text_left = _LARGEST_TEXT
        self._longest = _longest_text(stream, length)
        try:
            self._top: Any = self._library.File(stream, "r")
        except Exception as error:  # h5py raises what HDF5 says, as OSError, RuntimeError or others
            raise self._damaged(error) from error

    def group(self, path: Sequence[str]) -> Any | None:
        """Return a group, None where there is none. Raises ModelError where a link leads to it."""
        found = self._top
        for name in path:
            found = self.inside(found, name)
        return found

    def inside(self, group: Any | None, name: str) -> Any | None:
        """Return the group of a name in a group, None where there is none. Raises ModelError where it is a link."""
        found = None if group is None else self._child(group, name)
        return found if isinstance(found, self._library.Group) else None

    def _child(self, group: Any, name: str) -> Any | None:
        try:
            if name not in group or name in (".", "..", "") or "/" in name:
                return None
            link = group.get(name, getlink=True)
            if not isinstance(link, self._library.HardLink):
                raise ModelError(
                    f"{self._file}: {name!r} is a link to another place or file. Links are not followed: save the "
                    "model anew."
                )
            return group[name]
        except ModelError:
            raise
        except Exception as error:
            raise self._damaged(error) from error

    def values(self, group: Any, name: str) -> Values:
        """Return a data set, by its name in a group; names may have slashes. Raises ModelError."""
        found, parts = group, [part for part in name.split("/") if part]
        for part in parts:
            found = self._child(found, part) if isinstance(found, self._library.Group) else None
        if not parts or not isinstance(found, self._library.Dataset):
            raise ModelError(f"{self._file} has no numbers at {name!r}. Get the file again.")
        try:
            self._check(found, name)
            return np.asarray(found[()])
        except ModelError:
            raise
        except Exception as error:
            raise self._damaged(error) from error

    def _check(self, data: Any, name: str) -> None:
        """Raise ModelError where reading would need another file, a plug-in, or more memory than the file is worth."""
        properties = data.id.get_create_plist()
        filters = {properties.get_filter(at)[0] for at in range(properties.get_nfilters())}
        if data.external or data.is_virtual:
            raise ModelError(f"{self._file}: the numbers {name!r} lie in another file, which is not read.")
        if filters - set(_FILTERS):
            raise ModelError(f"{self._file}: {name!r} is packed in a way that needs a plug-in. Save the model anew.")
        if data.dtype.kind not in "fiu" or data.shape is None:
            raise ModelError(f"{self._file}: {name!r} holds {data.dtype}, not numbers.")
        needed = int(np.prod([int(size) for size in data.shape], dtype=object)) * data.dtype.itemsize
        chunk = int(np.prod([int(size) for size in data.chunks or ()], dtype=object)) * data.dtype.itemsize
        if needed > self._left or chunk > _LARGEST_CHUNK + needed:
            raise ModelError(
                f"{self._file}: {name!r} says that it has {needed} bytes, more than a file of {self._length} bytes "
                "holds. It is damaged: get it again."
            )
        self._left -= needed

    def text(self, group: Any, name: str) -> str | None:
        """Return an attribute that is one text, None where there is none. Raises ModelError."""
        found = self._attribute(group, name, 0)
        return None if found is None else self._decoded(found)

    def names(self, group: Any, name: str) -> list[str] | None:
        """Return an attribute that is a list of names, also where it is kept in parts; None where there is none."""
        found = self._attribute(group, name, 1)
        parts = [] if found is None else [found]
        while found is None and len(parts) < _MOST_PARTS:
            part = self._attribute(group, f"{name}{len(parts)}", 1)
            if part is None:
                break
            parts.append(part)
        return [self._decoded(each) for part in parts for each in part] if parts else None

    def _decoded(self, text: Any) -> str:
        raw = text if isinstance(text, bytes) else str(text).encode("utf-8", "surrogateescape")
        found = raw.decode("utf-8", "replace")
        self._text_left -= len(found)
        if self._text_left < 0:
            raise ModelError(f"{self._file} has more than {_LARGEST_TEXT} bytes of names. Save the model anew.")
        return found

    def _attribute(self, group: Any, name: str, rank: int) -> Any:
        """Return an attribute of texts: one, or a list. Raises ModelError where it is anything else, or too long."""
        try:
            if name not in group.attrs:
                return None
            stated = group.attrs.get_id(name)
            count = int(np.prod([int(size) for size in stated.shape or ()], dtype=object))
            if rank and len(stated.shape) == 1 and count == 0:
                return []
            text = self._library.check_string_dtype(stated.dtype)
            longest = 0 if text is None else text.length or self._longest
            if text is None or len(stated.shape) != rank or count * longest > LARGEST:
                raise ModelError(f"{self._file}: the attribute {name!r} is not what Keras writes. Save the model anew.")
            with at_most(_LARGEST_TEXT + count * longest):
                return group.attrs[name]
        except ModelError:
            raise
        except Exception as error:
            raise self._damaged(error) from error

    def _damaged(self, error: Exception) -> ModelError:
        return ModelError(
            f"{self._file} is no HDF5 file, or is damaged ({str(error)[:160] or type(error).__name__}). Get it again."
        )


def _longest_text(stream: IO[bytes], length: int) -> int:
    """Return how long the longest text of variable length in a file can be, in bytes.

    Lists of texts are lists of references, many of which may lead to one place: what they come to is not their own
    length, nor is it stated anywhere.
    """
    stream.seek(0)
    longest, kept = 0, b""
    while block := stream.read(_BLOCK):
        kept += block
        at = kept.find(_HEAP)
        while at >= 0 and at + 16 <= len(kept):
            longest = max(longest, min(int.from_bytes(kept[at + 8 : at + 16], "little"), length))
            at = kept.find(_HEAP, at + 8)
        kept = kept[-16 - len(_HEAP) :]
    stream.seek(0)
    return longest
