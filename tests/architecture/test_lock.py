"""The lock: what it names, in which versions, and that it says so without a host."""

import importlib.metadata
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
APART = "torch"
"""What no lock holds, as its builds differ by machine: see the Makefile."""
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
FILES = {"site.txt": (), "test.txt": ("test",)}
"""The files of the lock, each with the extras of the project that it serves."""

Locked = dict[str, str]
each_file = pytest.mark.parametrize("name", FILES)


def text(name: str) -> str:
    """A file of the lock, with continued lines joined."""
    return (ROOT / "requirements" / name).read_text("utf-8").replace("\\\n", " ")


def entries(name: str) -> list[str]:
    """Its lines, without comments."""
    return [line for line in text(name).splitlines() if line.strip() and not line.lstrip().startswith("#")]


def locked(name: str) -> Locked:
    """The version of each distribution."""
    requirements = [Requirement(line.split("--hash")[0]) for line in entries(name)]
    return {canonicalize_name(each.name): str(each.specifier).removeprefix("==") for each in requirements}


def asked(extras: tuple[str, ...]) -> Iterator[Requirement]:
    """What pyproject.toml asks for, to build the project and to run it with these extras."""
    project, groups = PROJECT["project"], PROJECT["dependency-groups"]
    yield from map(Requirement, (*PROJECT["build-system"]["requires"], *groups["build"], *project["dependencies"]))
    for line in (line for extra in extras for line in project["optional-dependencies"][extra]):
        requirement = Requirement(line)
        if requirement.name == project["name"]:
            yield from asked(tuple(requirement.extras))
        else:
            yield requirement


@each_file
def test_every_line_is_one_version_with_its_hashes(name: str) -> None:
    for line in entries(name):
        assert re.fullmatch(r"[a-z0-9.-]+==\S+( ; [^-]+(-[^-]+)*?)?( +--hash=sha256:[0-9a-f]{64})+ *", line), line
    assert len(locked(name)) == len(entries(name))


@each_file
def test_no_host_and_no_place_is_named(name: str) -> None:
    assert re.findall(r"https?:|file:|//|\bindex|find-links|@ ", text(name)) == []


@each_file
def test_it_has_all_that_the_project_asks_for_in_versions_that_it_allows(name: str) -> None:
    versions = locked(name)
    for requirement in asked(FILES[name]):
        if requirement.name != APART:
            assert requirement.specifier.contains(versions[canonicalize_name(requirement.name)]), requirement


def test_what_is_tested_is_what_builds_the_site() -> None:
    assert locked("site.txt").items() <= locked("test.txt").items()


def test_torch_comes_apart_and_finds_what_it_needs() -> None:
    assert APART not in locked("test.txt")
    versions = locked("test.txt")
    pytest.importorskip(APART, reason="it needs PyTorch, which is not installed")
    for line in importlib.metadata.requires(APART) or ():
        requirement = Requirement(line)
        drivers = requirement.name.startswith(("nvidia-", "cuda-", "triton"))  # of graphics cards: they come with torch
        if not drivers and (requirement.marker is None or requirement.marker.evaluate({"extra": ""})):
            assert requirement.specifier.contains(versions[canonicalize_name(requirement.name)]), requirement


def test_one_version_of_torch_is_named() -> None:
    extras = PROJECT["project"]["optional-dependencies"].values()
    named = {str(each.specifier) for extra in extras for each in map(Requirement, extra) if each.name == APART}
    assert len(named) == 1
    assert named.pop().startswith("==")
