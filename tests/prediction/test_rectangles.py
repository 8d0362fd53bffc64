"""Networks whose input is no square, from file to picture: logits, maps, what if, noise, turned and corrected images.

PyTorch computes the same network beside it, on tensors that Pillow makes of images whose pixels fill cells evenly.
"""

import io
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper
from PIL import Image, ImageOps
from torch import Tensor
from torch.nn import functional

from sitegen.bundle import Bundle
from sitegen.prediction import Predictor
from sitegen.prediction.overlay import explained_image
from sitegen_runtime.interventions.what_if import Tried
from sitegen_runtime.maps.heat_map import Look
from sitegen_runtime.maps.methods import METHODS
from tests.helpers.bundles import LABELS, make_bundle

CROP = {"mode": "centre", "fraction": 1.0}
SQUASH = {"mode": "squash", "fraction": 1.0}
PAD = {"mode": "pad", "fraction": 1.0, "fill": [0.2]}
WIDE, HIGH = (32, 64), (64, 32)  # rows and columns
CASES = [(grid, crop) for grid in (WIDE, HIGH) for crop in (CROP, SQUASH, PAD)]


@pytest.fixture(scope="module", params=CASES, ids=lambda case: f"{case[0][0]}x{case[0][1]}-{case[1]['mode']}")
def bundle(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    grid, crop = request.param
    return make_bundle(tmp_path_factory.mktemp("rectangle"), side=grid, threshold=-1, explained=True, crop=crop)


@pytest.fixture(scope="module", params=[(64, 128), (128, 64)], ids=["landscape", "portrait"])
def picture(request: pytest.FixtureRequest) -> np.ndarray:
    """64 x 128 or 128 x 64, dark, with a bright spot beside the middle that all of the inputs hold."""
    rows, columns = request.param
    grey = np.random.default_rng(2).integers(0, 60, (rows, columns)).astype(np.uint8)
    grey[rows // 2 - 16 : rows // 2 - 8, columns // 2 + 8 : columns // 2 + 16] = 250
    return grey


def file_of(grey: np.ndarray, orientation: int | None = None) -> bytes:
    content, picture = io.BytesIO(), Image.fromarray(grey)
    if orientation:
        picture.getexif()[0x0112] = orientation
    picture.save(content, "PNG", exif=picture.getexif())
    return content.getvalue()


def prepared(bundle: Bundle, grey: np.ndarray) -> np.ndarray:
    """As Pillow makes it, rounded to levels."""
    entry = bundle.model.graphs["classifier"].images[0]
    size, image = entry.grid[::-1], Image.fromarray(grey)
    if entry.fit == "squash":
        made = image.resize(size, Image.Resampling.BOX)
    elif entry.fit == "pad":
        made = ImageOps.pad(image, size, Image.Resampling.BOX, color=51)
    else:
        made = ImageOps.fit(image, size, Image.Resampling.BOX)
    return np.asarray(made, np.float32) / 255


class Network:
    """The bundle's classifier, as PyTorch computes it."""

    def __init__(self, bundle: Bundle) -> None:
        model = onnx.load(str(bundle.folder / "classifier.onnx"))
        found = {each.name: torch.tensor(numpy_helper.to_array(each)) for each in model.graph.initializer}
        self.kernel, self.linear, self.bias = (found[name] for name in ("kernel", "linear", "bias"))

    def features(self, image: Tensor) -> Tensor:
        return functional.conv2d(image, self.kernel, stride=2).relu()

    def logits(self, features: Tensor) -> Tensor:
        return features.mean((2, 3)) @ self.linear + self.bias


def given_by(bundle: Bundle, data: bytes, **options: Any) -> Tensor:
    """The input as the runtime makes it; what is in it is compared with Pillow's elsewhere."""
    seen = Predictor(bundle).analyse(data, "image", **options).seen
    assert seen is not None
    entry = bundle.model.graphs["classifier"].images[0]
    return torch.tensor(np.array(seen.image.values).reshape(entry.shape))


def test_the_input_is_the_image_as_pillow_prepares_it(bundle: Bundle, picture: np.ndarray) -> None:
    assert np.abs(given_by(bundle, file_of(picture))[0, 0].numpy() - prepared(bundle, picture)).max() <= 1 / 255 + 1e-6
    upright = Image.fromarray(picture).transpose(Image.Transpose.ROTATE_90)  # what orientation 6 turns back
    stored = file_of(np.asarray(upright), orientation=6)
    assert torch.equal(given_by(bundle, stored), given_by(bundle, file_of(picture)))


def test_logits_and_maps_are_those_of_pytorch(bundle: Bundle, picture: np.ndarray) -> None:
    network, data = Network(bundle), file_of(picture)
    image = given_by(bundle, data).requires_grad_()
    features = network.features(image)
    features.retain_grad()
    logits = network.logits(features)
    logits[0, 1].backward()
    assert image.grad is not None
    assert features.grad is not None
    weights = features.grad.mean((2, 3), keepdim=True)
    wanted = {
        "saliency": image.grad.relu()[0].amax(0),
        "grad-cam": (weights * features).sum(1).relu()[0],
        "cam": (network.linear[:, 1, None, None] * features[0]).sum(0),
    }
    found = Predictor(bundle).explain(data, [{"finding": LABELS[1], "method": name} for name in wanted])
    assert [each["logit"] for each in found.document["findings"]] == pytest.approx(logits[0].tolist(), abs=1e-4)
    for drawn, expected in zip(found.maps, wanted.values(), strict=True):
        assert drawn.shape == tuple(expected.shape), drawn.method
        made, theirs = np.array(drawn.values).reshape(drawn.shape), expected.detach().numpy()
        assert np.abs(made - theirs).max() <= 1e-4 * np.abs(theirs).max(), drawn.method
    assert np.array(found.maps[2].values).any()  # Grad-CAM may be 0 all over


def test_every_method_has_the_inputs_form(bundle: Bundle, picture: np.ndarray) -> None:
    asked: list[Any] = [
        {"finding": LABELS[0], "method": name} | ({"runs": 4} if row.masked else {}) for name, row in METHODS.items()
    ]
    found = Predictor(bundle).explain(file_of(picture), asked)
    rows, columns = bundle.model.graphs["classifier"].images[0].grid
    coarse = ((rows - 5) // 2 + 1, (columns - 5) // 2 + 1)
    assert {each["method"] for each in found.document["explanations"] if "error" in each} == set()
    assert {drawn.method for drawn in found.maps if drawn.shape == coarse} == {"cam", "grad-cam"}
    assert all(drawn.shape in ((rows, columns), coarse) for drawn in found.maps)


@pytest.mark.parametrize("correction", [None, "turn-90", "turn-180"])
def test_a_map_lies_over_what_it_is_of(bundle: Bundle, picture: np.ndarray, correction: str | None) -> None:
    data = file_of(picture)
    found = Predictor(bundle).explain(data, [{"finding": LABELS[0], "method": "grad-cam"}], correction=correction)
    entry = bundle.model.graphs["classifier"].images[0]
    seen = given_by(bundle, data, correction=correction)[0, 0].numpy()
    planted = (seen > 0.5).astype(np.float32)
    assert planted.any()
    shown = type(found.maps[0])(**{**vars(found.maps[0]), "values": planted.ravel().tolist(), "shape": entry.grid})
    drawn = np.asarray(explained_image(data, found, shown, entry.grid, Look(blur=0)), np.float64)
    turns = {None: 0, "turn-90": -1, "turn-180": 2}[correction]
    analysed = np.rot90(picture, turns)
    assert drawn.shape[:2] == analysed.shape
    coloured = np.argwhere(np.ptp(drawn, axis=-1) > 100)
    assert np.abs(coloured.mean(axis=0) - np.argwhere(analysed > 200).mean(axis=0)).max() < 1.5


def test_what_if_replaces_the_cells_of_the_region(bundle: Bundle, picture: np.ndarray) -> None:
    rows, columns = picture.shape
    spot = [columns // 2 + 8, rows // 2 - 16, 8, 8]
    network, data = Network(bundle), file_of(picture)
    for correction in (None, "turn-90"):
        image = given_by(bundle, data, correction=correction)
        marked = image > 0.5
        wanted = network.logits(network.features(torch.where(marked, 0.0, image)))[0]
        tried = Predictor(bundle).what_if(data, [{"regions": [spot], "filling": "black"}], correction=correction)
        (entry,) = tried.document["what_if"]
        assert entry["cells"] == int(marked.sum()) > 0
        assert [effect["after"] for effect in entry["findings"]] == pytest.approx(wanted.sigmoid().tolist(), abs=1e-5)


def test_noise_and_fillings_leave_the_form(bundle: Bundle, picture: np.ndarray) -> None:
    attack = {"method": "fgsm", "strength": 0.01, "steps": 1, "finding": None, "seed": 0}
    wanted: list[dict[str, Any]] = [{"attack": attack}]
    wanted += [{"regions": [[40, 40, 30, 20]], "filling": name} for name in ("mean", "blur", "reconstruction")]
    tried = Predictor(bundle).what_if(file_of(picture), wanted)
    assert isinstance(tried, Tried)
    assert [entry.get("error") for entry in tried.document["what_if"]] == [None] * 4
    (noisy,) = tried.noisy
    apart = np.array(noisy) - given_by(bundle, file_of(picture)).numpy().ravel()
    assert 0.009 < np.abs(apart).max() <= 0.01 + 1e-6


def test_a_gate_is_square(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path)
    described = bundle.description.model_dump(by_alias=True)
    (entry,) = described["graphs"]["gate"]["inputs"]
    entry |= {"shape": [1, 1, 16, 32], "crop": CROP}
    with pytest.raises(ValueError, match="no square; a gate's are"):
        type(bundle.description).model_validate(described)
