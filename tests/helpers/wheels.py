"""Wheels that tests make."""

import zipfile
from pathlib import Path

SOURCE = "NAME = 'a package of ours'\n\ndef double(number):\n    return 2 * number\n"


def make_wheel(
    folder: Path,
    name: str = "our_package",
    *,
    version: str = "1.0",
    tag: str = "py3-none-any",
    requires: tuple[str, ...] = (),
    files: dict[str, str] | None = None,
) -> Path:
    """Write a wheel with one package, which has the function `double`; return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{version}-{tag}.whl"
    information = f"{name}-{version}.dist-info"
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", "License: MIT"]
    lines += [f"Requires-Dist: {entry}" for entry in requires]
    contents = {
        f"{name}/__init__.py": SOURCE,
        f"{information}/METADATA": "\n".join(lines) + "\n",
        f"{information}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n",
        f"{information}/licenses/LICENSE": "Do what you like.",
        f"{information}/RECORD": "",
    }
    with zipfile.ZipFile(path, "w") as archive:
        for file, text in (contents | (files or {})).items():
            archive.writestr(file, text)
    return path
