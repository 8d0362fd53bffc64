"""A small bundle and a small repository: pictures, a DICOM file, a copy, a damaged file and a text."""

from collections.abc import Callable, Generator
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from sitegen.bundle import Bundle
from sitegen.data.drawn_dicom import as_dicom
from sitegen.phantom import phantom
from tests.helpers.bundles import make_bundle

MISSING = [name for name in ("pyarrow", "dask", "distributed", "fsspec") if find_spec(name) is None]

if MISSING:

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(
        collector: pytest.Collector,
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """Skip a file that cannot be imported for want of what curating needs."""
        report = yield
        if report.failed and "No module named" in report.longreprtext:
            wanting = f"Skipped: it needs {', '.join(MISSING)}: pip install 'offline-sitegen[curate]'"
            report.outcome, report.longrepr = "skipped", (str(collector.path), 1, wanting)
        return report


def encoded(seed: int, kind: str = "PNG", size: int = 64) -> bytes:
    out = BytesIO()
    Image.fromarray(phantom(seed, size)).save(out, kind, lossless=True)
    return out.getvalue()


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return make_bundle(tmp_path_factory.mktemp("curation") / "bundle")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Nine files that count, in two folders, and a hidden one that does not."""
    files = {
        **{f"a/{seed}.png": encoded(seed) for seed in range(4)},
        "b/copy.webp": encoded(1, "WEBP"),
        "b/film.dcm": as_dicom(phantom(7, 64)),
        "b/half.png": encoded(5)[:900],
        "b/notes.txt": b"no image\n",
        "b/empty.png": b"",
        "b/.hidden.png": encoded(6),
    }
    for name, data in files.items():
        (tmp_path / "scans" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "scans" / name).write_bytes(data)
    return tmp_path / "scans"


@pytest.fixture
def curated(small: Bundle, tmp_path: Path) -> Callable[..., Path]:
    """Runs a curation in this process, and gives its folder."""
    from sitegen.curation.columns import Options
    from sitegen.curation.engine.alone import Alone
    from sitegen.curation.engine.work import Work
    from sitegen.curation.run import Asked, run

    def make(*roots: object, name: str = "rows", options: Options | None = None) -> Path:
        asked = Asked([str(root) for root in roots], tmp_path / name, small, options or Options(), batch=2)
        run(asked, Alone(Work(small.folder, small.model.sha256, asked.options)))
        return tmp_path / name

    return make
