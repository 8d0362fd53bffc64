"""Networks with inputs that are no square: bundles say of an image file what PyTorch says of Pillow's tensor.

The last layer reads every place of the map by itself, so that rows for columns would give other numbers.
"""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import ModelProto, helper
from PIL import Image, ImageOps
from torch import nn

import sitegen
from sitegen.bundle import Bundle
from sitegen.errors import SettingsError
from sitegen.importing.bundle import import_bundle
from sitegen.importing.graph.ending import find_head
from sitegen.importing.graph.image import image_slot
from sitegen.importing.keras.graph import literal
from sitegen.importing.keras.laying import lay_out
from sitegen.importing.settings import ImportSettings
from sitegen.importing.sources.keras_model import KerasOriginal, import_keras
from sitegen.importing.sources.onnx_model import import_onnx, questions
from sitegen.importing.sources.torch_model import import_torchscript
from sitegen.prediction import Predictor
from tests.helpers.importing import keras_models
from tests.helpers.importing.onnx_models import graph, settings, sigmoid, softmax, written

# PyTorch would have programs of TorchScript made no more; there are many.
pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")
WIDE, HIGH = (32, 64), (64, 32)  # rows and columns
FITS: dict[str, dict[str, Any]] = {
    "crop": {},
    "squash": {"fit": "squash"},
    "pad": {"fit": "pad", "fill": [0.2, 0.4, 0.6]},
}
FILL = (51, 102, 153)  # the same in levels


def network(grid: tuple[int, int]) -> nn.Sequential:
    torch.manual_seed(5)
    cells = grid[0] // 4 * (grid[1] // 4)
    end = nn.Linear(2 * cells, 3)
    nn.init.normal_(end.weight)
    return nn.Sequential(nn.Conv2d(3, 2, 4, 4), nn.ReLU(), nn.Flatten(), end).eval()


def as_onnx(grid: tuple[int, int], *, last: bool = False, batch: int = 1) -> ModelProto:
    """The same network operator by operator; `last` has channels last, and `batch` images go in at once."""
    weights = {name: value.detach().numpy() for name, value in network(grid).named_parameters()}
    kernel, shift, matrix, bias = weights.values()
    nodes = [
        *([helper.make_node("Transpose", ["x"], ["turned"], perm=[0, 3, 1, 2])] if last else []),
        helper.make_node("Conv", ["turned" if last else "x", "kernel", "shift"], ["convolved"], strides=[4, 4]),
        helper.make_node("Relu", ["convolved"], ["maps"]),
        helper.make_node("Flatten", ["maps"], ["flat"]),
        helper.make_node("Gemm", ["flat", "matrix", "bias"], ["y"], transB=1),
    ]
    shape = (batch, *grid, 3) if last else (batch, 3, *grid)
    return graph(nodes, shape, (batch, 3), kernel=kernel, shift=shift, matrix=matrix, bias=bias)


def picture(portrait: bool, orientation: int = 1) -> tuple[Image.Image, bytes]:
    """A photograph of 128 x 64 or 64 x 128, upright, and its file, which an EXIF tag may turn."""
    random = np.random.default_rng(4)
    coarse = Image.fromarray(random.integers(0, 256, (4, 8, 3)).astype(np.uint8))
    upright = coarse.resize((128, 64), Image.Resampling.BICUBIC)
    upright = upright.transpose(Image.Transpose.ROTATE_90) if portrait else upright
    stored = upright.transpose(Image.Transpose.ROTATE_90) if orientation == 6 else upright  # 6 turns it clockwise
    stored.getexif()[0x0112] = orientation
    content = io.BytesIO()
    stored.save(content, "PNG", exif=stored.getexif())
    return upright, content.getvalue()


def prepared(image: Image.Image, grid: tuple[int, int], fit: str) -> np.ndarray:
    size, box = grid[::-1], Image.Resampling.BOX
    made = {
        "crop": lambda: ImageOps.fit(image, size, box),
        "squash": lambda: image.resize(size, box),
        "pad": lambda: ImageOps.pad(image, size, box, color=FILL),
    }[fit]()
    return np.asarray(made, np.float32).transpose(2, 0, 1) / 255


def theirs(grid: tuple[int, int], tensor: np.ndarray) -> np.ndarray:
    with torch.inference_mode():
        return network(grid)(torch.from_numpy(tensor[np.newaxis]))[0].numpy()


def bundled(model: Any, folder: Path, report: Path | None = None) -> Bundle:
    return import_bundle(model, folder / "bundle", ImportSettings(), gate=None, images=[], report=report).bundle


def check(bundle: Bundle, grid: tuple[int, int], fit: str) -> None:
    """Hold results and a gradient map of four files against PyTorch and Pillow."""
    predictor = Predictor(bundle)
    assert bundle.model.graphs["classifier"].images[0].grid == grid
    for portrait in (False, True):
        for orientation in (1, 6):
            upright, data = picture(portrait, orientation)
            document = predictor.predict(data)
            wanted = theirs(grid, prepared(upright, grid, fit))
            made = np.array([finding["logit"] for finding in document["findings"]])
            spread = np.abs(wanted).max()
            assert np.abs(made - wanted).max() < 0.02 * spread, (portrait, orientation)  # Pillow rounds to levels
            turned = theirs(grid, prepared(upright.transpose(Image.Transpose.ROTATE_180), grid, fit))
            assert np.abs(made - turned).max() > 0.1 * spread


