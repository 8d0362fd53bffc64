"""What the tool imports is what it asks pip for: nothing comes in by the grace of another package."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
OWN = {"sitegen", "sitegen_runtime"}


def distributions(requirements: list[str]) -> set[str]:
    names = [re.match(r"[A-Za-z0-9._-]+", each) for each in requirements]
    return {canonical(match[0]) for match in names if match}


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


CORE = distributions(PROJECT["dependencies"])
EXTRAS = distributions(
    [each for name in ("train", "import", "curate") for each in PROJECT["optional-dependencies"][name]]
)


def imported(nodes: Iterator[ast.AST]) -> Iterator[str]:
    """The packages that statements import, which are neither the standard library's nor the project's."""
    for node in nodes:
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [str(node.module)]
        yield from ({name.split(".")[0] for name in names} - sys.stdlib_module_names - OWN)


def test_every_package_that_is_imported_is_asked_for() -> None:
    pytest.importorskip("torch", reason="it needs all that the extras bring, and PyTorch is not installed")
    providers = packages_distributions()
    trees = [ast.parse(path.read_text("utf-8")) for path in (ROOT / "sitegen").rglob("*.py")]
    packages = {package for tree in trees for package in imported(ast.walk(tree))}
    assert {"onnx", "jinja2", "torch"} <= packages
    asked = CORE | EXTRAS
    provided = {package: {canonical(name) for name in providers.get(package, ())} for package in packages}
    # What is imported by name alone, and said in words where it is missing, may be absent here.
    assert {package: names for package, names in provided.items() if names and not names & asked} == {}
