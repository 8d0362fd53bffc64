"""Projects on the command line: `new`, and how `build`, `serve` and `verify` find what they are about."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sitegen.bundle import Bundle


def sitegen(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the command line in a folder."""
    command = [sys.executable, "-m", "sitegen.cli", *map(str, arguments)]
    environment = os.environ | {"COLUMNS": "200"}
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment, check=False)


def project(folder: Path, bundle: Bundle, more: str = "") -> Path:
    folder.mkdir(exist_ok=True)
    text = f'title = "Our page"\nbundles = ["{bundle.folder.as_posix()}"]\n{more}'
    (folder / "sitegen.toml").write_text(text, "utf-8")
    return folder


def title(site: Path) -> str:
    return (site / "index.html").read_text("utf-8").partition("<title>")[2].partition("</title>")[0]


def test_new_writes_a_project_and_says_what_comes_next(tmp_path: Path) -> None:
    done = sitegen(tmp_path, "new", "our page")
    assert (done.returncode, done.stderr) == (0, "")
    assert "cd 'our page' && sitegen serve --watch" in done.stdout
    assert (tmp_path / "our page" / "sitegen.toml").is_file()
    again = sitegen(tmp_path, "new", "our page")
    assert again.returncode == 2
    assert again.stderr.startswith("sitegen: our page is a project already")


def test_build_reads_the_project_of_this_folder(tmp_path: Path, bundle: Bundle) -> None:
    done = sitegen(project(tmp_path, bundle), "build")
    assert done.returncode == 0, done.stderr
    assert title(tmp_path / "dist") == "Our page"


def test_build_reads_the_project_that_is_named_and_bundles_go_before_it(
    tmp_path: Path, bundle: Bundle, gradient_bundle: Bundle
) -> None:
    folder = project(tmp_path / "project", bundle)
    (tmp_path / "elsewhere").mkdir()
    named = ("--project", folder / "sitegen.toml", "--bundle", gradient_bundle.folder)
    done = sitegen(tmp_path / "elsewhere", "build", *named)
    assert done.returncode == 0, done.stderr
    assert title(tmp_path / "elsewhere" / "dist") == "Our page"
    assert gradient_bundle.model.sha256 in (tmp_path / "elsewhere" / "dist" / "manifest.json").read_text("utf-8")


def test_unknown_keys_warn_and_fail_with_strict(tmp_path: Path, bundle: Bundle) -> None:
    project(tmp_path, bundle, 'colors = "blue"\n')
    done = sitegen(tmp_path, "build")
    assert done.returncode == 0
    assert "Warning: sitegen.toml: colors is not a key; did you mean colours?" in done.stderr
    strict = sitegen(tmp_path, "build", "--strict", "--out", "strict")
    assert strict.returncode == 2
    assert strict.stderr == "sitegen: sitegen.toml: colors is not a key; did you mean colours?\n"
    assert not (tmp_path / "strict").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("build", "--project", "none.toml"), "none.toml cannot be read"),
        (
            ("build", "--recipe", "r.toml", "--bundle", "b"),
            "leave out --bundle, --project, --strict and --no-service-worker",
        ),
        (
            ("build", "--recipe", "r.toml", "--strict"),
            "leave out --bundle, --project, --strict and --no-service-worker",
        ),
        (("serve", "--bundle", "b"), "--project and --bundle belong to --watch"),
        (("serve", "--watch", "--bundle", "none"), "none is not a bundle"),
        (("verify", "--project", "none.toml"), "none.toml cannot be read"),
    ],
)
def test_wrong_use(tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    done = sitegen(tmp_path, *arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_verify_reads_the_project_too(tmp_path: Path, bundle: Bundle, gradient_site: Path) -> None:
    done = sitegen(project(tmp_path, bundle), "verify", "--site", gradient_site)
    assert done.returncode == 2
    assert f"which is not {bundle.folder} as it is now" in done.stderr
