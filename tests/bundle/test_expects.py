"""What bundles, recipes and imports say that they expect of DICOM files' headers."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from sitegen.bundle import Expects
from sitegen.errors import SettingsError
from sitegen.importing.settings import ImportSettings
from sitegen.settings.expects import ExpectsSettings, expects_of
from sitegen.settings.reading import read_settings
from sitegen.settings.recipe import recipe_of
from sitegen_runtime.bundle.expects import Expects as ExpectedCodes
from tests.helpers.bundles import make_bundle

HANDS = {"body_parts": ["HAND", "WRIST"], "views": [], "unprocessed": True}


def test_a_bundle_says_what_it_expects(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "bundle", expects=HANDS)
    assert bundle.model.expects == ExpectedCodes(body_parts=("HAND", "WRIST"), views=(), unprocessed=True)
    assert bundle.description.expects == Expects(body_parts=["HAND", "WRIST"], views=[], unprocessed=True)


def test_a_bundle_that_says_nothing_is_for_chest_radiographs(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "bundle")
    assert bundle.description.expects is None
    assert bundle.model.expects == ExpectedCodes()


@pytest.mark.parametrize("code", ["hand", "", " HAND", "HAND/WRIST", "DOE^JOHN", "A" * 17])
def test_codes_are_those_of_dicom(code: str) -> None:
    with pytest.raises(ValidationError, match="should match pattern"):
        Expects.model_validate({"body_parts": [code]})


def test_a_recipe_says_what_its_bundle_expects(tmp_path: Path) -> None:
    recipe = recipe_of({"name": "hands", "export": {"expects": HANDS}}, tmp_path)
    assert expects_of(recipe.export.expects) == Expects.model_validate(HANDS)
    assert expects_of(recipe_of({"name": "chests"}, tmp_path).export.expects) is None


def test_an_import_says_what_its_bundle_expects() -> None:
    settings = read_settings(ImportSettings, {"expects": {"modalities": ["MG"]}})
    assert settings.expects == ExpectsSettings(modalities=("MG",))
    assert expects_of(settings.expects) == Expects(modalities=["MG"])


@pytest.mark.parametrize("expects", [{"parts": ["HAND"]}, {"views": "PA"}, {"views": ["pa"]}, {"unprocessed": "never"}])
def test_mistakes_in_settings_are_named(expects: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="expects"):
        recipe_of({"name": "hands", "export": {"expects": expects}}, tmp_path)
