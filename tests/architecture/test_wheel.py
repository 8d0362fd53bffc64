"""The wheel, in an environment that holds nothing else: what people get, away from any checkout."""

import json
import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow


def run(*command: object, cwd: Path) -> str:
    """Run a command away from the checkout; return what it printed."""
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(
        list(map(str, command)), cwd=cwd, env=environment, capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, f"{command}:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def pip_of(commands: Path) -> tuple[object, ...]:
    """The pip of these tests, at work in that environment, which needs none of its own."""
    return (sys.executable, "-m", "pip", "--python", commands / "python")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    options = ("--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", folder)
    run(sys.executable, "-m", "pip", "wheel", *options, ROOT, cwd=folder)
    (path,) = folder.iterdir()
    return path


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of commands of an environment with the wheel and what it needs."""
    folder = tmp_path_factory.mktemp("environment") / "venv"
    venv.create(folder)
    commands = folder / ("Scripts" if os.name == "nt" else "bin")
    # Without bytecode, which takes longer than all else: Python makes what it needs of it.
    install = (*pip_of(commands), "install", "--quiet", "--no-compile")
    run(*install, "--no-deps", "--require-hashes", "--requirement", ROOT / "requirements" / "site.txt", cwd=folder)
    run(*install, "--no-index", wheel, cwd=folder)  # what it needs is there, or this fails
    return commands


def test_the_wheel_is_complete_and_holds_nothing_else(wheel: Path) -> None:
    assert wheel.name.startswith("offline_sitegen-")
    names = set(zipfile.ZipFile(wheel).namelist())
    shipped = {
        f"sitegen/_shipped/{path.relative_to(ROOT).as_posix()}"
        for path in (*(ROOT / "templates").rglob("*"), *(ROOT / "models").rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }
    engines = {"sitegen/site/engines/package.json", "sitegen/site/engines/package-lock.json"}
    begun = {f"sitegen/project/template/{name}" for name in ("sitegen.toml", "gitignore", "README.md")}
    assert shipped | engines | begun | {"sitegen_runtime/analysis.py", "sitegen/py.typed"} <= names
    assert not [name for name in names if name.startswith(("tests/", "docs/", "benchmarks/")) or "__pycache__" in name]
    assert {name.split("/")[0] for name in names} == {
        "sitegen",
        "sitegen_runtime",
        f"{wheel.name.split('-py3')[0]}.dist-info",
    }


def test_nothing_large_was_installed_and_no_checkout_is_used(installed: Path, tmp_path: Path) -> None:
    listed = json.loads(run(*pip_of(installed), "list", "--format", "json", cwd=tmp_path))
    names = {entry["name"].lower() for entry in listed}
    assert "offline-sitegen" in names
    assert names.isdisjoint({"torch", "scipy", "scikit-learn", "scikit-image", "matplotlib", "sitegen"})
    program = (
        "import json\nfrom sitegen import resources as r\n"
        "print(json.dumps([str(p()) for p in (r.runtime_source, r.templates, r.models, r.engines)]))"
    )
    folders = json.loads(run(installed / "python", "-c", program, cwd=tmp_path))
    for folder in folders:
        assert Path(folder).is_relative_to(installed.parent), folder
        assert Path(folder).is_dir()


def test_a_site_is_built_from_the_bundle_that_ships(installed: Path, tmp_path: Path) -> None:
    printed = run(installed / "sitegen", "build", cwd=tmp_path)
    site = tmp_path / "dist"
    assert "Not for diagnostic use." in printed
    files = json.loads((site / "manifest.json").read_text("utf-8"))["files"]
    there = {path.relative_to(site).as_posix(): path.stat().st_size for path in site.rglob("*") if path.is_file()}
    del there["manifest.json"], there["SHA256SUMS"]
    ours = ("classifier.weights", "gate.weights", "golden.png")
    files_of_the_model = [f"bundles/chest-radiograph/{name}" for name in ours]
    assert {name: entry["bytes"] for name, entry in files.items()} == there
    for start in (*files_of_the_model, "snapshot.bin", "worker.js"):
        assert any(name.startswith(f"assets/{start}.") for name in there), start
    assert {"index.html", "card.html", "licences/index.html", "licences/MPL-2.0.txt"} <= there.keys()


def test_the_golden_image_gives_what_the_bundle_says(installed: Path, tmp_path: Path) -> None:
    program = "from sitegen import resources; print(resources.default_bundle())"
    bundle = Path(run(installed / "python", "-c", program, cwd=tmp_path).strip())
    golden = json.loads((bundle / "bundle.json").read_text("utf-8"))["golden"]
    printed = run(installed / "sitegen", "predict", bundle / golden["image"], "--json", cwd=tmp_path)
    document = json.loads(printed)
    assert document["tensors"] == golden["tensors"]
    assert document["gate"]["accepted"] is True
    assert document["gate"]["score"] == pytest.approx(golden["gate"], abs=1e-6)
    logits = {finding["label"]: finding["logit"] for finding in document["findings"]}
    assert logits == pytest.approx(golden["logits"], abs=1e-4)
    assert "Pneumonia" in run(installed / "sitegen", "info", bundle, cwd=tmp_path)
