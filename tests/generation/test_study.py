"""The study of docs/projection.md, run from there: from images to a test, by its commands alone."""

import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from sitegen.cli import app
from sitegen.evaluation.reconstructions.table import read_table
from sitegen.phantom import phantom
from tests.helpers.bundles import make_bundle
from tests.helpers.documents import read


def commands(text: str) -> list[list[str]]:
    (block,) = re.findall(r"<!-- study: begin -->\n(.*?)<!-- study: end -->", text, re.DOTALL)
    return [shlex.split(line)[1:] for line in block.splitlines() if line.strip()]


def write(folder: Path, seeds: range, *, marked: bool) -> None:
    folder.mkdir()
    for seed in seeds:
        image = np.array(Image.fromarray(phantom(seed=seed, size=64)))
        if marked:
            image[20:44, 20:44] = 255
        Image.fromarray(image).save(folder / f"{seed:02d}.png")


def test_the_study_in_the_documents_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = read("docs/projection.md")
    monkeypatch.chdir(tmp_path)
    write(Path("images"), range(24), marked=False)
    write(Path("usual"), range(24, 28), marked=False)
    write(Path("unusual"), range(28, 32), marked=True)
    make_bundle(Path("bundle"), explained=True)
    (settings,) = re.findall(r"```toml\n(name = \"study\".*?)```", text, re.DOTALL)
    Path("study.toml").write_text(settings, "utf-8")
    for words in commands(text):
        done = CliRunner().invoke(app, words)
        assert done.exit_code == 0, f"{words}: {done.output} {done.exception!r}"
    assert len(list(Path("drawn").iterdir())) == 24
    assert json.loads(Path("frechet.json").read_text())["frechet"] > 0
    assert [row["image"] for row in read_table(Path("unusual-projected/distances.csv"))] == ["28", "29", "30", "31"]
    detected = json.loads(Path("anomaly.json").read_text())["detected"]
    assert [(each["distance"], each["anomaly_images"]) for each in detected] == [("mse", 4), ("patch_mse", 4)]
    (test,) = json.loads(Path("permutation.json").read_text())["tests"]
    assert test["sizes"] == [4, 4] and 0 < test["p"] <= 1
