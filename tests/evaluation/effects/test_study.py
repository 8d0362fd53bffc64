"""Expected effects of files: documents, tables, what is left out, and wrong use."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from sitegen.bundle import Bundle
from sitegen.cli import app
from sitegen.errors import SettingsError
from sitegen.evaluation.effects.document_types import EffectsDocument
from sitegen.evaluation.effects.study import Distribution, study
from tests.helpers.bundles import make_bundle
from tests.helpers.runtime.images import picture, saved
from tests.helpers.typed_documents import hold


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return make_bundle(tmp_path_factory.mktemp("bundles") / "effects")


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("images")
    for seed in range(3):
        (folder / f"{seed}.png").write_bytes(saved(picture(64, 64, seed=seed, colour=0.0), "PNG"))
    (folder / "broken.png").write_bytes(b"no image")
    return folder


def test_means_over_images_and_what_was_left_out(bundle: Bundle, images: Path) -> None:
    steps: list[int] = []
    paths = sorted(images.iterdir())
    document = study(bundle, paths, Distribution(runs=6), advance=lambda: steps.append(1))
    hold(EffectsDocument, [document])
    assert len(steps) == 4
    assert [entry["file"] for entry in document["unreadable"]] == [str(images / "broken.png")]
    for place, finding in enumerate(document["findings"]):
        means = [image["findings"][place]["effect"] for image in document["images"]]
        assert finding["effect"]["value"] == pytest.approx(np.mean(means))
        assert min(means) - 1e-12 <= finding["effect"]["low"] <= finding["effect"]["high"] <= max(means) + 1e-12
    assert all(0 <= (image["changed_passed"] or 0) <= 1 for image in document["images"])


def test_of_one_image_the_interval_is_that_of_its_draws(bundle: Bundle, images: Path) -> None:
    document = study(bundle, [images / "0.png"], Distribution("squares", filling="mean", runs=5))
    (own,), finding = document["images"], document["findings"][1]["effect"]
    given = own["findings"][1]
    assert finding["low"] == pytest.approx(given["effect"] - 1.96 * given["effect_error"])
    assert finding["high"] > finding["low"]


def test_the_verb(bundle: Bundle, images: Path, tmp_path: Path) -> None:
    arguments = ["evaluate", "effects", str(images), "--bundle", str(bundle.folder), "--runs", "3"]
    done = CliRunner().invoke(app, [*arguments, "--masking", "grid", "--json", str(tmp_path / "e.json")])
    assert done.exit_code == 0, done.output
    assert "3 image(s), 3 interventions on each: grid, 10 % of the image, filled: black" in done.output
    assert "left out" in done.output
    assert json.loads((tmp_path / "e.json").read_text("utf-8"))["masking"] == "grid"


@pytest.mark.parametrize(
    ("given", "words"),
    [({"share": 0.7}, "at most 0.5"), ({"masking": "stripes"}, "no masking")],
)
def test_wrong_use(bundle: Bundle, images: Path, given: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        study(bundle, [images / "0.png"], Distribution(**given))
