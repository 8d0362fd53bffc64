"""The command line, as people and scripts use it: what it prints, where, and its exit codes."""

import json
import os
import re
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sitegen.bundle import Bundle
from sitegen.phantom import phantom
from tests.helpers.browser.gate_bundle import make_gate_bundle
from tests.helpers.runtime.images import picture, saved

ROOT = Path(__file__).parents[2]
VERBS = (
    *("new", "build", "serve", "predict", "explain", "verify", "sign"),
    *("info", "gradient", "data", "train", "evaluate", "export", "import"),
)
HEAVY = (
    "onnx",
    "onnxruntime",
    "numpy",
    "selenium",
    "rich.progress",
    "pydantic",
    "jinja2",
    "PIL",
    "torch",
    "sitegen.bundle",
)


def sitegen(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sitegen.cli", *map(os.fsdecode, map(_encodable, arguments))],
        capture_output=True,
        env=os.environ | {"COLUMNS": "200"} | environment,
        encoding="utf-8",
        errors="surrogateescape",
        check=False,
    )


def _encodable(argument: object) -> str | bytes:
    return argument if isinstance(argument, bytes) else str(argument)


@pytest.fixture
def images(tmp_path: Path) -> dict[str, Path]:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8))
    contents = {
        "good.png": saved(picture(80, 60, seed=1, colour=0.05), "PNG"),
        "bad.png": saved(picture(80, 60, seed=2, colour=0.05), "PNG")[:-40],
        "other.jpg": saved(picture(60, 80, seed=3, colour=0.05), "JPEG"),
        "noise.png": saved(noise, "PNG"),
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    return {name.split(".")[0]: tmp_path / name for name in contents}


def test_help_names_every_verb_and_the_warning() -> None:
    done = sitegen("--help")
    assert done.returncode == 0
    for verb in VERBS:
        assert re.search(rf"^\s*{verb}\s", done.stdout, re.MULTILINE), verb
    assert "Not for diagnostic use." in done.stdout


@pytest.mark.parametrize("verb", VERBS)
def test_help_of_a_verb(verb: str) -> None:
    done = sitegen(verb, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"sitegen.cli {verb}" in done.stdout


def test_help_imports_nothing_heavy() -> None:
    program = (
        "import sys; sys.argv = ['sitegen', '--help']\nfrom sitegen.cli import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        f"print('imported:', [name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "imported: []"


@pytest.mark.parametrize(
    "arguments",
    [["no-such-verb"], ["predict"], ["predict", "--no-such-option", "a.png"], ["verify", "--transport", "x"]],
)
def test_wrong_use_gives_2(arguments: list[str]) -> None:
    done = sitegen(*arguments)
    assert done.returncode == 2
    assert "Usage: " in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    "arguments", [["predict", "a.png", "--bundle"], ["info"], ["build", "--bundle"], ["verify", "--bundle"]]
)
def test_no_bundle_gives_2_and_no_traceback(tmp_path: Path, arguments: list[str]) -> None:
    done = sitegen(*arguments, tmp_path)
    assert done.returncode == 2
    assert (
        done.stderr.startswith(f"sitegen: {tmp_path} is not a bundle") or f"sitegen: {tmp_path} is not" in done.stderr
    )
    assert "Traceback" not in done.stderr


def test_a_damaged_bundle_says_what_is_wrong(bundle: Bundle, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(bundle.folder, tmp_path / "bundle"))
    (folder / "gate.weights").unlink()
    done = sitegen("info", folder)
    assert done.returncode == 2
    assert "gate.weights is missing" in done.stderr


def test_predict_prints_json_lines_in_order_and_goes_on_after_a_bad_file(
    bundle: Bundle, images: dict[str, Path]
) -> None:
    order = [images["good"], images["bad"], Path("/no/such/file.png"), images["other"]]
    done = sitegen("predict", *order, "--bundle", bundle.folder, "--json")
    assert done.returncode == 1
    documents = [json.loads(line) for line in done.stdout.splitlines()]
    assert [document["image"]["name"] for document in documents] == [str(path) for path in order]
    codes = [document.get("error", {}).get("code") for document in documents]
    assert codes == [None, "damaged-image", "unreadable-file", None]
    assert [len(document.get("findings", [])) for document in documents] == [3, 0, 0, 3]
    assert {document["schema"] for document in documents} == {"sitegen.result/1"}


def test_predict_gives_0_where_every_image_was_analysed(bundle: Bundle, images: dict[str, Path]) -> None:
    done = sitegen("predict", images["good"], images["noise"], "--bundle", bundle.folder, "--json")
    assert done.returncode == 0
    assert [json.loads(line)["gate"]["accepted"] for line in done.stdout.splitlines()] == [True, False]


def test_force(bundle: Bundle, images: dict[str, Path]) -> None:
    plain, forced = (
        json.loads(sitegen("predict", images["noise"], "--bundle", bundle.folder, "--json", *flag).stdout)
        for flag in ([], ["--force"])
    )
    assert (plain["findings"], plain.get("forced")) == ([], None)
    assert (len(forced["findings"]), forced["forced"]) == (3, True)


def test_a_correction(bundle: Bundle, images: dict[str, Path], tmp_path: Path) -> None:
    command = ("predict", "--bundle", bundle.folder, "--json", "--correction", "turn-90")
    document = json.loads(sitegen(*command, images["good"]).stdout)
    with Image.open(images["good"]) as image:
        image.transpose(Image.Transpose.ROTATE_270).save(tmp_path / "turned.png")  # which is clockwise
    turned = json.loads(sitegen("predict", tmp_path / "turned.png", "--bundle", bundle.folder, "--json").stdout)
    assert document["correction"] == "turn-90"
    assert document["notes"] == [
        "The image was turned clockwise by 90° before it was analysed, because that was asked for."
    ]
    assert document["tensors"] == turned["tensors"]
    wrong = sitegen("predict", images["good"], "--correction", "turn-45")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "turn-270" in wrong.stderr


def test_what_would_put_an_image_right_is_said(tmp_path: Path) -> None:
    bundle = make_gate_bundle(tmp_path / "model")
    upright = Image.fromarray(phantom(0, 256))
    upright.transpose(Image.Transpose.ROTATE_180).save(tmp_path / "a.png")
    done = sitegen("predict", tmp_path / "a.png", "--bundle", bundle.folder, COLUMNS="2000")
    assert "Try --correction turn-180." in done.stdout
    limits = "ssim at least 0.8000, turned at most 0.0500, l1 at most 0.3000, ssim-gaussian at least -0.9000"
    assert limits in sitegen("info", bundle.folder, COLUMNS="2000").stdout


def test_predict_for_people(bundle: Bundle, images: dict[str, Path]) -> None:
    done = sitegen("predict", images["good"], images["noise"], images["bad"], "--bundle", bundle.folder)
    assert done.returncode == 1
    for text in ("Analysed", "Pneumonia: ", "Not analysed: this image is unlike", "This file is damaged"):
        assert text in done.stdout
    assert done.stdout.rstrip().endswith("Not for diagnostic use.")


def test_names_are_printed_as_they_are(bundle: Bundle, images: dict[str, Path], tmp_path: Path) -> None:
    # rich would take "[/b]" for its own markup, and ":x:" for an emoji.
    folder = tmp_path / "odd[b"
    folder.mkdir()
    path = folder / "b] :x: [red]é.png"
    closing = tmp_path / "a["
    closing.mkdir()
    (closing / "b].png").write_bytes(images["good"].read_bytes())
    path.write_bytes(images["good"].read_bytes())
    done = sitegen("predict", path, closing / "b].png", "--bundle", bundle.folder, COLUMNS="400")
    assert done.returncode == 0
    assert str(path) in done.stdout
    assert str(closing / "b].png") in done.stdout


@pytest.mark.skipif(sys.platform != "linux", reason="only there are names of files any bytes")
@pytest.mark.parametrize("flags", [["--json"], []])
def test_names_that_are_no_text(bundle: Bundle, images: dict[str, Path], tmp_path: Path, flags: list[str]) -> None:
    name = os.fsencode(tmp_path) + b"/r\xf6ntgen.png"
    with open(name, "wb") as file:  # noqa: PTH123 - the name is bytes
        file.write(images["good"].read_bytes())
    for encoding in ("utf-8:strict", "ascii:strict"):
        done = sitegen("predict", name, "--bundle", bundle.folder, *flags, PYTHONIOENCODING=encoding)
        assert (done.returncode, done.stderr) == (0, "")
    if flags:
        assert os.fsencode(json.loads(done.stdout)["image"]["name"]) == name


def test_info(bundle: Bundle) -> None:
    done = sitegen("info", bundle.folder)
    assert (done.returncode, done.stderr) == (0, "")
    for text in (
        "test-model 1.0",
        bundle.model.sha256,
        "classifier.onnx; takes image [1, 1, 32, 32] grey",
        "Pneumonia; operating point 0.4500; piecewise-linear",
        "ssim at least 0.5000",
        "5, 0.00 MB, all hashes as recorded",
    ):
        assert text in done.stdout, text


def test_build_refuses_a_folder_of_other_things(bundle: Bundle, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("all of it")
    done = sitegen("build", "--bundle", bundle.folder, "--out", tmp_path)
    assert done.returncode == 2
    assert "is not a site that sitegen built" in done.stderr
    assert (tmp_path / "thesis.txt").read_text() == "all of it"


@pytest.fixture
def data_set(tmp_path: Path) -> Path:
    for name, seed in (("a", 1), ("b", 2)):
        (tmp_path / f"{name}.png").write_bytes(saved(picture(80, 60, seed=seed, colour=0.05), "PNG"))
    rows = "a.png,here,Mass|Nodule,train,p1\nb.png,here,No Finding,test,p2\n"
    (tmp_path / "table.csv").write_text("file,source,findings,split,patient\n" + rows)
    return tmp_path


def test_audit_of_a_sound_data_set(data_set: Path) -> None:
    report, drawing = data_set / "report.json", data_set / "pairs.svg"
    done = sitegen("data", "audit", data_set / "table.csv", "--json", report, "--co-occurrence", drawing)
    assert (done.returncode, done.stderr) == (0, "")
    assert "2 images of 2 patients" in done.stdout
    assert done.stdout.endswith("No problems found.\n")
    assert json.loads(report.read_text())["labels"] == ["Mass", "Nodule"]
    assert "Mass with Nodule: 1 of 1 images" in drawing.read_text()


def test_audit_of_a_data_set_with_problems(data_set: Path) -> None:
    with (data_set / "table.csv").open("a") as table:
        table.write("gone.png,here,Mass,train,p2\n")
    done = sitegen("data", "audit", data_set / "table.csv", "--workers", 1)
    assert (done.returncode, done.stderr) == (1, "")
    assert "2 problem(s) found." in done.stdout
    done = sitegen("data", "audit", data_set / "table.csv", "--only-present")
    assert done.returncode == 0


def test_audit_of_nothing_gives_2(data_set: Path) -> None:
    for arguments, message in (
        ([data_set / "none"], "does not exist"),
        ([data_set], "has no folders with images"),
        ([data_set / "table.csv", "--findings", "finding"], "lacks the column(s) finding"),
        ([data_set / "table.csv", "--json", data_set / "none" / "report.json"], "report.json cannot be written"),
    ):
        done = sitegen("data", "audit", *arguments)
        assert done.returncode == 2
        assert message in done.stderr
        assert "Traceback" not in done.stderr


def test_serve(site: Path) -> None:
    command = [sys.executable, "-u", "-m", "sitegen.cli", "serve", str(site), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            found = re.search(r"http://127\.0\.0\.1:(\d+)/index\.html", line)
            assert found, line
            with urllib.request.urlopen(found.group(0), timeout=30) as answer:  # noqa: S310 - our own server
                assert answer.read() == (site / "index.html").read_bytes()
        finally:
            process.kill()


def test_serve_needs_a_site(tmp_path: Path) -> None:
    done = sitegen("serve", tmp_path)
    assert done.returncode == 2
    assert "is not a built site" in done.stderr


def test_verify_needs_a_site_of_this_bundle(tmp_path: Path, bundle: Bundle, site: Path) -> None:
    done = sitegen("verify", "--site", tmp_path, "--bundle", bundle.folder)
    assert done.returncode == 2
    assert "is not a built site" in done.stderr
    done = sitegen("verify", "--site", site)
    assert done.returncode == 2
    assert "was built from the bundle test-model 1.0" in done.stderr


def test_nothing_tells_people_to_install_the_other_sitegen() -> None:
    # On PyPI the name belongs to another project.
    wrong = re.compile(r"(?:pip|pipx|uv)\s+(?:\S+\s+)*?install\s+(?:-\S+\s+)*[\"']?sitegen\b")
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True
    )
    if listed.returncode:
        pytest.skip("no git checkout")
    files = [ROOT / name for name in listed.stdout.splitlines() if name != "tests/cli/test_verbs.py"]
    texts = {path: path.read_text("utf-8", "ignore") for path in files if path.is_file()}
    assert len(texts) > 50
    assert [str(path) for path, text in texts.items() if wrong.search(text)] == []
    assert wrong.search("pip install sitegen")
    assert wrong.search("python -m pip install --upgrade 'sitegen[train]'")
    assert not wrong.search("pip install offline-sitegen")
