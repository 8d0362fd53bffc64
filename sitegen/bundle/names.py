"""Names that settings may hold: those of the items in one of the runtime's tables."""

from collections.abc import Collection

from pydantic import AfterValidator


def one_of(table: Collection[str], *, barred: str | None = None) -> AfterValidator:
    """Return what checks that a text names an item of a table, and not the one that is `barred`."""
    names = [name for name in table if name != barred]

    def known(name: str) -> str:
        if name not in names:
            raise ValueError(f"it must be one of {', '.join(map(repr, names))}, not {name!r}")
        return name

    return AfterValidator(known)
