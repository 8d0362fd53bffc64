"""Masked boxes: where they lie, where else, and what is made of the effects."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from sitegen.bundle import Bundle
from sitegen.cli import app
from sitegen.errors import DataError, SettingsError
from sitegen.evaluation.effects.boxed import ELSEWHERE, boxed_study, elsewhere
from sitegen.evaluation.effects.document_types import BoxEffectsDocument
from sitegen.evaluation.effects.study import Distribution
from sitegen.prediction import Predictor
from tests.helpers.bundles import make_bundle
from tests.helpers.runtime.images import picture, saved
from tests.helpers.typed_documents import hold

TABLE = """image,finding,x,y,w,h
0,Effusion,0.25,0.5,0.25,0.25
0,Effusion,0.5,0.5,0.125,0.25
1,Pneumonia,0.0,0.0,0.9,0.9
1,Mass,0.0,0.0,0.5,0.5
2,Effusion,0.1,0.1,0.2,0.2
"""


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return make_bundle(tmp_path_factory.mktemp("bundles") / "boxed")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("boxed")
    for seed in range(2):
        (folder / f"{seed}.png").write_bytes(saved(picture(64, 64, seed=seed, colour=0.0), "PNG"))
    (folder / "2.png").write_bytes(b"no image")
    (folder / "boxes.csv").write_text(TABLE, "utf-8")
    return folder


def test_boxes_are_moved_together_and_apart_from_where_they_were() -> None:
    own = np.array([[10.0, 20.0, 12.0, 8.0], [30.0, 20.0, 6.0, 8.0]])
    places = elsewhere(own, [4, 0, 64, 64], np.random.default_rng(1))
    assert len(places) == ELSEWHERE
    for moved in places:
        assert np.array_equal(moved[:, 2:], own[:, 2:])
        assert np.allclose(np.diff(moved[:, :2], axis=0), np.diff(own[:, :2], axis=0))
        assert (moved[:, :2] >= [4, 0]).all()
        assert (moved[:, :2] + moved[:, 2:] <= [68, 64]).all()
        drawn = np.zeros((2, 100, 100))
        for number, boxes in enumerate((own, moved)):
            for left, top, width, height in np.round(10 * boxes).astype(int) // 10:
                drawn[number, top + 1 : top + height - 1, left + 1 : left + width - 1] = 1
        assert not (drawn[0] * drawn[1]).any()
    assert elsewhere(np.array([[0.0, 0.0, 60.0, 60.0]]), [0, 0, 64, 64], np.random.default_rng(1)) == []
    assert elsewhere(np.array([[0.0, 0.0, 70.0, 10.0]]), [0, 0, 64, 64], np.random.default_rng(1)) == []


def test_cases_are_what_if_of_their_boxes(bundle: Bundle, folder: Path) -> None:
    steps: list[tuple[int, int]] = []
    over = Distribution(filling="mean", resamples=50)
    document = boxed_study(
        bundle, [folder], folder / "boxes.csv", over, advance=lambda done, total: steps.append((done, total))
    )
    hold(BoxEffectsDocument, [document])
    assert steps == [(1, 3), (2, 3), (3, 3)]
    first, second = document["cases"]
    regions = [[16, 32, 16, 16], [32, 32, 8, 16]]
    tried = Predictor(bundle).what_if(folder / "0.png", [{"regions": regions, "filling": "mean"}]).document["what_if"]
    expected = tried[0]["findings"][2]
    assert (first["finding"], first["before"], first["effect"]) == ("Effusion", expected["before"], expected["effect"])
    assert first["elsewhere"] is not None
    assert (second["finding"], second["elsewhere"]) == ("Pneumonia", None)  # it fits nowhere else
    whole, effusion, pneumonia = sorted(
        document["findings"], key=lambda each: ["all", "Effusion", "Pneumonia"].index(each["finding"])
    )
    assert (whole["cases"], whole["compared"], whole["patients"]) == (2, 1, 2)
    assert whole["effect"]["value"] == pytest.approx((first["effect"] + second["effect"]) / 2)
    assert effusion["difference"] is not None
    assert effusion["difference"]["value"] == pytest.approx(first["effect"] - first["elsewhere"])
    assert pneumonia["difference"] is None
    assert [Path(entry["file"]).name for entry in document["unreadable"]] == ["2.png"]


def test_the_verb_and_wrong_use(bundle: Bundle, folder: Path, tmp_path: Path) -> None:
    arguments = ["evaluate", "effects", str(folder), "--bundle", str(bundle.folder)]
    boxes = ["--boxes", str(folder / "boxes.csv"), "--json", str(tmp_path / "e.json")]
    done = CliRunner().invoke(app, [*arguments, *boxes])
    assert done.exit_code == 0, done.output
    assert "Boxes masked where they are, and in up to 8 other places; filled: black" in done.output
    assert json.loads((tmp_path / "e.json").read_text("utf-8"))["schema"] == "sitegen.box-effects/1"
    assert isinstance(CliRunner().invoke(app, [*arguments, "--split", "test"]).exception, SettingsError)
    (tmp_path / "others.csv").write_text("image,finding,x,y,w,h\nx,Effusion,0,0,1,1\n", "utf-8")
    with pytest.raises(DataError):
        boxed_study(bundle, [folder], tmp_path / "others.csv", Distribution())
