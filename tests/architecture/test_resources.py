"""What ships is found: in a checkout here, in an installed wheel by `test_wheel.py`."""

from pathlib import Path

import pytest

from sitegen import resources


def test_everything_that_a_build_needs_is_there() -> None:
    assert (resources.runtime_source() / "analysis.py").is_file()
    assert (resources.templates() / "index.html.j2").is_file()
    assert (resources.default_bundle() / "bundle.json").is_file()
    assert resources.default_bundle().parent == resources.models()
    assert (resources.engines() / "package-lock.json").is_file()


def test_in_a_checkout_templates_and_models_lie_at_its_root() -> None:
    root = Path(__file__).parents[2]
    assert resources.templates() == root / "templates"
    assert resources.models() == root / "models"


def test_installed_files_come_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "models").mkdir()
    monkeypatch.setattr(resources, "_SHIPPED", tmp_path)
    assert resources.models() == tmp_path / "models"
    assert resources.templates() == Path(__file__).parents[2] / "templates"


def test_the_lock_pins_by_hash_and_names_no_host() -> None:
    text = (resources.engines() / "package-lock.json").read_text("utf-8")
    assert '"integrity": "sha512-' in text
    assert '"resolved"' not in text
