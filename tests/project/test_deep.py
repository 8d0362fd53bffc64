"""Settings that are nested beyond any sense end in a sentence."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from sitegen.errors import SettingsError
from sitegen.importing.checkpoint.network_choice import registered_network
from sitegen.importing.settings import read_import_settings
from sitegen.project.settings import read_project
from sitegen.settings.recipe import read_recipe_file

DEEP = 50_000


@pytest.mark.parametrize("read", [read_import_settings, read_recipe_file, read_project])
@pytest.mark.parametrize("opening", ["[", "{a="])
def test_deep_settings(tmp_path: Path, read: Callable[[Path], object], opening: str) -> None:
    path = tmp_path / "deep.toml"
    path.write_text("a = " + opening * DEEP)
    with pytest.raises(SettingsError, match=r"deep\.toml is not (valid )?TOML"):
        read(path)


def test_deep_json(tmp_path: Path) -> None:
    path = tmp_path / "deep.json"
    path.write_text("[" * DEEP)
    with pytest.raises(SettingsError, match=r"deep\.json is not valid JSON"):
        read_recipe_file(path)


def test_deep_settings_of_a_network() -> None:
    with pytest.raises(SettingsError, match="are not as in TOML"):
        registered_network(f"densenet121, a = {'[' * DEEP}", {"a": torch.zeros(1)})
