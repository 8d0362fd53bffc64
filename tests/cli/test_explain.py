"""`sitegen explain` and `sitegen predict --explain`: pictures, documents, what is refused, and exit codes."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFont
from pydicom.uid import JPEGLSLossless

from sitegen.bundle import Bundle
from sitegen.cli import app
from sitegen.prediction import Predictor
from sitegen.prediction.overlay import explained_image, with_legend
from sitegen_runtime.maps.heat_map import Look
from sitegen_runtime.maps.heat_map import picture as drawn
from sitegen_runtime.pixels.tensor import tensor_hash
from sitegen_runtime.running import image_input
from tests.helpers.bundles import make_bundle
from tests.helpers.dicom_files import as_bytes, radiograph
from tests.helpers.runtime.images import picture, saved

SCENE = picture(90, 60, seed=1, colour=0.05)


def sitegen(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sitegen.cli", *map(str, arguments)],
        capture_output=True,
        env=os.environ | {"COLUMNS": "200"},
        encoding="utf-8",
        check=False,
    )


@pytest.fixture(scope="module")
def explained(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return make_bundle(tmp_path_factory.mktemp("bundles") / "explained", explained=True)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "scene.png"
    path.write_bytes(saved(SCENE, "PNG"))
    return path


def explain(bundle: Bundle, image: Path, out: Path, *options: object) -> subprocess.CompletedProcess[str]:
    return sitegen("explain", image, "-o", out, "--bundle", bundle.folder, *options)


def test_a_picture_is_the_image_with_the_map_over_its_square(explained: Bundle, image: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "out.png"
    options = ["--finding", "Pneumonia", "--method", "saliency", "--opacity", "1", "--threshold", "0", "--blur", "0"]
    done = explain(explained, image, out, *options, "--colour-map", "inferno")
    assert (done.returncode, done.stderr) == (0, "")
    assert "saliency of Pneumonia" in done.stdout
    assert "Not for diagnostic use." in done.stdout
    (found,) = Predictor(explained).explain(image, [{"finding": "Pneumonia", "method": "saliency"}]).maps
    overlay = Image.frombytes("RGBA", (16, 16), drawn(found.values, found.shape, (16, 16), Look(1, "inferno", 0, 0)))
    expected = SCENE.convert("RGBA")
    expected.alpha_composite(overlay.resize((60, 60), Image.Resampling.BILINEAR), (15, 0))
    with Image.open(out) as written:
        assert written.width == 480  # as wide as the legend needs
        seen = written.convert("RGB").crop((195, 0, 285, 60))
    assert np.array_equal(np.asarray(seen), np.asarray(expected.convert("RGB")))
    assert np.array_equal(np.asarray(seen)[:, :15], np.asarray(SCENE.convert("RGB"))[:, :15])  # outside the square


@pytest.mark.parametrize("correction", [None, "turn-90", "invert"])
def test_a_picture_of_dicom_is_that_of_its_luma(explained: Bundle, tmp_path: Path, correction: str | None) -> None:
    grey = np.asarray(SCENE.convert("L"))
    deep = grey.astype(np.uint16) * 257  # 255 shares of a range that begins at 0 and ends at 65,535
    grey = np.floor((deep.astype(float) - deep.min()) / (deep.max() - deep.min()) * 255 + 0.5).astype(np.uint8)
    files = {"scene.png": saved(Image.fromarray(grey), "PNG"), "scene.dcm": as_bytes(radiograph(deep, JPEGLSLossless))}
    drawings = []
    for name, data in files.items():
        found = Predictor(explained).explain(
            data, [{"finding": "Pneumonia", "method": "saliency"}], name=name, force=True, correction=correction
        )
        grid = image_input(explained.model, "classifier").grid
        drawings.append(np.asarray(explained_image(data, found, found.maps[0], grid, Look())))
    assert np.array_equal(drawings[0], drawings[1])


def test_below_the_picture_stands_what_the_page_says(
    explained: Bundle, image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines: list[str] = []

    def seen(picture: Image.Image, said: Sequence[str], look: Look) -> Image.Image:
        lines.extend(said)
        return with_legend(picture, said, look)

    monkeypatch.setattr("sitegen.prediction.explained_picture.with_legend", seen)
    options = ["--force", "--finding", "all", "--method", "guided-grad-cam", "--correction", "turn-90"]
    files = ["-o", str(tmp_path / "out.png"), "--bundle", str(explained.folder)]
    app(["explain", str(image), *files, *options], standalone_mode=False)
    assert lines[:2] == ["Guided Grad-CAM for all findings together", "scene.png"]
    assert lines[2].startswith(("Strongest ", "Nothing "))
    assert lines[3].startswith("Guided methods fail sanity checks: ")
    assert "The image was turned by 90° clockwise before it was analysed." in lines
    assert lines[-1].startswith("Not for diagnostic use. ")


def test_long_lines_are_wrapped_below_a_small_picture() -> None:
    small = Image.new("RGB", (40, 30))
    word = with_legend(small, ["word"], Look())
    line = with_legend(small, [" ".join(["word"] * 100)], Look())
    row = 13 * 3 // 2
    assert (word.width, word.height) == (480, 30 + 2 * row + 13)
    font = ImageFont.load_default(13)
    fitting = max(count for count in range(1, 100) if font.getlength(" ".join(["word"] * count)) <= 480 - 2 * 13)
    assert line.height == 30 + (-(-100 // fitting) + 1) * row + 13


def test_the_file_says_what_it_shows(explained: Bundle, image: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.png"
    explain(explained, image, out, "--finding", "all")
    with Image.open(out) as written:
        written.load()
        fields = json.loads(written.info["sitegen.explanation"])
    assert (fields["finding"], fields["method"], fields["shape"]) == ("all", "grad-cam", [14, 14])
    assert fields["bundle"]["sha256"] == explained.model.sha256
    assert fields["look"] == {"opacity": 0.75, "colour_map": "viridis", "threshold": 0.1, "blur": None}
    (found,) = Predictor(explained).explain(image, [{"finding": "all", "method": "grad-cam"}]).maps
    assert fields["sha256"] == tensor_hash(found.values)


@pytest.mark.parametrize("correction", ["turn-90", "turn-180", "turn-270", "invert"])
def test_a_corrected_image_is_shown_as_it_was_analysed(
    explained: Bundle, image: Path, tmp_path: Path, correction: str
) -> None:
    out = tmp_path / "out.png"
    options = ["--finding", "Pneumonia", "--opacity", "0.001", "--threshold", "0.99", "--correction", correction]
    assert explain(explained, image, out, *options, "--force").returncode == 0
    scene = np.asarray(SCENE.convert("RGB")).astype(int)
    turns = {"turn-90": 3, "turn-180": 2, "turn-270": 1}  # NumPy turns against the clock
    expected = np.rot90(scene, turns[correction]) if correction in turns else 255 - scene
    height, width = expected.shape[:2]
    with Image.open(out) as written:
        left = (written.width - width) // 2
        seen = np.asarray(written.convert("RGB").crop((left, 0, left + width, height))).astype(int)
    assert np.abs(seen - expected).max() <= 1


def test_sixteen_bits_and_exif_are_shown_upright(explained: Bundle, tmp_path: Path) -> None:
    path, out = tmp_path / "deep.png", tmp_path / "out.png"
    levels = np.asarray(SCENE.convert("L")).astype(np.uint16) * 257
    Image.fromarray(levels).save(path)
    options = ["--finding", "Pneumonia", "--opacity", "0.001", "--threshold", "0.99", "--force"]
    assert explain(explained, path, out, *options).returncode == 0
    with Image.open(out) as written:
        seen = np.asarray(written.convert("RGB").crop((195, 0, 285, 60))).astype(int)
    assert np.abs(seen - np.asarray(SCENE.convert("L").convert("RGB")).astype(int)).max() <= 1


def test_a_refused_image_is_explained_by_force_alone(image: Path, tmp_path: Path) -> None:
    strict = make_bundle(tmp_path / "strict", explained=True, threshold=0.9999)
    out = tmp_path / "out.png"
    done = explain(strict, image, out, "--finding", "Pneumonia")
    assert done.returncode == 1
    assert "The gate refused it" in done.stderr
    assert "--force" in done.stderr
    assert not out.exists()
    assert explain(strict, image, out, "--finding", "Pneumonia", "--force").returncode == 0
    with Image.open(out) as written:
        written.load()
        assert json.loads(written.info["sitegen.explanation"])["forced"]


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--finding", "Fracture"], 2, "no finding 'Fracture'. It has 'Atelectasis'"),
        (["--finding", "Pneumonia", "--method", "magic"], 2, "magic"),
        (["--finding", "Pneumonia", "--opacity", "0"], 2, "above 0"),
        (["--finding", "Pneumonia", "--threshold", "1"], 2, "less than 1"),
        (["--finding", "Pneumonia", "--colour-map", "jet"], 2, "jet"),
        (["--finding", "Pneumonia", "--blur", "99"], 2, "from 0 to 50"),
    ],
)
def test_wrong_use(explained: Bundle, image: Path, tmp_path: Path, options: list[str], code: int, words: str) -> None:
    done = explain(explained, image, tmp_path / "out.png", *options)
    assert (done.returncode, words in done.stderr) == (code, True)
    assert "Traceback" not in done.stderr


def test_what_is_no_picture_and_what_is_no_png(explained: Bundle, image: Path, tmp_path: Path) -> None:
    assert "does not end in .png" in explain(explained, image, tmp_path / "out.jpg", "--finding", "all").stderr
    image.write_bytes(image.read_bytes()[:-40])
    done = explain(explained, image, tmp_path / "out.png", "--finding", "all")
    assert done.returncode == 1
    assert "cannot be explained" in done.stderr


def test_a_bundle_without_the_graph_gives_1(bundle: Bundle, image: Path, tmp_path: Path) -> None:
    done = explain(bundle, image, tmp_path / "out.png", "--finding", "Pneumonia")
    assert done.returncode == 1
    assert "has no network of the role 'cam'" in done.stderr


def test_predict_adds_explanations(explained: Bundle, image: Path) -> None:
    wanted = ["--explain", "cam:Pneumonia", "--explain", "saliency:all"]
    done = sitegen("predict", image, "--bundle", explained.folder, "--json", *wanted)
    assert (done.returncode, done.stderr) == (0, "")
    document = json.loads(done.stdout)
    assert [(entry["method"], entry["finding"]) for entry in document["explanations"]] == [
        ("cam", "Pneumonia"),
        ("saliency", "all"),
    ]
    assert all("values" not in entry for entry in document["explanations"])
    plain = json.loads(sitegen("predict", image, "--bundle", explained.folder, "--json").stdout)
    assert document["findings"] == plain["findings"]
    assert "explanations" not in plain


def test_predict_gives_values_where_they_are_asked_for(explained: Bundle, image: Path) -> None:
    done = sitegen(
        *("predict", image, "--bundle", explained.folder, "--json", "--explain", "cam:Pneumonia", "--explain-values")
    )
    (entry,) = json.loads(done.stdout)["explanations"]
    (found,) = Predictor(explained).explain(image, [{"finding": "Pneumonia", "method": "cam"}]).maps
    assert entry["values"] == list(found.values)


def test_predict_says_what_could_not_be_explained(explained: Bundle, image: Path) -> None:
    done = sitegen("predict", image, "--bundle", explained.folder, "--explain", "cam:Fracture")
    assert done.returncode == 1
    assert "no finding 'Fracture'" in " ".join(done.stdout.replace("│", " ").split())
    assert "Pneumonia" in done.stdout


@pytest.mark.parametrize("text", ["Pneumonia", "cam:", ":Pneumonia", "magic:Pneumonia"])
def test_predict_refuses_what_is_no_method_and_label(explained: Bundle, image: Path, text: str) -> None:
    done = sitegen("predict", image, "--bundle", explained.folder, "--explain", text)
    assert done.returncode == 2
    assert "is not METHOD:LABEL" in " ".join(done.stderr.replace("│", " ").split())
