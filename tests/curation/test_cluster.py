"""Dask's workers give the rows that this process gives: over TLS, and though workers are killed."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import cloudpickle
import dask
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sitegen.bundle import Bundle
from sitegen.curation.columns import Options
from sitegen.curation.engine import cluster
from sitegen.curation.engine.cluster import Cluster, Local, Tls, local_client, remote_client
from sitegen.curation.engine.work import Batch, Rows, Work, rows_of
from sitegen.curation.run import Asked, State, run
from sitegen.curation.table import read_table
from sitegen.errors import WorkerError

Curated = Callable[..., Path]


@pytest.fixture
def tls(tmp_path: Path) -> Tls:
    """A certificate that is its own authority, for this machine."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "curation test")])
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
    made = made.not_valid_after(datetime.now(UTC) + timedelta(days=2))
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    pem = serialization.Encoding.PEM
    (tmp_path / "cert.pem").write_bytes(made.sign(key, hashes.SHA256()).public_bytes(pem))
    private = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (tmp_path / "key.pem").write_bytes(key.private_bytes(pem, *private))
    return Tls(tmp_path / "cert.pem", tmp_path / "cert.pem", tmp_path / "key.pem")


@contextmanager
def processes(folder: Path, tls: Tls) -> Iterator[str]:
    """A scheduler and a worker, each a process, that speak nothing but TLS; gives the scheduler's address."""
    files = ["--tls-ca-file", str(tls.ca), "--tls-cert", str(tls.cert), "--tls-key", str(tls.key)]
    common = ["--host", "127.0.0.1", "--no-dashboard", *files]
    place = folder / "scheduler.json"
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder}
    begun = []
    try:
        scheduler = ["scheduler", "--protocol", "tls", "--port", "0", "--scheduler-file", str(place)]
        begun.append(subprocess.Popen([sys.executable, "-m", "dask", *scheduler, *common], **quiet))
        while not place.exists():
            assert begun[0].poll() is None
            time.sleep(0.05)
        worker = ["worker", "--scheduler-file", str(place), "--nthreads", "1", "--no-nanny"]
        begun.append(subprocess.Popen([sys.executable, "-m", "dask", *worker, *common], **quiet))
        yield str(json.loads(place.read_text("utf-8"))["address"])
    finally:
        for each in begun:
            each.kill()
            each.wait()


def work_of(small: Bundle) -> Work:
    return Work(small.folder, small.model.sha256, Options())


def test_a_scheduler_elsewhere_over_tls(
    small: Bundle, repository: Path, tmp_path: Path, curated: Curated, tls: Tls
) -> None:
    whole = curated(repository)
    with processes(tmp_path, tls) as address:
        assert address.startswith("tls://")
        with remote_client(address, tls) as client:
            asked = Asked([str(repository)], tmp_path / "far", small, batch=2)
            assert run(asked, Cluster(client, work_of(small))) == State(total=9, before=0, scored=9, failed=3)
    assert (tmp_path / "far/table.parquet").read_bytes() == (whole / "table.parquet").read_bytes()


def deadly(work: Work, batch: Batch) -> Rows:
    """Score a batch; end the process at one file, and once at another."""
    for entry in batch:
        once = Path(entry.address).with_suffix(".killed")
        if entry.path == "a/2.png" or (entry.path == "a/0.png" and not once.exists()):
            once.touch()
            os.kill(os.getpid(), signal.SIGKILL)
    return rows_of(work, batch)


@pytest.mark.parametrize("size", [4, 1])
def test_workers_that_are_killed_lose_nothing_and_a_deadly_file_gets_a_row(
    small: Bundle, repository: Path, tmp_path: Path, curated: Curated, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    """Whatever waits at a worker that dies is suspected with it, and cleared when it is given out alone."""
    whole = {row["path"]: row for row in read_table(curated(repository)).to_pylist()}
    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    monkeypatch.setattr(cluster, "rows_of", deadly)
    with dask.config.set({"distributed.scheduler.allowed-failures": 0}), local_client(Local(1)) as client:
        run(Asked([str(repository)], tmp_path / "killed", small, batch=size), Cluster(client, work_of(small)))
    rows = {row["path"]: row for row in read_table(tmp_path / "killed").to_pylist()}
    assert rows["a/2.png"]["error"] == "worker-lost"
    assert {path for path, row in rows.items() if row != whole.get(path)} - {"a/0.killed", "a/2.killed"} == {"a/2.png"}
    cloudpickle.unregister_pickle_by_value(sys.modules[__name__])


def test_no_scheduler_is_said_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "ANSWER_SECONDS", 0.5)
    with (
        pytest.raises(WorkerError, match=r"No scheduler answers at tcp://127.0.0.1:1"),
        remote_client("tcp://127.0.0.1:1"),
    ):
        pass
