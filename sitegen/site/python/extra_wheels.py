"""Wheels that a site's owner adds to the page's Python.

A wheel is pure Python, or compiled for exactly this Pyodide (tagged `pyemscripten_…_wasm32` after PEP 783, or
`pyodide_…_wasm32` as before it). What it requires must be among the other wheels: nothing is fetched.
"""

import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesParser
from pathlib import Path, PurePosixPath

from packaging.requirements import InvalidRequirement, Requirement
from packaging.tags import Tag
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

from sitegen.errors import AssetError, SettingsError

_NATIVE = (".so", ".pyd", ".dylib", ".dll")
_LICENCE_NAMES = ("LICENSE", "LICENCE", "COPYING", "NOTICE")
RUNTIME = "sitegen-runtime"
_MOST_UNPACKED = 1 << 30  # bytes: WebAssembly's memory ends at four times that
_MOST_TEXT = 16 << 20


@dataclass(frozen=True)
class ExtraWheel:
    """A wheel that was read.

    `imports` are the top-level modules that it brings; `requires` are its requirements as its metadata has them;
    `notices` are its licence files, by their names.
    """

    file: str
    content: bytes
    name: str
    version: str
    tags: frozenset[Tag]
    imports: tuple[str, ...]
    requires: tuple[str, ...]
    licence: str
    home: str
    notices: dict[str, bytes]


def read_wheel(path: Path) -> ExtraWheel:
    """Read a wheel from disk. Raises SettingsError where it is none, or is compiled for another machine."""
    try:
        name, version, _, tags = parse_wheel_filename(path.name)
    except InvalidWheelFilename as error:
        raise SettingsError(
            f"{path} is not named as wheels are: {error}. Use the name that it was published under."
        ) from None
    try:
        content = path.read_bytes()
        with zipfile.ZipFile(path) as archive:
            files = archive.namelist()
            information = _information_folder(files)
            _refuse_bombs(path, archive)
            metadata = BytesParser().parsebytes(_text(path, archive, f"{information}/METADATA"))
            notices = {PurePosixPath(file).name: _text(path, archive, file) for file in _notices(files, information)}
    except (OSError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, KeyError) as error:
        raise SettingsError(f"{path} cannot be read as a wheel: {error}. Download or build it again.") from None
    _refuse_foreign(path, tags, files)
    return ExtraWheel(
        path.name, content, name, str(version), tags,
        tuple(sorted(_imports(files))), tuple(metadata.get_all("Requires-Dist") or ()),
        _licence(metadata), _home(metadata), notices,
    )  # fmt: skip


def _refuse_bombs(path: Path, archive: zipfile.ZipFile) -> None:
    unpacked = sum(entry.file_size for entry in archive.infolist())
    if unpacked > _MOST_UNPACKED:
        raise SettingsError(
            f"{path} unpacks to {unpacked:,} bytes, and a page has room for {_MOST_UNPACKED:,} at most: name a smaller "
            "wheel."
        )


def _text(path: Path, archive: zipfile.ZipFile, name: str) -> bytes:
    """A text of a wheel; no more is unpacked than its entry says."""
    entry = archive.getinfo(name)
    if entry.file_size > _MOST_TEXT:
        raise SettingsError(
            f"{name} in {path} has {entry.file_size:,} bytes, and such texts {_MOST_TEXT:,} at most: build the wheel "
            "anew."
        )
    return archive.read(entry)


def _information_folder(files: list[str]) -> str:
    folders = {PurePosixPath(file).parts[0] for file in files}
    found = [folder for folder in folders if folder.endswith(".dist-info")]
    if len(found) != 1:
        raise KeyError("it has no .dist-info folder of its own")
    return found[0]


def _notices(files: list[str], information: str) -> Iterator[str]:
    for file in files:
        path = PurePosixPath(file)
        if path.parts[0] == information and path.name.upper().startswith(_LICENCE_NAMES):
            yield file


