"""A bundle whose golden image is DICOM: the page's example button opens it, and says what Python says of it."""

from pathlib import Path

import pytest

from sitegen.browser.chromium import Chromium
from sitegen.bundle import Bundle, describe_files, load_bundle, write_description
from sitegen.data.drawn_dicom import as_dicom
from sitegen.export.write_bundle import golden_example
from sitegen.phantom import phantom
from sitegen.prediction import Predictor
from sitegen.site import build_site
from tests.helpers.browser.map_support import example
from tests.helpers.browser.support import opened
from tests.helpers.bundles import make_bundle

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    made = make_bundle(tmp_path_factory.mktemp("golden") / "bundle")
    (made.folder / "golden.dcm").write_bytes(as_dicom(phantom(1, 256)))
    files = describe_files(made.folder, [*made.description.files, "golden.dcm"])
    changes = {"golden": golden_example(made), "files": files}
    write_description(made.folder, made.description.model_copy(update=changes))
    return load_bundle(made.folder)


def test_the_example_may_be_dicom(bundle: Bundle, driver: Chromium, tmp_path: Path) -> None:
    build_site(bundle, tmp_path / "site")
    with opened(driver, tmp_path / "site") as page:
        card = example(driver)
        assert "golden.dcm" in card.text
        assert "the window around 2040.5, 4081 wide" in card.text
        document = page.analyse(bundle.path("golden.dcm").read_bytes(), "golden.dcm")
    expected = Predictor(bundle).predict(bundle.path("golden.dcm"))
    assert document["tensors"] == expected["tensors"]
    assert document["notes"] == expected["notes"]
    assert document["gate"]["checks"] == []
