"""Models of several sources in one site: in the page, each gives the probabilities of its original."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from sitegen.browser.chromium import Chromium, chromium, missing
from sitegen.browser.page import SitePage
from sitegen.bundle import Bundle
from sitegen.data.tensors.cache import image_tensors
from sitegen.importing.bundle import import_bundle
from sitegen.importing.settings import ImportSettings
from sitegen.importing.source import ImportedClassifier, Logits
from sitegen.importing.sources.chexnet import import_chexnet
from sitegen.importing.sources.keras_model import import_keras
from sitegen.importing.sources.onnx_model import import_onnx
from sitegen.importing.sources.tfjs_model import import_tfjs
from sitegen.importing.sources.torchxrayvision import import_torchxrayvision
from sitegen.importing.tfjs.files import read_tfjs
from sitegen.importing.tfjs.reference import evaluate
from sitegen.phantom import phantom
from sitegen.site import build_site
from tests.helpers.browser.support import encoded, opened
from tests.helpers.importing import keras_models
from tests.helpers.importing.checkpoints import SMALL, chexnet_checkpoint, dense_logits, dense_weights
from tests.helpers.importing.onnx_models import export, logits_of, settings, sigmoid, softmax
from tests.helpers.importing.tfjs_models import dense_classifier

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(missing() is not None, reason=str(missing())),
]

SOURCES = ["chexnet", "torchxrayvision", "mobile", "transformer", "tfjs", "keras"]
LABELS = ("Effusion", "", "Mass")  # of the model of TorchXRayVision, whose second output means nothing
DENSE = {
    "chexnet": dense_weights(replace(SMALL, channels=3, labels=14)),
    "torchxrayvision": dense_weights(replace(SMALL, channels=1, labels=3)),
}
IMAGE = encoded(seed=11, size=200)


def read(source: str, folder: Path) -> ImportedClassifier:
    """Write a model as its source has it, and read it."""
    named = ImportSettings(name=source, image={"side": 64})
    if source == "chexnet":
        torch.save(chexnet_checkpoint(DENSE[source]), folder / "model.pth.tar")
        return import_chexnet(folder / "model.pth.tar", named)
    if source == "torchxrayvision":
        torch.save({"state_dict": DENSE[source], "pathologies": list(LABELS)}, folder / "xrv.pt")
        return import_torchxrayvision(folder / "xrv.pt", named)
    if source == "tfjs":
        path = dense_classifier().save(folder / "tfjs", ["probabilities"])
        return import_tfjs(path, settings(18, colour="grey", name=source))
    if source == "keras":
        path = keras_models.save_tfjs(folder / "layers", keras_models.weights())
        return import_keras(path, settings(keras_models.LABELS, name=source))
    network = {"mobile": "mobilenet-v3", "transformer": "vit"}[source]
    file = export(network, folder / f"{source}.onnx", opset=18, end=torch.sigmoid)
    return import_onnx(file, settings(5, name=source))


def original(source: str, tensor: np.ndarray, folder: Path) -> Logits:
    """Probabilities of the original [labels], by a way that the import has no part in."""
    if source in DENSE:
        logits = dense_logits(DENSE[source], tensor)[0]
        return sigmoid(logits[[at for at, label in enumerate(LABELS) if label]] if source != "chexnet" else logits)
    if source == "tfjs":
        return evaluate(read_tfjs(folder / "tfjs" / "model.json"), tensor)["probabilities"][0]
    if source == "keras":
        return softmax(keras_models.expected(keras_models.weights(), tensor)[0])
    return sigmoid(logits_of({"mobile": "mobilenet-v3", "transformer": "vit"}[source], tensor)[0])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sources")


@pytest.fixture(scope="module")
def bundles(folder: Path) -> dict[str, Bundle]:
    Image.fromarray(phantom(5, 128)).save(folder / "5.png")
    made = {}
    for source in SOURCES:
        model = read(source, folder)
        made[source] = import_bundle(
            model,
            folder / "bundles" / source,
            ImportSettings(),
            gate=None,
            images=[folder / "5.png"],
            report=None,
        ).bundle
    return made


@pytest.fixture(scope="module")
def page(bundles: dict[str, Bundle], tmp_path_factory: pytest.TempPathFactory) -> Iterator[SitePage[Chromium]]:
    site = build_site(list(bundles.values()), tmp_path_factory.mktemp("sources-site") / "dist").folder
    driver: Chromium
    with chromium() as driver, opened(driver, site) as started:
        yield started


@pytest.mark.parametrize("source", SOURCES)
def test_the_page_gives_the_originals_probabilities(
    source: str, bundles: dict[str, Bundle], page: SitePage[Chromium], folder: Path
) -> None:
    bundle = bundles[source]
    shown = page.analyse(IMAGE, "a.png", bundle=source)
    assert shown["bundle"]["name"] == source
    tensor = image_tensors(IMAGE, {"image": bundle.model.graphs["classifier"].images[0]})["image"]
    expected = original(source, tensor, folder)
    made = np.array([finding["probability"] for finding in shown["findings"]])
    assert np.abs(made - expected).max() < 1e-5
    assert {"classifier", "gradient"} <= set(bundle.description.graphs)
