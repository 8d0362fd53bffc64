"""`sitegen predict` loses nothing: what is done is printed at once, whatever comes after it."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from typer.testing import CliRunner

from sitegen.bundle import Bundle
from sitegen.cli import app
from sitegen.phantom import phantom
from sitegen.prediction import Predictor
from tests.helpers.bundles import make_bundle


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return make_bundle(tmp_path_factory.mktemp("bundle"))


@pytest.fixture
def images(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / f"{number}.png" for number in range(3)]
    for number, path in enumerate(paths):
        Image.fromarray(phantom(number, 64)).save(path)
    return paths


def run(*arguments: object) -> Any:
    return CliRunner().invoke(app, ["predict", *map(str, arguments)])


@pytest.mark.parametrize("flags", [["--json"], []])
def test_an_interruption_keeps_what_is_done(
    bundle: Bundle, images: list[Path], monkeypatch: pytest.MonkeyPatch, flags: list[str]
) -> None:
    honest = Predictor.predict

    def interrupted(self: Predictor, image: Path, **options: Any) -> Any:
        if image == images[2]:
            raise KeyboardInterrupt
        return honest(self, image, **options)

    monkeypatch.setattr(Predictor, "predict", interrupted)
    done = run(*images, "--bundle", bundle.folder, *flags)
    assert done.exit_code == 1
    assert "Stopped after 2 of 3 images; what is printed is complete." in done.stderr
    if flags:
        names = [json.loads(line)["image"]["name"] for line in done.stdout.splitlines()]
        assert names == [str(path) for path in images[:2]]
    else:
        assert [line for line in done.stdout.splitlines() if line.endswith(".png")] == [str(p) for p in images[:2]]
        assert done.stdout.endswith("Not for diagnostic use.\n")


@pytest.mark.parametrize("flags", [["--json"], []])
def test_each_result_is_printed_before_the_next_image_is_opened(
    bundle: Bundle, images: list[Path], monkeypatch: pytest.MonkeyPatch, flags: list[str]
) -> None:
    order: list[str] = []
    honest, echo = Predictor.predict, sys.modules["typer"].echo

    def watched(self: Predictor, image: Path, **options: Any) -> Any:
        order.append(f"open {image.name}")
        return honest(self, image, **options)

    def said(message: Any = "", **options: Any) -> None:
        order.extend(f"print {path.name}" for path in images if path.name in str(message))
        echo(message, **options)

    monkeypatch.setattr(Predictor, "predict", watched)
    monkeypatch.setattr("typer.echo", said)
    assert run(*images, "--bundle", bundle.folder, *flags).exit_code == 0
    assert order == [f"{what} {path.name}" for path in images for what in ("open", "print")]


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such files")
def test_what_is_no_file_is_an_error_of_its_own(bundle: Bundle, images: list[Path], tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    done = run(tmp_path / "pipe", "/dev/zero", tmp_path / ("n" * 400), images[0], "--bundle", bundle.folder, "--json")
    documents = [json.loads(line) for line in done.stdout.splitlines()]
    codes = [document.get("error", {}).get("code") for document in documents]
    assert codes == ["unreadable-file", "unreadable-file", "unreadable-file", None]
    assert done.exit_code == 1


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such names")
def test_a_name_gives_a_terminal_no_commands(bundle: Bundle, images: list[Path], tmp_path: Path) -> None:
    path = tmp_path / "a\x1b]0;mine\x07\nNormal: 1 %.png"
    path.write_bytes(images[0].read_bytes())
    done = run(path, tmp_path / "none\x1b[2J.png", "--bundle", bundle.folder)
    assert "\x1b" not in done.stdout
    assert f"{tmp_path}/a\\x1b]0;mine\\x07\\nNormal: 1 %.png" in done.stdout.splitlines()
    assert "none\\x1b[2J.png cannot be read" in done.stdout
