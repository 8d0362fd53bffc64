"""The files at the root for those who come: they are complete, agree with the code, and name what is there."""

import re
import shlex
import shutil
from pathlib import Path

import pytest
import yaml

import sitegen
from sitegen import resources
from tests.helpers.documents import ROOT, read

TEN_LINES = re.search(r"```python\n(.*?)```", read("README.md"), re.DOTALL)
NAMED = re.findall(r"`([^`\n]+)`", read("CONTRIBUTING.md"))
PATHS = sorted({name for name in NAMED if re.fullmatch(r"[\w.-]+/[\w./-]*|[\w.-]+\.(?:py|md|toml|cff|yaml)", name)})


def test_the_citation_has_what_it_needs_and_the_version_of_the_code() -> None:
    fields = yaml.safe_load(read("CITATION.cff"))
    assert {"cff-version", "message", "title", "authors", "version"} <= fields.keys()
    assert fields["cff-version"] == "1.2.0"
    assert fields["version"] == sitegen.__version__
    assert all(author.keys() & {"name", "family-names"} for author in fields["authors"])
    assert fields["license"] == "Apache-2.0"


def test_contributing_names_paths() -> None:
    assert {"tests/conftest.py", "sitegen/cli/", "docs/gradients.md", "CITATION.cff", ".pre-commit-config.yaml"} <= {
        *PATHS
    }


@pytest.mark.parametrize("path", PATHS)
def test_paths_that_contributing_names_exist(path: str) -> None:
    found = [ROOT / path, ROOT / "runtime" / "sitegen_runtime" / "gate" / path]  # the gate's are named without folder
    assert any(each.exists() for each in found)


def test_hooks_fetch_nothing_and_run_what_the_checks_run() -> None:
    repos = yaml.safe_load(read(".pre-commit-config.yaml"))["repos"]
    assert [repo["repo"] for repo in repos] == ["local"]
    hooks = {hook["id"]: hook for hook in repos[0]["hooks"]}
    commands = [shlex.split(hook["entry"])[0] for hook in hooks.values()]
    assert {hook["language"] for hook in hooks.values()} == {"system"}
    assert commands == [".venv/bin/ruff", ".venv/bin/ruff", ".venv/bin/mypy"]
    assert not hooks["mypy"]["pass_filenames"]


def test_the_editors_line_length_is_the_linters() -> None:
    assert "line-length = 120" in read("pyproject.toml")
    assert "max_line_length = 120" in read(".editorconfig")


@pytest.mark.parametrize(
    "name", ["README.md", "CONTRIBUTING.md", "SECURITY.md", "docs/index.md", "docs/reading-a-result.md"]
)
def test_the_warning_is_there(name: str) -> None:
    assert "Not for diagnostic use" in read(name)


@pytest.mark.skipif(not hasattr(sitegen, "load_bundle"), reason="`import sitegen` gives no load_bundle yet")
def test_the_ten_lines_of_the_readme_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert TEN_LINES is not None
    lines = [line for line in TEN_LINES[1].splitlines() if line]
    assert len(lines) <= 10
    shutil.copy(resources.default_bundle() / "golden.png", tmp_path / "image.png")
    monkeypatch.chdir(tmp_path)
    exec(compile("\n".join(lines), "README.md", "exec"), {})  # noqa: S102 - our own lines
    assert (tmp_path / "where.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "dist" / "help.html").is_file()
