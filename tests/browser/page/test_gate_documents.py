"""The gate's numbers on the page are those of Python: both stages, corrected or forced or neither."""

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sitegen.bundle import Bundle
from sitegen.phantom import phantom
from sitegen.prediction import Predictor
from tests.helpers.browser.gate_bundle import CHEST, DARK_TOP
from tests.helpers.browser.support import Standing, noise, png, written

pytestmark = pytest.mark.browser


def on_its_side(pixels: np.ndarray) -> bytes:
    """A file that lies on its side, and whose EXIF orientation (6) turns it upright."""
    exif, file = Image.Exif(), io.BytesIO()
    exif[0x0112] = 6
    Image.fromarray(np.ascontiguousarray(np.rot90(pixels))).save(file, "PNG", exif=exif.tobytes())
    return file.getvalue()


IMAGES = {
    "chest": png(CHEST),
    "another chest": png(phantom(seed=7, size=256)),
    "upside down": png(CHEST[::-1, ::-1]),
    "inverted": png(255 - CHEST),
    "dark above": png(DARK_TOP),
    "noise": noise(),
    "wide, stored on its side": on_its_side(np.pad(CHEST, ((0, 0), (20, 41)))),
}
EXACT = ("ssim", "turned", "l1", "ssim-gaussian")  # of a reconstruction that both engines give to the bit


@pytest.mark.parametrize("correction", [None, "turn-90", "turn-180", "invert"])
@pytest.mark.parametrize("forced", [False, True])
def test_the_page_gives_pythons_documents(
    standing: Standing, gate_site: Path, gate_bundle: Bundle, correction: str | None, forced: bool
) -> None:
    predictor = Predictor(gate_bundle)
    page = standing(gate_site)
    for name, data in IMAGES.items():
        ours: Any = page.analyse(data, name, force=forced, correction=correction)
        theirs: Any = predictor.analyse(data, name, force=forced, correction=correction).document
        assert set(ours) == set(theirs)
        assert (ours["seen"]["share"] < 1) == name.startswith("wide")
        for key in set(theirs) - {"engine", "timings", "gate", "findings"}:
            assert ours[key] == theirs[key], key
        compare_gates(ours["gate"], theirs["gate"])
        for finding, reference in zip(ours["findings"], theirs["findings"], strict=True):
            assert finding == {**reference, **{key: finding[key] for key in ("logit", "probability")}}
            assert finding["logit"] == pytest.approx(reference["logit"], abs=1e-5)


def compare_gates(ours: Any, theirs: Any) -> None:
    for key in set(theirs) - {"scores", "reason", "score", "position"}:
        assert ours[key] == theirs[key], key
    assert (ours["reason"] is None) == (theirs["reason"] is None)
    assert ours["score"] == pytest.approx(theirs["score"], abs=1e-9)
    assert ours["position"] == pytest.approx(theirs["position"], abs=1e-8)
    assert len(ours["scores"]) == len(theirs["scores"])
    for score, reference in zip(ours["scores"], theirs["scores"], strict=True):
        tolerance = 1e-9 if reference["metric"] in EXACT else 1e-6
        assert score["value"] == pytest.approx(reference["value"], abs=tolerance), reference["metric"]
        assert score["position"] == pytest.approx(reference["position"], abs=1e-5)
        for key in set(reference) - {"value", "position"}:
            assert score[key] == reference[key]


def test_predict_prints_the_pages_document(
    standing: Standing, gate_site: Path, gate_bundle: Bundle, tmp_path: Path
) -> None:
    path = written(tmp_path, "wrong.png", IMAGES["upside down"])
    command = [sys.executable, "-m", "sitegen.cli", "predict", "--bundle", gate_bundle.folder, "--json"]
    done = subprocess.run(
        [*map(str, command), "--correction", "turn-180", str(path)], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    printed = json.loads(done.stdout)
    theirs = printed[0] if isinstance(printed, list) else printed
    ours = standing(gate_site).analyse(IMAGES["upside down"], str(path), correction="turn-180")
    assert set(ours) == set(theirs)
    assert ours["correction"] == theirs["correction"] == "turn-180"
    assert (ours["tensors"], ours["notes"]) == (theirs["tensors"], theirs["notes"])
    compare_gates(ours["gate"], theirs["gate"])
