"""Objects of S3 and of Google Cloud Storage have the rows that local files have; a changed one is scored again.

Served by moto and gcp-storage-emulator, which stand in for the real services. They are not in the tests' environment:
pip install s3fs 'moto[server,s3]' gcsfs gcp-storage-emulator
"""

from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import fsspec
import pyarrow.parquet as pq
import pytest

from sitegen.bundle import Bundle
from sitegen.curation.run import run
from tests.curation.conftest import encoded
from tests.curation.test_run import Counting, asked

Curated = Callable[..., Path]


@pytest.fixture(params=["s3", "gs"])
def bucket(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Generator[str]:
    """An empty bucket's address, of a service on this machine."""
    fsspec.filesystem("memory").store.clear()
    start: Callable[[pytest.MonkeyPatch], Generator[None]] = {"s3": s3, "gs": google}[request.param]
    running = start(monkeypatch)
    next(running)
    fsspec.filesystem(request.param, skip_instance_cache=True).mkdir("scans")
    yield f"{request.param}://scans"
    next(running, None)


def s3(monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    pytest.importorskip("s3fs", reason="needs s3fs")
    moto: Any = pytest.importorskip("moto.server", reason="needs moto, with its server")
    server = moto.ThreadedMotoServer("127.0.0.1", 0)
    server.start()
    host, port = server.get_host_and_port()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "nobody")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    yield
    server.stop()


def google(monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    # Read when gcsfs is imported: it would ask what kind of bucket this is by TLS, which the emulator has not.
    monkeypatch.setenv("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")
    gcsfs: Any = pytest.importorskip("gcsfs", reason="needs gcsfs")
    emulator: Any = pytest.importorskip("gcp_storage_emulator.server", reason="needs gcp-storage-emulator")
    server = emulator.create_server("127.0.0.1", 9023, in_memory=True)
    server.start()
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:9023")
    monkeypatch.setitem(fsspec.config.conf, "gs", {"token": "anon", "project": "none"})
    gcsfs.GCSFileSystem.clear_instance_cache()
    yield
    server.stop()


def rows(folder: Path) -> list[dict[str, Any]]:
    found = pq.read_table(folder / "table.parquet").to_pylist()
    return [{key: cell for key, cell in row.items() if key not in ("id", "address", "copy_of")} for row in found]


def test_objects_have_the_rows_of_files(
    bucket: str, small: Bundle, repository: Path, tmp_path: Path, curated: Curated
) -> None:
    (repository / "b/empty.png").unlink()  # the emulator of Google's service takes none that are empty
    system, _ = fsspec.url_to_fs(bucket)
    visible = [path for path in sorted(repository.rglob("*")) if path.is_file() and not path.name.startswith(".")]
    for path in visible:
        system.put_file(str(path), f"scans/{path.relative_to(repository)}")
    assert rows(curated(bucket, name="of-bucket")) == rows(curated(repository, name="of-folder"))

    (repository / "a/2.png").write_bytes(encoded(12))
    system.put_file(str(repository / "a/2.png"), "scans/a/2.png")
    system.invalidate_cache()
    again = Counting(small)
    run(asked(small, bucket, tmp_path / "of-bucket"), again)
    assert again.scored == ["a/2.png"]
