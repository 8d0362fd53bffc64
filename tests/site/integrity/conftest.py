"""A key that is in no use, and a copy of the site that it signed."""

import shutil
from pathlib import Path

import pytest

from sitegen.site.integrity.minisign import SecretKey
from sitegen.site.integrity.signing import sign_site


@pytest.fixture(scope="module")
def key() -> SecretKey:
    return SecretKey(b"number 8", bytes(range(32)))


@pytest.fixture
def signed(site: Path, key: SecretKey, tmp_path: Path) -> Path:
    folder = Path(shutil.copytree(site, tmp_path / "signed"))
    sign_site(folder, key)
    return folder
