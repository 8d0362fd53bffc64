"""Settings from files: frozen dataclasses whose fields come from a document, with every mistake named.

    read_settings(kind, document, base)    a dataclass from nested keys and values, checked against its types
    settings_document(settings)            the way back: what JSON, TOML or YAML can hold

Where a field takes one of several dataclasses, each of them has a field `kind`, and the document's `kind` decides.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any, TypeVar, cast

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from sitegen.errors import SettingsError

# What a settings class gives as its `__pydantic_config__`: a misspelt key is an error, not a default.
STRICT = ConfigDict(extra="forbid", allow_inf_nan=False)
Count = Annotated[int, Field(ge=1)]
Settings = TypeVar("Settings")


def read_settings(kind: type[Settings], document: Mapping[str, Any], base: Settings | None = None) -> Settings:
    """Return the dataclass `kind` with the values of `document`; what it leaves out is as in `base`, or the default.

    Raises SettingsError, which lists every unknown key and every value that does not fit.
    """
    whole = dict(document) if base is None else _merged(settings_document(base), document)
    try:
        return TypeAdapter(kind).validate_python(whole)
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, each['loc'])) or 'settings'}: {each['msg']}" for each in error.errors()]
        raise SettingsError(f"settings do not fit {kind.__name__}: " + "; ".join(lines)) from None


def settings_document(settings: object) -> dict[str, Any]:
    """Return the fields of a settings dataclass, nested ones as dictionaries, tuples as lists."""
    return {name: _plain(value) for name, value in asdict(cast(Any, settings)).items()}


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, (list, tuple)) else value


def _merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    merged = {**old, **new}
    for name in old.keys() & new.keys():
        before, after = old[name], new[name]
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            # The fields of one kind mean nothing to another.
            same = after.get("kind", before.get("kind")) == before.get("kind")
            merged[name] = _merged(before, after) if same else dict(after)
    return merged
