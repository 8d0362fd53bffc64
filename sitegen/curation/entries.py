"""A file of a repository as a run knows it before anybody has opened it."""

import json
from dataclasses import dataclass
from hashlib import blake2b


@dataclass(frozen=True, slots=True)
class Entry:
    """One file: where it is, and what tells that it changed.

    `address` opens it; `path` is where it lies below the root of that number. `size` is in bytes, None where the file
    system does not say; `stamp` is its time of change, checksum or tag, whichever the file system has, else "".
    """

    address: str
    root: int
    path: str
    size: int | None
    stamp: str

    @property
    def id(self) -> str:
        """What the file is called where no names may stand: 128 bits of its address, as hexadecimal digits."""
        return digest(self.address)

    @property
    def key(self) -> str:
        """What is the same as long as the file is: 128 bits of address, size and stamp, as hexadecimal digits."""
        return digest(f"{self.address}\0{self.size}\0{self.stamp}")

    def line(self) -> str:
        """Return the entry as a line of JSON."""
        return json.dumps([self.address, self.root, self.path, self.size, self.stamp]) + "\n"


def from_line(line: str) -> Entry:
    """Return the entry that a line of JSON holds."""
    return Entry(*json.loads(line))


def digest(text: str) -> str:
    """Return 128 bits of BLAKE2b of a text, as hexadecimal digits; names of files need not be valid text."""
    return blake2b(text.encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()
