"""A map in which nothing is above 0 is called empty wherever it is shown, and has no scale of colours."""

import json
from array import array
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image, ImageChops

from sitegen.phantom import phantom
from sitegen.prediction import Predictor
from sitegen.prediction.explained_picture import ExplainedPicture
from sitegen_runtime.maps.heat_map import Look
from tests.helpers.bundles import make_bundle

EMPTY = "Nothing in this image raises the finding: the map is empty."


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> ExplainedPicture:
    folder = tmp_path_factory.mktemp("explained")
    path = folder / "image.png"
    Image.fromarray(phantom(0, 64)).save(path)
    bundle = make_bundle(folder / "bundle", explained=True)
    explained = Predictor(bundle).explain(path, [{"finding": "all", "method": "saliency"}], force=True)
    return ExplainedPicture(path.read_bytes(), explained, (32, 32))


@pytest.mark.parametrize("value", [0.0, -0.0, -1.5])
def test_an_empty_map_is_said_by_the_picture(found: ExplainedPicture, value: float, tmp_path: Path) -> None:
    (drawn,) = found.explained.maps
    nothing = replace(drawn, values=array("f", [value] * len(drawn.values)))
    empty = replace(found, explained=replace(found.explained, maps=(nothing,)))
    assert empty.is_empty
    assert EMPTY in empty.words["saved"]["lines"]
    empty.save(tmp_path / "out.png", Look())
    with Image.open(tmp_path / "out.png") as written:
        written.load()
        assert json.loads(written.info["sitegen.explanation"])["place"] == EMPTY
        below = written.crop((0, 64, *written.size))
    assert ImageChops.difference(below, below.convert("L").convert("RGB")).getbbox() is None  # words alone, in grey


def test_another_map_has_its_scale(found: ExplainedPicture, tmp_path: Path) -> None:
    assert not found.is_empty
    found.save(tmp_path / "out.png", Look())
    with Image.open(tmp_path / "out.png") as written:
        written.load()
        assert json.loads(written.info["sitegen.explanation"])["place"].startswith("Strongest ")
        below = written.crop((0, 64, *written.size))
    assert ImageChops.difference(below, below.convert("L").convert("RGB")).getbbox() is not None
