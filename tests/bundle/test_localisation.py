"""What a bundle says of its maps against boxes, and what is wrong with others."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from sitegen.bundle import Bundle, load_bundle
from sitegen.errors import BundleError

INTERVAL = {"value": 0.4, "low": 0.25, "high": 0.5}
FIGURES = {
    "cases": 30,
    "patients": 25,
    "pointing": INTERVAL,
    "usual": INTERVAL,
    "difference": {"value": -0.1, "low": -0.2, "high": -0.01},
    "verdict": "worse",
}
METHOD = {"method": "saliency", "findings": [{"finding": "Effusion", **FIGURES}], **FIGURES}
KNOWN = {"split": "test", "boxes": 31, "images": 30, "patients": 25, "training_boxes": 100, "methods": [METHOD]}


def saying(bundle: Bundle, folder: Path, **changes: Any) -> Path:
    """A copy of a bundle that says so of its maps."""
    copy = Path(shutil.copytree(bundle.folder, folder / "bundle"))
    fields = json.loads((copy / "bundle.json").read_text("utf-8"))
    (copy / "bundle.json").write_text(json.dumps(fields | {"localisation": KNOWN | changes}), encoding="utf-8")
    return copy


def test_it_is_read_by_tool_and_runtime(gradient_bundle: Bundle, tmp_path: Path) -> None:
    bundle = load_bundle(saying(gradient_bundle, tmp_path))
    assert bundle.description.localisation is not None
    assert bundle.description.localisation.model_dump() == KNOWN
    known = bundle.model.localisation
    assert known is not None
    effusion = known.findings["saliency", "Effusion"]
    assert (known.split, effusion.patients, effusion.maps, effusion.usual) == ("test", 25, 0.4, 0.4)


def test_a_bundle_without_it_is_read_as_before(gradient_bundle: Bundle) -> None:
    assert gradient_bundle.description.localisation is None
    assert gradient_bundle.model.localisation is None


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"methods": [METHOD | {"method": "magic"}]}, "'saliency', 'cam'"),
        ({"methods": [METHOD | {"verdict": "fine"}]}, "'better'"),
        ({"methods": [METHOD | {"pointing": INTERVAL | {"value": 1.5}}]}, "less than or equal to 1"),
        ({"methods": [METHOD | {"findings": [{"finding": "Nobody", **FIGURES}]}]}, "['Nobody'], which are no labels"),
    ],
)
def test_what_is_wrong_is_named(gradient_bundle: Bundle, tmp_path: Path, changes: Any, words: str) -> None:
    with pytest.raises(BundleError) as caught:
        load_bundle(saying(gradient_bundle, tmp_path, **changes))
    assert words in str(caught.value)
