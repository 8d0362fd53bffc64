"""Seeds in words: "0-35,100" are 0 to 35 and 100."""

import re
from collections.abc import Sequence

from sitegen.errors import SettingsError

_PART = re.compile(r"(\d{1,10})(?:-(\d{1,10}))?")


def read_seeds(text: str) -> Sequence[range]:
    """Return the ranges that a text names, in its order. Raises SettingsError, which names the part that is none."""
    found = []
    for part in text.split(","):
        match = _PART.fullmatch(part.strip())
        if not match:
            raise SettingsError(f"{part.strip()!r} is no seed and no range of seeds. Write it like 7 or 0-35,100.")
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first:
            raise SettingsError(f"The range of seeds {part.strip()!r} ends before it begins. Write {last}-{first}.")
        found.append(range(first, last + 1))
    return found
