"""The keys of `sitegen.toml`, and the reading of it: wrong values are errors, unknown keys warnings."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, get_args, get_type_hints

from pydantic import Field

from sitegen.errors import SettingsError
from sitegen.project.colours import ColourSettings
from sitegen.settings.reading import STRICT, read_settings

PROJECT_FILE = "sitegen.toml"
LANGUAGES = ("en",)  # those that the page's fixed texts are written in
Text = Annotated[str, Field(min_length=1)]


@dataclass(frozen=True)
class LogoSettings:
    """A picture at the head of the page; `alt` says in words what it shows."""

    __pydantic_config__ = STRICT

    image: Text
    alt: Text


@dataclass(frozen=True)
class ExampleSettings:
    """An image to try; `caption` stands on its button."""

    __pydantic_config__ = STRICT

    image: Text
    caption: Text


@dataclass(frozen=True)
class TeachingSettings:
    """Teaching in the page; `cases` is a folder with images and a `cases.csv`, where there are any."""

    __pydantic_config__ = STRICT

    cases: Text | None = None


@dataclass(frozen=True)
class ProjectSettings:
    """The content of `sitegen.toml`. Files and folders are counted from the file's own folder.

    `title` is the bundles' where there is none, `bundles` the one that ships; `intro` and `contact` are Markdown;
    `service_worker` is whether the site, once served, goes on without its server, `keep_list` whether it offers to keep
    the list of images in the browser.
    """

    __pydantic_config__ = STRICT

    title: Text | None = None
    languages: tuple[str, ...] = ("en",)
    bundles: tuple[Text, ...] = ()
    intro: str = ""
    contact: str = ""
    wheels: tuple[Text, ...] = ()
    service_worker: bool = True
    keep_list: bool = True
    logo: LogoSettings | None = None
    examples: tuple[ExampleSettings, ...] = ()
    teaching: TeachingSettings | None = None
    colours: ColourSettings = field(default_factory=ColourSettings)


@dataclass(frozen=True)
class Project:
    """A project that was read: its file, its settings, and what was odd about them."""

    file: Path
    settings: ProjectSettings
    warnings: tuple[str, ...] = ()

    def path(self, name: str) -> Path:
        """Return the path of a file that the settings name."""
        return self.file.parent / name


def read_project(file: Path, *, strict: bool = False) -> Project:
    """Read a `sitegen.toml`. Its unknown keys are warnings, and with `strict` errors.

    Raises SettingsError, which names the file and every key that does not fit.
    """
    document = _document(file)
    warnings = tuple(_unknown(ProjectSettings, document))
    if warnings and strict:
        raise SettingsError("\n".join(f"{file}: {warning}" for warning in warnings))
    try:
        settings = read_settings(ProjectSettings, _known(ProjectSettings, document))
        _check_languages(settings.languages)
    except SettingsError as error:
        raise SettingsError(f"{file}: {error}") from None
    return Project(file, settings, tuple(f"{file}: {warning}" for warning in warnings))


def _document(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        raise SettingsError(f"{file} cannot be read ({error.strerror}): `sitegen new DIR` makes one.") from None
    except UnicodeDecodeError as error:
        raise SettingsError(
            f"{file} is not UTF-8 text ({error.reason} at byte {error.start}): save it as such."
        ) from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise SettingsError(f"{file} is not TOML: {error}. docs/project.md has an example of each key.") from None


def _check_languages(languages: tuple[str, ...]) -> None:
    there = ", ".join(LANGUAGES)
    if not languages:
        raise SettingsError(f"languages: name at least one. The page's texts are there in: {there}.")
    for language in languages:
        if language not in LANGUAGES:
            raise SettingsError(f"languages: {language!r} is not there. The page's texts are there in: {there}.")


def _unknown(kind: type, document: Mapping[str, Any], place: str = "") -> Iterator[str]:
    """A sentence for each key that the dataclass `kind`, or one inside it, does not have."""
    known = [each.name for each in fields(kind)]
    for key, value in document.items():
        if key not in known:
            near = get_close_matches(key, known, 1)
            hint = f"did you mean {place}{near[0]}?" if near else f"known here: {', '.join(known)}."
            yield f"{place}{key} is not a key; {hint}"
        elif inner := _dataclass_of(kind, key):
            for number, part in _tables(value):
                yield from _unknown(inner, part, f"{place}{key}.{number}")


def _known(kind: type, document: Mapping[str, Any]) -> dict[str, Any]:
    """The same document without the keys that `_unknown` names."""
    known: dict[str, Any] = {}
    for each in fields(kind):
        if each.name in document:
            value, inner = document[each.name], _dataclass_of(kind, each.name)
            if inner and isinstance(value, list):
                value = [_known(inner, part) if isinstance(part, Mapping) else part for part in value]
            elif inner and isinstance(value, Mapping):
                value = _known(inner, value)
            known[each.name] = value
    return known


def _tables(value: object) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The tables in a value: itself, or the entries of a list, which are counted from 0 as errors do."""
    if isinstance(value, Mapping):
        yield "", value
    elif isinstance(value, list):
        yield from ((f"{number}.", part) for number, part in enumerate(value) if isinstance(part, Mapping))


def _dataclass_of(kind: type, name: str) -> type | None:
    """The dataclass in the type of a field: itself, an optional one, or that of a tuple's entries."""
    hint = get_type_hints(kind)[name]
    candidates = (hint, *get_args(hint))
    return next((each for each in candidates if isinstance(each, type) and is_dataclass(each)), None)
