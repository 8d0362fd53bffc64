"""An imported model in the page over file://: what people read is the original's probability, with 16 bits too."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from sitegen.browser.chromium import Chromium, chromium, missing
from sitegen.bundle import Bundle
from sitegen.data.tensors.cache import image_tensors
from sitegen.importing.bundle import import_bundle
from sitegen.importing.settings import ImportSettings
from sitegen.phantom import phantom
from sitegen.prediction import Predictor
from sitegen.site import build_site
from tests.helpers.browser.support import encoded, opened
from tests.helpers.importing.fake_source import LABELS, TorchOriginal, fake_model, random_network, with_byte_weights

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(missing() is not None, reason=str(missing())),
]


@pytest.fixture(scope="module")
def driver() -> Iterator[Chromium]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module", params=["int8", "static-int8"])
def bundle(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    folder = tmp_path_factory.mktemp("imported")
    model, settings = fake_model(), ImportSettings()
    images = [folder / f"{seed}.png" for seed in range(16)]
    for seed, path in enumerate(images):
        Image.fromarray(phantom(seed, 96)).save(path)
    return import_bundle(
        model, folder / "bundle", settings, gate=None, images=images, report=None, weights=request.param
    ).bundle


@pytest.fixture(scope="module")
def site(bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_site(bundle, tmp_path_factory.mktemp("imported-site") / "dist").folder


def test_the_page_gives_the_originals_probabilities(driver: Chromium, bundle: Bundle, site: Path) -> None:
    data = encoded(seed=2, size=300)
    with opened(driver, site) as page:
        shown = page.analyse(data, "a.png")
        text = driver.find_element("tag name", "body").text
    assert [finding["label"] for finding in shown["findings"]] == list(LABELS)
    made = [finding["probability"] for finding in shown["findings"]]
    theirs = Predictor(bundle).analyse(data, "a.png").document["findings"]
    assert made == pytest.approx([finding["probability"] for finding in theirs], abs=1e-6)
    tensor = image_tensors(data, {"image": bundle.model.graphs["classifier"].images[0]})["image"]
    of_float = bundle.description.provenance["weights"]["form"] == "int8"
    network = with_byte_weights(random_network()) if of_float else random_network()
    expected = torch.from_numpy(TorchOriginal(network).logits(tensor)[0]).sigmoid().numpy()
    assert np.abs(np.array(made) - expected).max() < (1e-5 if of_float else 0.1)
    assert "This model has no gate: nothing checks whether an image is of the right kind." in text
