"""`python -m tests.javascript.check`: the types of the project's JavaScript, which TypeScript's compiler holds to.

A project is a configuration of the compiler beside this file, of scripts that run in one scope: those of the page, of
its worker, of the workers that decode, the service worker, the build's own, and the report of curating. Pyodide, ONNX
Runtime Web and js-sha256 bring their types, so that what is called of them is checked, too. npm installs the compiler
as `package-lock.json` pins it, once.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from sitegen.errors import AssetError
from sitegen.site.cache import cached_folder, key_of
from sitegen.site.engines.files import install_engines
from sitegen.site.engines.node import find_node

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[1]
PROJECTS = ("page", "worker", "codecs", "service_worker", "build", "curation")
_TYPES = {  # of packages that a site carries
    "js-sha256": "js-sha256/index.d.ts",
    "onnxruntime-common": "onnxruntime-common/dist/esm/index.d.ts",
    "pyodide": "pyodide/pyodide.d.ts",
    "pyodide/ffi": "pyodide/ffi.d.ts",
}


def install() -> Path:
    """Return the folder of npm's packages that the check needs. Raises AssetError where they cannot be had."""
    names = ("package.json", "package-lock.json")

    def fill(folder: Path) -> None:
        for name in names:
            shutil.copy(FOLDER / name, folder / name)
        arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--include=dev"]
        find_node().run_npm(arguments, folder=folder, what="Installing TypeScript with npm")

    key = key_of((FOLDER / name).read_bytes() for name in names)
    return cached_folder("typescript", key, fill) / "node_modules"


def problems(project: str, *more: Path) -> list[str]:
    """Return what the compiler finds wrong with a project, a line each, with further files in its scope."""
    return _compile(project, more).splitlines()


def scripts(project: str) -> set[Path]:
    """Return the project's JavaScript files."""
    listed = map(Path, _compile(project, (), "--listFilesOnly").splitlines())
    return {path.resolve() for path in listed if path.suffix in (".js", ".mjs")}


def _compile(project: str, more: tuple[Path, ...], *options: str) -> str:
    modules, engines = install(), install_engines().modules
    whole = {
        "extends": str(FOLDER / f"{project}.json"),
        **({"files": [str(path) for path in more]} if more else {}),
        "compilerOptions": {
            "paths": {name: [str(engines / path)] for name, path in _TYPES.items()},
            "typeRoots": [str(modules / "@types")],
        },
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tsconfig.json"
        path.write_text(json.dumps(whole), encoding="utf-8")
        command = [find_node().node, str(modules / "typescript" / "bin" / "tsc"), "--project", str(path), *options]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False)
    if done.returncode and not done.stdout:
        raise AssetError(f"TypeScript's compiler failed (exit {done.returncode}):\n{done.stderr.strip()[-1500:]}")
    return done.stdout


def main() -> int:
    """Print what is wrong; return 0 where nothing is, 1 where something is, 2 where nothing could be checked."""
    try:
        found = [line for project in PROJECTS for line in problems(project)]
        count = len(set().union(*map(scripts, PROJECTS)))
    except AssetError as error:
        print(error, file=sys.stderr)
        return 2
    print("\n".join(found) if found else f"No problems in the types of {count} scripts.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
