"""What is no file, or too much of one, ends in a coded error at once, and never in waiting or in a full memory."""

import os
import socket
import sys
from pathlib import Path

import pytest
from PIL import Image

from sitegen.bundle import Bundle
from sitegen.data.audit.look import look
from sitegen.errors import SettingsError
from sitegen.phantom import phantom
from sitegen.prediction import Predictor, reading
from sitegen.prediction.reading import read_image_file
from sitegen.project.teaching import read_cases
from sitegen_runtime.errors import TooLarge, UnreadableFile
from tests.helpers.bundles import make_bundle

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="there are no such files")


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return make_bundle(tmp_path_factory.mktemp("bundle"))


def test_a_file_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(bytes(range(256)) * 9 + b"\r\n")
    assert read_image_file(path) == bytes(range(256)) * 9 + b"\r\n"


@POSIX
def test_what_is_no_file(tmp_path: Path) -> None:
    pipe, address = tmp_path / "pipe", tmp_path / "socket"
    os.mkfifo(pipe)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(os.path.relpath(address))  # such addresses are short
        for path, said in (
            (pipe, "is a pipe, not a file"),
            (Path("/dev/zero"), "is a device, not a file"),
            (tmp_path, "is a folder, not a file"),
            (address, "cannot be read"),
            (tmp_path / "none", "cannot be read: No such file"),
            (tmp_path / ("n" * 300), "cannot be read: File name too long"),
            (Path("a\0b"), "cannot be read: embedded null"),
        ):
            with pytest.raises(UnreadableFile, match=said):
                read_image_file(path)


def test_more_than_memory_should_take(tmp_path: Path) -> None:
    path = tmp_path / "sparse.png"
    with path.open("wb") as file:
        file.truncate(1 << 40)  # a terabyte, of which nothing is written
    with pytest.raises(TooLarge, match="has 1,099,511,627,776 bytes; no more than 2,147,483,648 are read"):
        read_image_file(path)
    path.write_bytes(bytes(10))
    assert read_image_file(path, largest=10) == bytes(10)
    with pytest.raises(TooLarge, match="has 10 bytes; no more than 9 are read"):
        read_image_file(path, largest=9)


@POSIX
def test_results_and_explanations_carry_the_code(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe, image = tmp_path / "pipe", tmp_path / "image.png"
    os.mkfifo(pipe)
    Image.fromarray(phantom(0, 64)).save(image)
    predictor = Predictor(bundle)
    wanted = [{"finding": "all", "method": "saliency"}]
    assert predictor.predict(pipe)["error"]["code"] == "unreadable-file"
    assert predictor.explain(pipe, wanted).document["error"]["code"] == "unreadable-file"
    assert predictor.gradient(pipe, {}).document["error"]["code"] == "unreadable-file"
    monkeypatch.setattr(reading, "LARGEST_FILE", 100)
    assert predictor.predict(image)["error"]["code"] == "too-large"
    assert predictor.explain(image, wanted).document["error"]["code"] == "too-large"
    assert look(image).problem.startswith("has ")


@POSIX
def test_elsewhere_too(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.png")
    (tmp_path / "cases.csv").write_text("file,labels,caption\na.png,,\n")
    with pytest.raises(SettingsError, match="is a pipe, not a file"):
        read_cases(tmp_path)
    assert look(tmp_path / "a.png").problem == "is a pipe, not a file. Name a file with an image in it."
