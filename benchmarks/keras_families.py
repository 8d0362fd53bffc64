"""Families of keras.applications with random weights at small sizes, imported: what comes out beside what Keras gives.

    python benchmarks/keras_families.py [FAMILY …]

Prints a table in Markdown. Needs Keras with its torch backend: pip install keras h5py.
"""

import os
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

os.environ.setdefault("KERAS_BACKEND", "torch")

# Family and side; where a side is asked for, it is the smallest that the family takes, or a little above.
FAMILIES = {
    "MobileNet": 64,
    "MobileNetV2": 64,
    "MobileNetV3Small": 64,
    "DenseNet121": 64,
    "ResNet50": 64,
    "ResNet50V2": 64,
    "EfficientNetB0": 64,
    "EfficientNetV2B0": 64,
    "VGG16": 32,
    "Xception": 75,
    "InceptionV3": 80,
    "InceptionResNetV2": 80,
}
LABELS = 2


def main() -> None:
    """Import the families that are named, or all, and print a row for each."""
    import keras
    import torch

    print(
        "| family | side | layers | file | logits, from NumPy in float64 | probabilities, from Keras "
        "| class activation maps | CPU |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for family in sys.argv[1:] or FAMILIES:
        keras.backend.clear_session()
        keras.utils.set_random_seed(7)
        model = _randomised(keras, family, FAMILIES[family])
        with TemporaryDirectory() as folder, torch.no_grad():
            print(_row(model, family, Path(folder)), flush=True)


def _randomised(keras: Any, family: str, side: int) -> Any:
    """A family's network whose normalisations are not those of the first step of a training."""
    model = getattr(keras.applications, family)(weights=None, input_shape=(side, side, 3), classes=LABELS)
    random = np.random.default_rng(5)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights([random.random(weight.shape) * 0.5 + 0.75 for weight in layer.get_weights()])
        elif family == "VGG16":  # without normalisation: larger weights, so that images make a difference in the end
            layer.set_weights([1.5 * weight for weight in layer.get_weights()])
    return model


def _row(model: Any, family: str, folder: Path) -> str:
    import onnxruntime
    import torch

    from sitegen.importing.bundle import import_bundle
    from sitegen.importing.settings import ImportSettings, LabelSettings
    from sitegen.importing.sources.keras_model import import_keras

    file = folder / f"{family.lower()}.keras"
    model.save(file)
    image = {"range": [0, 255], "mean": [0], "std": [1]} if _scales(model) else {"range": [-1, 1]}
    settings = ImportSettings(labels=tuple(map(LabelSettings, "AB")), image=image)
    begun = time.process_time()
    read = import_keras(file, settings)
    made = import_bundle(read, folder / "b", settings, gate=None, images=[], report=None)
    spent = time.process_time() - begun
    side = read.image.side
    low, high = read.image.range
    given = np.random.default_rng(1).uniform(low, high, (4, 3, side, side)).astype(np.float32)
    session = onnxruntime.InferenceSession(str(folder / "b" / "classifier.onnx"))
    logits = np.concatenate([session.run(["logits"], {"image": each[np.newaxis]})[0] for each in given])
    expected = model(torch.from_numpy(given.transpose(0, 2, 3, 1)), training=False).numpy()
    apart = np.abs(1 / (1 + np.exp(-logits.astype(np.float64))) - expected).max()
    cam = "yes" if made.document["feature_map"] else "no"
    return (
        f"| {family} | {side} | {len(model.layers)} | {file.stat().st_size / 1e6:.0f} MB | {made.proof.largest:.1e} | "
        f"{apart:.1e} | {cam} | {spent:.0f} s |"
    )


def _scales(model: Any) -> bool:
    return any(type(layer).__name__ == "Rescaling" for layer in model.layers[:3])


if __name__ == "__main__":
    main()
