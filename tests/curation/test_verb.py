"""`sitegen curate`: exit codes, and what it says."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from sitegen.bundle import Bundle
from sitegen.cli import app
from sitegen.cli._failures import in_words
from sitegen.curation.engine import alone
from sitegen.curation.engine.work import rows_of
from sitegen.curation.table import read_table

Curated = Callable[..., Path]


def curate(*arguments: object) -> Any:
    return CliRunner().invoke(app, ["curate", *map(str, arguments)])


def refused(*arguments: object) -> tuple[str, int]:
    return in_words(curate(*arguments).exception)


def test_from_a_folder_to_what_is_kept(small: Bundle, repository: Path, tmp_path: Path) -> None:
    options = ("--out", tmp_path / "rows", "--bundle", small.folder, "--workers", 0)
    done = curate(repository, *options)
    assert done.exit_code == 0, done.output
    assert "9 files: 0 had a row, 9 were scored; 3 have an error." in done.stdout
    assert "9 files: 9 had a row, 0 were scored; 3 have an error." in curate(repository, *options).stdout
    rule = "error is missing and copy_of is missing"
    listing = ("--keep", rule, "--csv", tmp_path / "list.csv")
    assert curate("report", tmp_path / "rows", "--bundle", small.folder, *listing).exit_code == 0
    assert (tmp_path / "list.csv").read_text("utf-8").count(",1\n") == 5
    done = curate("apply", tmp_path / "rows", "--keep", rule, "--to", tmp_path / "kept")
    assert done.exit_code == 0, done.output
    assert "5 of 9 files are in" in done.stdout
    (repository / "a/0.png").unlink()
    (tmp_path / "kept/a/0.png").unlink()
    done = curate("apply", tmp_path / "rows", "--keep", rule, "--to", tmp_path / "kept")
    assert done.exit_code == 1
    assert "1 were left out" in done.stderr


def test_an_interruption_says_how_to_go_on(
    small: Bundle, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[Any] = []

    def interrupted(*arguments: Any) -> Any:
        calls.append(arguments)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return rows_of(*arguments)

    monkeypatch.setattr(alone, "rows_of", interrupted)
    options = ("--out", tmp_path / "rows", "--bundle", small.folder, "--workers", 0, "--batch", 2)
    done = curate(repository, *options)
    assert done.exit_code == 1
    assert "Stopped after 4 of 9 files; their rows are written, and the same command goes on." in done.stderr
    monkeypatch.undo()
    assert "4 had a row, 5 were scored" in curate(repository, *options).stdout
    assert len(read_table(tmp_path / "rows")) == 9


def test_wrong_use_is_told(small: Bundle, repository: Path, tmp_path: Path, curated: Curated) -> None:
    out = ("--out", tmp_path / "other")
    assert refused(repository) == (
        "Name what to look through, and --out DIR: sitegen curate scans --out rows.",
        2,
    )
    assert refused(repository, *out, "--scheduler", "tcp://x:1", "--workers", 2)[1] == 2
    assert "TLS needs all of" in refused(repository, *out, "--tls-ca", repository / "a/0.png")[0]
    message, code = refused(tmp_path / "nowhere", *out, "--workers", 0)
    assert "nowhere" in message
    assert code == 2
    rows = curated(repository)
    assert refused("apply", rows, "--keep", "colour == 'red'", "--to", tmp_path / "kept")[1] == 2
    assert "scored with another bundle" in refused("report", rows)[0]


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        sys.modules["sitegen.cli.curate._needs"], "find_spec", lambda name: None if name == "dask" else sys
    )
    assert refused("scans", "--out", "rows") == ("This needs dask: pip install 'offline-sitegen[curate]'", 2)
