"""The architecture holds: who imports whom, told from the syntax trees of all modules."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RUNTIME = sorted((ROOT / "runtime").rglob("*.py"))
TOOL = sorted((ROOT / "sitegen").rglob("*.py"))
PACKAGES = sorted({path.parent for path in (*RUNTIME, *TOOL)})
TREES = [ROOT / name for name in ("runtime", "sitegen", "templates", "tests")]
FILES_IN_TREES = [path for tree in TREES for path in tree.rglob("*.*") if path.is_file() and path.suffix != ".pyc"]
FOLDERS = sorted({path.parent for path in FILES_IN_TREES})
LINES = 300
FILES = 20
# From the top down: a room imports from rooms below its own floor, never from beside it or above.
LAYERS = (
    {"cli", "api", "listing"},
    {"recipe", "importing", "curation"},
    {"evaluation"},
    {"gate", "browser", "project", "generation"},
    {"export", "training"},
    {"data", "networks"},
    {"prediction", "site", "settings", "calibration"},
    {"bundle", "metrics"},
    {"graphs", "gradient", "parallel", "phantom", "replacing", "resources"},
    {"locking"},
    {"errors"},
)
LEVEL = {room: level for level, rooms in enumerate(LAYERS) for room in rooms}
TRAINING_ONLY = {"torch", "onnxscript", "sklearn", "skimage", "scipy", "matplotlib"}
MAY_TRAIN = {"generation", "recipe", "importing", "evaluation", "gate", "export", "training", "data", "networks"} | {
    "metrics",
    "calibration",
    "api",  # names torch for type checkers alone: `test_torch_is_not_even_loaded`
}
BARRED = {"training", "networks", "gate", "generation"}  # what is imported of them may import torch


def imported(path: Path) -> Iterator[str]:
    """The full names of all that a module imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute here"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room(path: Path) -> str:
    """The first part of a module's name below `sitegen`, "" for the package itself."""
    relative = path.relative_to(ROOT / "sitegen")
    return relative.parts[0] if len(relative.parts) > 1 else relative.stem.replace("__init__", "")


def package_root(path: Path) -> Path:
    return ROOT / "runtime" if path.is_relative_to(ROOT / "runtime") else ROOT


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", RUNTIME, ids=named)
def test_the_runtime_imports_the_standard_library_and_itself(path: Path) -> None:
    tops = {name.split(".")[0] for name in imported(path)}
    assert tops <= sys.stdlib_module_names | {"sitegen_runtime"}


def test_importing_the_runtime_loads_nothing_else() -> None:
    program = (
        "import sys; before = set(sys.modules); import sitegen_runtime.browser\n"
        "print(sorted({name.split('.')[0] for name in set(sys.modules) - before} - sys.stdlib_module_names))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['sitegen_runtime']"


@pytest.mark.parametrize("path", TOOL, ids=named)
def test_dependencies_point_one_way(path: Path) -> None:
    own = room(path)
    if not own:  # the public face: `test_importing_it_loads_nothing_else` holds it to nothing at all
        return
    assert own in LEVEL, f"say in LAYERS where {own!r} stands"
    for name in imported(path):
        parts = name.split(".")
        if parts[0] == "sitegen" and parts[1] in LEVEL:
            assert parts[1] == own or LEVEL[parts[1]] > LEVEL[own], f"{own} may not import {name}"


@pytest.mark.parametrize("path", [path for path in TOOL if room(path) not in MAY_TRAIN], ids=named)
def test_the_core_runs_without_torch(path: Path) -> None:
    assert TRAINING_ONLY.isdisjoint(name.split(".")[0] for name in imported(path))
    # A verb may train: it imports what it needs when it runs, and `test_torch_is_not_even_loaded` holds it to that.
    barred = [] if room(path) == "cli" else [name for name in imported(path) if name.startswith("sitegen.")]
    assert BARRED.isdisjoint(name.split(".")[1] for name in barred)


@pytest.mark.parametrize(
    "module",
    [
        "sitegen.site",
        "sitegen.prediction",
        "sitegen.api.predictor",
        "sitegen.api.imports",
        "sitegen.api.sites",
        "sitegen.browser.verify",
        "sitegen.cli",
        "sitegen.importing.bundle",
        "sitegen.importing.sources.onnx_model",
        "sitegen.importing.sources.tfjs_model",
    ],
)
def test_torch_is_not_even_loaded(module: str) -> None:
    program = f"import sys; import {module}; print(sorted({TRAINING_ONLY!r} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_modules_are_short() -> None:
    lengths = {named(path): len(path.read_text("utf-8").splitlines()) for path in [*RUNTIME, *TOOL]}
    assert len(lengths) > 60
    assert {name: lines for name, lines in lengths.items() if lines > LINES} == {}


def inner(path: Path, package: Path) -> str:
    """Where a module stands in a package: the folder next below, or the module itself."""
    return path.relative_to(package).with_suffix("").parts[0]


@pytest.mark.parametrize("package", PACKAGES, ids=named)
def test_no_circle_of_rooms(package: Path) -> None:
    prefix = ".".join(package.relative_to(package_root(package)).parts)
    names = {each.stem if each.is_file() else each.name for each in package.iterdir()}
    below: dict[str, set[str]] = {}
    for path in package.rglob("*.py"):
        own = inner(path, package)
        if own != "__init__":
            inside = [name.removeprefix(f"{prefix}.") for name in imported(path) if name.startswith(f"{prefix}.")]
            below.setdefault(own, set()).update({name.split(".")[0] for name in inside} & names - {own})
    list(TopologicalSorter(below).static_order())  # raises CycleError, which names the circle


@pytest.mark.parametrize("folder", FOLDERS, ids=named)
def test_a_folder_can_be_taken_in_at_a_glance(folder: Path) -> None:
    assert sum(path.is_file() for path in folder.iterdir()) <= FILES


@pytest.mark.parametrize("package", PACKAGES, ids=named)
def test_no_room_stands_empty(package: Path) -> None:
    assert len(list(package.rglob("*.py"))) > 1
