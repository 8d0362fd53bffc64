"""Names that settings may hold: those of the items in one of the runtime's tables."""

from collections.abc import Collection

from pydantic import AfterValidator
from pydantic_core import PydanticKnownError


def one_of(table: Collection[str], *, barred: str | None = None) -> AfterValidator:
    """Return what checks that a text names an item of a table, and not the one that is `barred`."""
    names = [name for name in table if name != barred]
    *others, last = map(repr, names)

    def known(name: str) -> str:
        if name not in names:
            raise PydanticKnownError("literal_error", {"expected": f"{', '.join(others)} or {last}"})
        return name

    return AfterValidator(known)
