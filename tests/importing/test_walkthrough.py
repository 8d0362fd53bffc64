"""The documented way for a network that sitegen does not know: from an empty folder, as a new user walks it."""

import re
import runpy
import shlex
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from sitegen.browser.chromium import missing
from sitegen.bundle import load_bundle
from sitegen.cli import app
from sitegen.data.tensors.cache import image_tensors
from sitegen.prediction import Predictor

TEXT = (Path(__file__).parents[2] / "docs" / "import-own-network.md").read_text("utf-8")


def block(kind: str) -> str:
    (found,) = re.findall(rf"```{kind}\n(.*?)```", TEXT, re.DOTALL)
    return str(found)


def run(command: list[str]) -> str:
    done = CliRunner().invoke(app, command, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.skipif(missing() is not None, reason=str(missing()))
def test_the_five_commands_work_from_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_network.py").write_text(block("python"), encoding="utf-8")
    (tmp_path / "import.toml").write_text(block("toml"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert 'python -c "import torch, my_network; torch.save(my_network.make().state_dict(), ' in TEXT
    torch.manual_seed(4)
    network = runpy.run_path("my_network.py")["make"]().eval()
    torch.save(network.state_dict(), "weights.pt")
    commands = [
        shlex.split(line) for line in re.findall(r"^    (.+)$", TEXT[TEXT.index("Five commands:") :], re.MULTILINE)
    ]
    install, *steps, serve = commands
    assert install == ["pip", "install", "offline-sitegen[import]"]
    assert [step[:2] for step in (*steps, serve)] == [
        ["sitegen", "import"],
        ["sitegen", "build"],
        ["sitegen", "verify"],
        ["sitegen", "serve"],
    ]
    imported, built, verified = [run(step[1:]) for step in steps]
    assert "The graphs give the logits of the original, run by PyTorch" in imported
    assert "Not for diagnostic use." in built
    assert "The page computes what Python computes." in verified
    names = {path.name for path in tmp_path.iterdir()} - {"__pycache__"}
    assert names == {
        "my_network.py", "import.toml", "weights.pt", "bundle", "weights-import.html", "weights-import.json", "dist",
    }  # fmt: skip
    bundle = load_bundle(tmp_path / "bundle")
    image = bundle.path("golden.png")
    tensor = image_tensors(image.read_bytes(), {"image": bundle.model.graphs["classifier"].images[0]})["image"]
    with torch.inference_mode():
        expected = network(torch.from_numpy(tensor.copy())).sigmoid()[0].double().numpy()
    findings = Predictor(bundle).predict(image)["findings"]
    assert np.abs([finding["probability"] for finding in findings] - expected).max() < 1e-5
    assert [(finding["label"], finding["operating_point"]) for finding in findings] == [
        ("Effusion", 0.5),
        ("Mass", 0.3),
    ]
