"""Images that are squashed or padded, from file to picture: results, what was seen, maps, what if, inversion."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from PIL import Image, ImageOps

from sitegen.bundle import Bundle
from sitegen.prediction import Predictor
from sitegen.prediction.overlay import explained_image
from sitegen_runtime.maps.heat_map import Look
from sitegen_runtime.page_maps import words_of_map
from tests.helpers.bundles import LABELS, image_input, make_bundle

PAD = {"mode": "pad", "fraction": 1.0, "fill": [0.2]}
SQUASH = {"mode": "squash", "fraction": 1.0}


@pytest.fixture(scope="module", params=[SQUASH, PAD], ids=["squash", "pad"])
def bundle(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return make_bundle(tmp_path_factory.mktemp("fit"), gate=False, explained=True, crop=request.param)


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    """128 x 64, dark, with a bright spot at the upper right, beside the centred square."""
    grey = np.random.default_rng(2).integers(0, 12, (64, 128)).astype(np.uint8)
    grey[4:20, 104:120] = 250
    return grey


def file_of(grey: np.ndarray) -> bytes:
    content = io.BytesIO()
    Image.fromarray(grey).save(content, "PNG")
    return content.getvalue()


def prepared(bundle: Bundle, grey: np.ndarray) -> np.ndarray:
    """As Pillow makes it: blocks of pixels are whole for both."""
    if bundle.model.graphs["classifier"].images[0].fit == "squash":
        return np.asarray(Image.fromarray(grey).resize((32, 32), Image.Resampling.BOX), np.float32) / 255
    return np.asarray(ImageOps.pad(Image.fromarray(grey), (32, 32), Image.Resampling.BOX, color=51), np.float32) / 255


def test_results_are_those_of_the_image_as_pillow_prepares_it(bundle: Bundle, picture: np.ndarray) -> None:
    document = Predictor(bundle).predict(file_of(picture))
    session = onnxruntime.InferenceSession(str(bundle.folder / "classifier.onnx"))
    for inverted, found in (
        (False, document),
        (True, Predictor(bundle).predict(file_of(picture), correction="invert")),
    ):
        given = prepared(bundle, 255 - picture if inverted else picture)
        (wanted,) = session.run(None, {"image": given[None, None]})[0]
        assert [each["logit"] for each in found["findings"]] == pytest.approx(wanted.tolist(), abs=0.05)
    assert document["seen"] == {"share": 1.0, "square": [0, 0, 128, 64]}


def test_maps_lie_where_the_picture_was(bundle: Bundle, picture: np.ndarray) -> None:
    data = file_of(picture)
    found = Predictor(bundle).explain(data, [{"finding": LABELS[0], "method": "grad-cam"}])
    (grad_cam,) = found.maps
    planted = np.zeros((32, 32), np.float32)  # the cells that the spot became, and no others
    planted[prepared(bundle, picture) > 0.5] = 1
    assert planted.sum() > 0
    drawn = type(grad_cam)(**{**vars(grad_cam), "values": planted.ravel().tolist(), "shape": (32, 32)})
    image = np.asarray(explained_image(data, found, drawn, (32, 32), Look(blur=0)), np.float64)
    assert image.shape == (64, 128, 3)
    coloured = np.argwhere(np.ptp(image, axis=-1) > 100)
    assert np.abs(coloured.mean(axis=0) - [11.5, 111.5]).max() < 1
    assert words_of_map(found, drawn)["place"] == "Strongest in the upper right of the picture."


def test_what_if_changes_the_cells_of_the_region(bundle: Bundle, picture: np.ndarray) -> None:
    wanted: list[dict[str, Any]] = [
        {"regions": [[104, 4, 16, 16]], "filling": "black"},
        {"regions": [[0, 0, 128, 64]], "filling": "black"},
    ]
    tried = Predictor(bundle).what_if(file_of(picture), wanted).document["what_if"]
    assert tried[0]["cells"] == int((prepared(bundle, picture) > 0.5).sum())
    assert "covers all that the model sees" in tried[1]["error"]["message"]


def test_a_gate_takes_no_padded_images(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path)
    described = bundle.description.model_dump(by_alias=True)
    described["graphs"]["gate"]["inputs"] = [image_input(16, crop=PAD)]
    with pytest.raises(ValueError, match="a gate's are cropped or squashed"):
        type(bundle.description).model_validate(described)
    described["graphs"]["gate"]["inputs"] = [image_input(16, crop={**SQUASH, "fill": [0.2]})]
    with pytest.raises(ValueError, match="others none"):
        type(bundle.description).model_validate(described)
