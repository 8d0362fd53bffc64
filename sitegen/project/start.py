"""Beginning a project: a folder with every option, commented."""

import json
from collections.abc import Iterator
from pathlib import Path

from sitegen.bundle import DESCRIPTION
from sitegen.errors import SettingsError
from sitegen.project.settings import PROJECT_FILE
from sitegen.site.integrity.site_files import MANIFEST

_TEMPLATE = Path(__file__).parent / "template"
# A file of the template -> its name in the project. (Tools of this project would obey a ".gitignore" in it.)
FILES = {PROJECT_FILE: PROJECT_FILE, "gitignore": ".gitignore", "README.md": "README.md"}


def new_project(folder: Path) -> list[Path]:
    """Write the files of a new project into a folder, which is made where it does not exist; return those written.

    The folder may hold bundles, which are then entered in `sitegen.toml`, a built site, and what lies in every
    repository; such files are kept. Raises SettingsError where it holds something else, or is a project already.
    """
    _refuse_foreign(folder)
    bundles = sorted(path.name for path in folder.glob("*") if (path / DESCRIPTION).is_file())
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for source, name in FILES.items():
        path = folder / name
        if not path.exists():
            path.write_text(_with_bundles(template(source), bundles), encoding="utf-8", newline="\n")
            written.append(path)
    return written


def template(name: str) -> str:
    """Return the text of a file that new projects begin with."""
    return (_TEMPLATE / name).read_text("utf-8")


def _refuse_foreign(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise SettingsError(f"{folder} is a file: name a folder.")
    if (folder / PROJECT_FILE).exists():
        raise SettingsError(f"{folder} is a project already: edit its {PROJECT_FILE}, or name another folder.")
    if foreign := next(_foreign(folder), None):
        raise SettingsError(
            f"{folder} is not empty: {foreign.name} is no part of a project. Name an empty folder, or one with bundles."
        )


def _foreign(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.glob("*")):
        usual = path.name.startswith((".", "README", "LICENSE"))
        if not usual and not (path / DESCRIPTION).is_file() and not (path / MANIFEST).is_file():
            yield path


def _with_bundles(text: str, bundles: list[str]) -> str:
    if not bundles:
        return text
    lines = [
        f"bundles = {json.dumps(bundles)}" if line.startswith("#bundles = ") else line for line in text.split("\n")
    ]
    return "\n".join(lines)
