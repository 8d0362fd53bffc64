"""The walk of docs/python.md, block by block as readers run it: in a plain interpreter, and in a Jupyter kernel."""

import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import sitegen
from sitegen.browser.chromium import missing
from tests.helpers.documents import read

END = "\x1e"


@dataclass(frozen=True)
class Block:
    """A block of Python, whether it takes a browser, and what the document says that it prints, if it says so."""

    code: str
    browser: bool
    prints: str | None


def blocks() -> list[Block]:
    fences = re.findall(r"```(python|python browser|text)\n(.*?)```", read("docs/python.md"), re.DOTALL)
    following = [*fences[1:], ("", "")]
    return [
        Block(code, kind == "python browser", text if next_kind == "text" else None)
        for (kind, code), (next_kind, text) in zip(fences, following, strict=True)
        if kind != "text"
    ]


PLAIN = [block for block in blocks() if not block.browser]
BROWSER = [block for block in blocks() if block.browser]


def printed(parts: Sequence[Block], folder: Path) -> list[str]:
    """What each block prints, run one after the other in an interpreter of their own."""
    program = f"\nprint({END!r}, end='')\n".join([*(part.code for part in parts), ""])
    done = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", program], cwd=folder, capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split(END)[:-1]


def test_there_is_something_to_walk() -> None:
    assert len(PLAIN) >= 10
    assert len(BROWSER) == 3
    assert sum(block.prints is not None for block in PLAIN) >= 8
    model, site, _ = (block.code.strip().splitlines() for block in BROWSER)
    assert model[-1] == ")"  # a network: everything else is in the next block
    assert len(site) < 10


@pytest.mark.slow
def test_in_a_plain_interpreter(tmp_path: Path) -> None:
    outputs = printed(PLAIN, tmp_path)
    assert len(outputs) == len(PLAIN)
    for block, output in zip(PLAIN, outputs, strict=True):
        assert block.prints is None or output == block.prints
    assert (tmp_path / "explanation.png").is_file()


def streamed(cell: Any) -> str:
    return "".join(output["text"] for output in cell.outputs if output.output_type == "stream")


@pytest.mark.slow
def test_in_a_notebook(tmp_path: Path) -> None:
    nbclient = pytest.importorskip("nbclient", reason="the package nbclient is not installed")
    nbformat = pytest.importorskip("nbformat", reason="the package nbformat is not installed")
    pytest.importorskip("ipykernel", reason="the package ipykernel is not installed")
    cells = [nbformat.v4.new_code_cell(block.code) for block in PLAIN]
    notebook = nbformat.v4.new_notebook(cells=cells)
    client = nbclient.NotebookClient(
        notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute()  # raises CellExecutionError, with the cell, where one fails
    for block, cell in zip(PLAIN, notebook.cells, strict=True):
        assert block.prints is None or streamed(cell) == block.prints
        assert {output.name for output in cell.outputs if output.output_type == "stream"} <= {"stdout"}
    drawn = {
        cell.source.strip().splitlines()[-1]: output["data"]["text/html"]
        for cell in notebook.cells
        for output in cell.outputs
        if output.output_type == "execute_result" and "text/html" in output["data"]
    }
    assert set(drawn) == {"result", "explanation"}
    assert "at or above the operating point" in drawn["result"]
    assert drawn["explanation"].count("<img ") == 1
    for html in drawn.values():
        assert "Not for diagnostic use" in html
        assert "<script" not in html


@pytest.mark.slow
def test_the_lines_of_the_readme(tmp_path: Path) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", read("README.md"), re.DOTALL)
    assert len(code.splitlines()) < 12
    sitegen.phantom.write_phantom(tmp_path / "image.png")
    (output,) = printed([Block(code, False, None)], tmp_path)
    assert output.splitlines()[-1].startswith("No finding ")
    assert (tmp_path / "where.png").is_file()
    assert (tmp_path / "dist" / "index.html").is_file()


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.skipif(missing() is not None, reason=str(missing()))
def test_from_a_model_in_memory_to_a_verified_site(tmp_path: Path) -> None:
    assert printed(BROWSER, tmp_path) == [block.prints or "" for block in BROWSER]
    assert (tmp_path / "site" / "index.html").is_file()
    assert (tmp_path / "bundle-import.html").is_file()