def _refuse_foreign(path: Path, tags: frozenset[Tag], files: list[str]) -> None:
    platforms = {tag.platform for tag in tags}
    for_the_page = {name for name in platforms if name == "any" or name.startswith(("pyodide_", "pyemscripten_"))}
    if not for_the_page:
        raise SettingsError(
            f"{path} is compiled for {', '.join(sorted(platforms))}, and a browser runs none of it: name a wheel that "
            "ends in none-any.whl, or one built for Pyodide (pyemscripten_…_wasm32)."
        )
    native = [file for file in files if file.lower().endswith(_NATIVE)]
    if native and "any" in platforms:
        raise SettingsError(
            f"{path} calls itself pure Python, but holds {native[0]}, which is compiled: name a wheel that was built "
            "for Pyodide."
        )


def _imports(files: list[str]) -> set[str]:
    tops = set()
    for file in files:
        first, *others = PurePosixPath(file).parts
        if first.endswith((".dist-info", ".data")):
            continue
        if others or first.endswith(".py"):
            tops.add(first.removesuffix(".py"))
    return {top for top in tops if top.isidentifier()}


def _licence(metadata: Message) -> str:
    said = metadata.get("License-Expression") or metadata.get("License") or ""
    lines = str(said).strip().splitlines()
    if lines and len(lines[0]) <= 60:  # some put the whole text there
        return lines[0]
    classifiers = [str(entry) for entry in metadata.get_all("Classifier") or ()]
    named = [entry.split(" :: ")[-1] for entry in classifiers if entry.startswith("License ::")]
    return ", ".join(named) or "see the wheel"


def _home(metadata: Message) -> str:
    urls = [str(entry).partition(",")[2].strip() for entry in metadata.get_all("Project-URL") or ()]
    found = str(metadata.get("Home-page") or (urls[0] if urls else ""))
    return found if found.startswith("https://") else ""


def check_wheels(wheels: Sequence[ExtraWheel], python: str, abi: str) -> dict[str, list[str]]:
    """Return what each wheel depends on, by name, among the others.

    `python` is the version of the page's Python, `abi` that of Pyodide's binary interface, such as "2026_0". Raises
    SettingsError where two wheels have one name, a wheel is for another Python or Pyodide, or a requirement is not met.
    """
    versions: dict[str, str] = {}
    for wheel in wheels:
        if wheel.name in versions or wheel.name == RUNTIME:
            raise SettingsError(f"wheels: {wheel.file} is the second wheel of {wheel.name}: leave one of them out.")
        versions[wheel.name] = wheel.version
        _refuse_other_python(wheel, python, abi)
    return {wheel.name: sorted(_dependencies(wheel, versions, python)) for wheel in wheels}


def _refuse_other_python(wheel: ExtraWheel, python: str, abi: str) -> None:
    short = "".join(python.split(".")[:2])
    interpreters = {"py3", f"py{short}", f"cp{short}"}
    platforms = {"any", f"pyodide_{abi}_wasm32", f"pyemscripten_{abi}_wasm32"}
    for tag in wheel.tags:
        stable = tag.abi == "abi3" and tag.interpreter.startswith("cp3")
        if tag.platform in platforms and (tag.interpreter in interpreters or stable):
            return
    raise SettingsError(
        f"wheels: {wheel.file} is for another Python than the page's, which is {python} of Pyodide's {abi}: it would "
        f"have to be tagged py3-none-any or cp{short}-cp{short}-pyemscripten_{abi}_wasm32."
    )


def _dependencies(wheel: ExtraWheel, versions: dict[str, str], python: str) -> Iterator[str]:
    environment = {
        "python_version": ".".join(python.split(".")[:2]), "python_full_version": python,
        "sys_platform": "emscripten", "platform_system": "Emscripten", "os_name": "posix",
        "platform_machine": "wasm32", "implementation_name": "cpython", "extra": "",
    }  # fmt: skip
    for text in wheel.requires:
        try:
            requirement = Requirement(text)
        except InvalidRequirement as error:
            raise AssetError(f"{wheel.file} requires {text!r}, which is not a requirement: {error}") from None
        if requirement.marker and not requirement.marker.evaluate(environment):
            continue
        name = canonicalize_name(requirement.name)
        if name not in versions:
            raise SettingsError(f"wheels: {wheel.file} requires {text}, which is not among the wheels: add it.")
        if not requirement.specifier.contains(versions[name], prereleases=True):
            raise SettingsError(f"wheels: {wheel.file} requires {text}, but the wheel of {name} is {versions[name]}.")
        yield name
