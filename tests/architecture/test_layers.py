"""The architecture holds: who imports whom, told from the syntax trees of all modules."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RUNTIME = sorted((ROOT / "runtime").rglob("*.py"))
TOOL = sorted((ROOT / "sitegen").rglob("*.py"))
LINES = 300
# From the top down: a room may import from its own layer's rooms and from those below.
LAYERS = (
    {"cli"},
    {"importing"},
    {"recipe", "project"},
    {"site", "browser", "training", "evaluation", "explanation"},
    {"export", "data", "networks", "gradient", "phantom", "anomaly"},
    {"prediction"},  # needs nothing but a bundle; `export` has it compute a golden example
    {"bundle"},
    {"signature", "calibration"},
    {"settings"},
    {"resources", "errors"},
)
LEVEL = {room: level for level, rooms in enumerate(LAYERS) for room in rooms}
TRAINING_ONLY = {"torch", "onnxscript", "sklearn", "skimage", "scipy", "matplotlib"}
MAY_TRAIN = {"recipe", "importing", "networks", "training", "export", "data", "evaluation", "anomaly"}


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


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", RUNTIME, ids=named)
def test_the_runtime_imports_the_standard_library_and_itself(path: Path) -> None:
    tops = {name.split(".")[0] for name in imported(path)}
    # DICOM files are read with pydicom, which is pure Python too and comes in with the first of them.
    assert tops <= sys.stdlib_module_names | {"sitegen_runtime", "pydicom"}


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
    if not own:
        assert not [name for name in imported(path) if name.startswith("sitegen.")]
        return
    assert own in LEVEL, f"say in LAYERS where {own!r} stands"
    for name in imported(path):
        parts = name.split(".")
        if parts[0] == "sitegen" and parts[1] in LEVEL:
            assert LEVEL[parts[1]] >= LEVEL[own], f"{own} may not import {name}"


@pytest.mark.parametrize("path", [path for path in TOOL if room(path) not in MAY_TRAIN], ids=named)
def test_the_core_runs_without_torch(path: Path) -> None:
    assert TRAINING_ONLY.isdisjoint(name.split(".")[0] for name in imported(path))
    for name in imported(path):
        parts = name.split(".")
        # What may import torch must not come in by the back door.
        assert parts[:2] not in (["sitegen", barred] for barred in ("training", "networks", "anomaly")), name


@pytest.mark.parametrize(
    "module",
    [
        "sitegen.site",
        "sitegen.prediction",
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
