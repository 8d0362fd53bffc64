"""Small bundles and the sites built from them, made once for all tests; browsers are in tests/browser/conftest.py.

Making things takes most of the tests' time. So look here first:

| fixture | is |
|---|---|
| `bundle`, `site` | the small test model of `bundles.make_bundle`: three labels, a gate, no gradients |
| `gradient_bundle`, `gradient_site` | the same with a gradient graph, and without kinks |
| `shipped_bundle`, `shipped_site`, `gate_bundle`, `gate_site` | for tests in a browser |
| `explainable` | small trained networks, by name, with a bundle of all graphs behind explanations |
| `standing` | for tests in a browser: a page that is there already |

`tests/helpers/sparing` keeps what was drawn, and exported to ONNX. Work that sitegen would share among all cores stays
in one process, unless a test says in how many.

`make test` runs tests in several processes, a file in one of them. Each process has fixtures of its own; so tests may
not share files by a fixed name, or ports by a fixed number.

Tests, and files of tests, that import PyTorch are skipped where it is not installed (`make core`).
"""

import functools
import gc
import sys
from collections.abc import Callable, Generator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import settings

from sitegen.bundle import Bundle
from sitegen.site import build_site
from tests.helpers.bundles import make_bundle
from tests.helpers.sparing.drawings import draw_once
from tests.helpers.sparing.processes import share_when_asked_to
from tests.helpers.sparing.servers import end_at_once

# Machines are shared: how long an example takes says nothing.
settings.register_profile("sitegen", deadline=None)
settings.load_profile("sitegen")


# What is imported and collected stays to the end: looking for garbage among it takes half a second each time.
gc.disable()


def pytest_collection_finish() -> None:
    """Look for garbage again, among what the tests make."""
    gc.freeze()
    gc.enable()


Report = TypeVar("Report", pytest.CollectReport, pytest.TestReport)


def _skipped_without_torch(report: Report, path: Path) -> Report:
    wanting = ("No module named 'torch", "pip install 'offline-sitegen[")  # in Python's words and in the commands' own
    if report.failed and any(words in report.longreprtext for words in wanting):
        report.outcome, report.longrepr = "skipped", (str(path), 1, "Skipped: it needs PyTorch, which is not installed")
    return report


if find_spec("torch") is None:

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(
        collector: pytest.Collector,
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """Skip a file that cannot be imported for want of torch."""
        return _skipped_without_torch((yield), collector.path)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Skip a test that stops for want of torch, as do its fixtures or the command that it runs."""
        return _skipped_without_torch((yield), item.path)


@pytest.fixture(scope="session", autouse=True)
def _sparing() -> None:
    """Keep what is made again and again: see `tests/helpers/sparing`."""
    draw_once()
    share_when_asked_to()
    end_at_once()
    if "torch" in sys.modules:
        from tests.helpers.sparing.exports import export_once

        export_once()


@pytest.fixture(scope="session")
def explainable(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    """Gives the network of a name, smooth or not, with a bundle of all graphs behind explanations, and images."""
    from tests.helpers.explained_networks import Written

    made = functools.cache(lambda name, smooth: Written(tmp_path_factory.mktemp("written"), name, smooth))
    return lambda name, smooth=False: made(name, smooth)


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
