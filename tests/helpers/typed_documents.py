"""Documents held to their types, and types to what is documented: keys, what may be absent, and kinds of values."""

import re
from collections.abc import Iterable, Iterator
from types import NoneType, UnionType
from typing import Any, NotRequired, Union, get_args, get_origin, get_type_hints, is_typeddict

Key = tuple[str, str]  # the name of a TypedDict, and a key of it


def types_of(kind: Any) -> dict[str, Any]:
    """The type of each key; NotRequired[...] where it may be absent."""
    return get_type_hints(kind, include_extras=True)


def all_keys(kind: Any) -> set[Key]:
    """Every key of a type, and of the types inside it."""
    found: set[Key] = set()
    if is_typeddict(kind):
        found = {(kind.__name__, key) for key in types_of(kind)}
        parts = tuple(types_of(kind).values())
    else:
        parts = get_args(kind)
    return found.union(*map(all_keys, parts))


def used_keys(value: Any, kind: Any, place: str = "document") -> Iterator[Key]:
    """Yield the keys that a document has; AssertionError, with the place, where it is not as its type says."""
    origin, parts = get_origin(kind), get_args(kind)
    if is_typeddict(kind):
        types, needed = types_of(kind), set(kind.__required_keys__)
        assert needed <= set(value) <= set(types), f"{place} has {sorted(set(value) ^ needed)} beside {sorted(needed)}"
        for key, entry in value.items():
            yield kind.__name__, key
            yield from used_keys(entry, types[key], f"{place}.{key}")
    elif origin is NotRequired:
        yield from used_keys(value, parts[0], place)
    elif origin in (Union, UnionType):
        assert value is not None or NoneType in parts, f"{place} is null"
        if value is not None:
            yield from used_keys(value, _member(value, parts), place)
    elif origin is list:
        assert isinstance(value, list), f"{place} is a {type(value).__name__}"
        for entry in value:
            yield from used_keys(entry, parts[0], f"{place}[]")
    elif origin is dict:
        assert isinstance(value, dict), f"{place} is a {type(value).__name__}"
        for entry in value.values():
            yield from used_keys(entry, parts[1], f"{place}{{}}")
    elif kind is not Any:
        allowed = (int, float) if kind is float else kind
        assert isinstance(value, allowed), f"{place} is {value!r}, no {kind}"
        assert kind is bool or not isinstance(value, bool), f"{place} is {value!r}, no {kind}"


def hold(kind: Any, documents: Iterable[Any], unseen: Iterable[Key] = ()) -> None:
    """Check that documents are of a type, and that together they have every key of it but those that are `unseen`."""
    used = {key for document in documents for key in used_keys(document, kind)}
    assert sorted(all_keys(kind) - used) == sorted(unseen)


def _member(value: Any, members: tuple[Any, ...]) -> Any:
    """The member of a union that a value is of; the last where none is, which then says what is wrong."""
    others = [each for each in members if each is not NoneType]
    fits = (each for each in others if _fits(value, each))
    return next(fits, others[-1]) if len(others) > 1 else others[0]


def _fits(value: Any, kind: Any) -> bool:
    if is_typeddict(kind):
        return isinstance(value, dict) and set(value) <= {*types_of(kind)}
    return isinstance(kind, type) and isinstance(value, kind)


def documented_keys(text: str) -> set[str]:
    """The keys in the tables of a document that list them: those whose first column is called key or field."""
    rows = re.findall(r"^\| (?:key|field)\b[^\n]*\n\|[-| ]+\n((?:\|[^\n]*\n)+)", text, re.MULTILINE)
    cells = [line.split("|")[1] for table in rows for line in table.splitlines()]
    return {part for cell in cells for name in re.findall(r"`([^`]+)`", cell) for part in name.split(".")}


def words_in_code(text: str) -> set[str]:
    """Every word that stands in backticks."""
    return {word for code in re.findall(r"`([^`\n]+)`", text) for word in re.findall(r"[\w-]+", code)}
