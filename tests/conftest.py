"""Small bundles and the sites built from them, made once for all tests."""

from pathlib import Path

import pytest
from hypothesis import settings

from bundles import make_bundle
from sitegen.bundle import Bundle
from sitegen.site import build_site

# Machines are shared: how long an example takes says nothing.
settings.register_profile("sitegen", deadline=None)
settings.load_profile("sitegen")


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return make_bundle(tmp_path_factory.mktemp("bundle") / "test-model")


@pytest.fixture(scope="session")
def gradient_bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A bundle that gives gradients, of a network without kinks: engines agree on those to rounding errors."""
    return make_bundle(tmp_path_factory.mktemp("gradient-bundle") / "test-model", gradient=True, activation="Tanh")


@pytest.fixture(scope="session")
def gradient_site(gradient_bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_site(gradient_bundle, tmp_path_factory.mktemp("gradient-site") / "dist").folder


@pytest.fixture(scope="session")
def site(bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_site(bundle, tmp_path_factory.mktemp("site") / "dist").folder