@pytest.mark.parametrize(
    ("grid", "fit", "options"),
    [(WIDE, "crop", {}), (HIGH, "squash", {"last": True}), (WIDE, "pad", {"batch": 4}), (HIGH, "crop", {"last": True})],
)
def test_onnx(tmp_path: Path, grid: tuple[int, int], options: dict[str, Any], fit: str) -> None:
    given = settings(3)
    said = ImportSettings(labels=given.labels, image={"range": [0, 1], **FITS[fit]}, output="logits")
    model = import_onnx(written(as_onnx(grid, **options), tmp_path / "net.onnx"), said)
    assert model.image.grid == grid
    bundle = bundled(model, tmp_path, tmp_path / "report.html")
    assert {"classifier", "gradient"} <= bundle.model.graphs.keys()
    check(bundle, grid, fit)
    written_input = json.loads((bundle.folder / "bundle.json").read_bytes())["graphs"]["classifier"]["inputs"][0]
    assert written_input["shape"] == [1, 3, *grid]
    assert written_input["crop"]["mode"] == {"crop": "centre", "squash": "squash", "pad": "pad"}[fit]
    assert f"{grid[0]} rows × {grid[1]} columns rgb" in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert f"{grid[0]} rows x {grid[1]} columns rgb" in (bundle.folder / "card.md").read_text(encoding="utf-8")


def test_torch(tmp_path: Path) -> None:
    grid = HIGH
    image = {
        "fraction": 1,
        "side": list(grid),
        "colour": "rgb",
        "range": (0, 1),
        "mean": (0,),
        "std": (1,),
        "fit": "squash",
    }
    made = sitegen.import_network(network(grid), tmp_path / "bundle", labels=list("ABC"), image=image)
    check(made, grid, "squash")
    (gradient,) = Predictor(made).explain(picture(True)[1], [{"finding": "B", "method": "saliency"}]).maps
    tensor = torch.from_numpy(prepared(picture(True)[0], grid, "squash")[np.newaxis]).requires_grad_()
    network(grid)(tensor)[0, 1].backward()
    assert tensor.grad is not None
    wanted = tensor.grad.relu()[0].amax(0).numpy()
    assert np.corrcoef(np.array(gradient.values), wanted.ravel())[0, 1] > 0.99
    traced = torch.jit.trace(network(grid), torch.zeros(1, 3, *grid))
    torch.jit.save(traced, tmp_path / "net.pt")
    said = ImportSettings(labels=settings(3).labels, image={**image, "side": list(grid)}, output="logits")
    assert import_torchscript(tmp_path / "net.pt", said).image.grid == grid


def test_a_side_that_is_open_is_asked_and_what_is_said_must_fit(tmp_path: Path) -> None:
    model = as_onnx((32, 64))
    file = written(model, tmp_path / "net.onnx")
    for side in (32, 64, [64, 32]):
        with pytest.raises(SettingsError, match=r"image\.side is .*, but the model takes \[32, 64\]"):
            import_onnx(file, settings(3, output="logits", side=side))  # type: ignore[arg-type]
    assert import_onnx(file, settings(3, output="logits", side=[32, 64])).image.grid == (32, 64)  # type: ignore[arg-type]
    shape = model.graph.input[0].type.tensor_type.shape
    shape.dim[3].dim_param = "columns"
    opened = written(model, tmp_path / "open.onnx")
    assert "image.side" in [question.key for question in questions(opened, settings(3))]
    made = import_onnx(opened, settings(3, output="logits", side=[32, 64]))  # type: ignore[arg-type]
    assert made.image.grid == (32, 64)
    onnx.checker.check_model(model)


def test_keras(tmp_path: Path) -> None:
    weights, document = keras_models.weights(), keras_models.configuration(2)
    given = next(layer for layer in document["config"]["layers"] if layer["name"] == "given")
    given["config"]["batch_input_shape"] = [None, 11, 15, 3]
    model = import_keras(keras_models.save_tfjs(tmp_path / "net", weights, document=document), settings(3))
    assert model.image.grid == (11, 15)
    images = np.random.default_rng(1).random((2, 3, 11, 15)).astype(np.float32)
    wanted = keras_models.expected(weights, images)
    model.write(tmp_path)
    session = onnxruntime.InferenceSession(str(tmp_path / "classifier.onnx"))
    made = np.concatenate([session.run(None, {"image": image[np.newaxis]})[0] for image in images])
    assert np.abs(sigmoid(made) - softmax(wanted)).max() < 1e-6


def test_keras_with_channels_first_and_no_layer_that_says_so() -> None:
    shape = {"name": "given", "batch_shape": [None, 3, 2, 2]}
    layers = [{"class_name": "InputLayer", "config": shape}, {"class_name": "Flatten", "config": {"name": "flat"}}]
    network = lay_out({"class_name": "Sequential", "config": {"name": "net", "layers": layers}}, NoWeights(), 3)
    model = literal(network)
    original = KerasOriginal(network, image_slot(model), network.outputs, find_head(model, "logits"))
    image = np.arange(12, dtype=np.float32).reshape(1, 3, 2, 2)
    (made,) = onnxruntime.InferenceSession(model.SerializeToString()).run(None, {network.image: image})
    assert made.tolist() == original.logits(image).tolist() == [list(range(12))]


class NoWeights:
    """Weights of a model that has none."""

    def of(self, layer: Any, roles: Any) -> dict[str, Any]:
        raise AssertionError(layer)
