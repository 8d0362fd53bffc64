"""docs/curate.md says what every column and key is; the files for clusters are what their tools take."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from sitegen.bundle import Bundle
from sitegen.curation.apply import Wish, apply
from sitegen.curation.columns import Options
from sitegen.curation.perceptual import BITS
from sitegen.curation.report.counted import ROWS as COUNTED
from sitegen.curation.run import AGAIN, BATCH
from sitegen.curation.store import ROWS, SECONDS
from sitegen.curation.table import read_table
from tests.helpers.documents import ROOT, read

Curated = Callable[..., Path]


def test_every_column_and_key_is_documented(small: Bundle, repository: Path, tmp_path: Path, curated: Curated) -> None:
    text = read("docs/curate.md")
    folder = curated(repository, options=Options(distances=True))
    columns = [*read_table(folder).column_names, "key"]
    own = ("gate_", "probability_", "calibrated_")
    assert [name for name in columns if not name.startswith(own) and f"`{name}`" not in text] == []
    assert [start for start in own if f"`{start}…`" not in text] == []
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    applied = apply(Wish(folder, "accepted", tmp_path / "kept"))
    keys = [*manifest, *manifest["bundle"], *manifest["options"], *applied]
    assert [key for key in keys if f"`{key}`" not in text] == []
    assert all(document["schema"] in text for document in (manifest, applied))


def test_numbers_of_the_document_are_those_of_the_code() -> None:
    text = read("docs/curate.md")
    assert (BATCH, ROWS, SECONDS, COUNTED, BITS) == (16, 1024, 10, 50_000, 63)
    assert [code for code in AGAIN if f"`{code}`" not in text] == []


def test_the_slurm_script_makes_jobs_of_one_core() -> None:
    pytest.importorskip("dask_jobqueue", reason="dask-jobqueue is not installed")
    command = [
        sys.executable,
        str(ROOT / "docs/curate_slurm.py"),
        "--partition",
        "short",
        "--memory",
        "3GB",
        "--dry-run",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    lines = done.stdout.splitlines()
    for line in ("#SBATCH -p short", "#SBATCH --cpus-per-task=1", "#SBATCH --mem=3G", "export OMP_NUM_THREADS=1"):
        assert line in lines
    assert "--nthreads 1" in done.stdout


def test_the_kubernetes_file_is_a_cluster_and_a_job_that_finds_it() -> None:
    cluster, job = yaml.safe_load_all(read("docs/curate-kubernetes.yaml"))
    assert (cluster["apiVersion"], cluster["kind"]) == ("kubernetes.dask.org/v1", "DaskCluster")
    assert {"worker", "scheduler"} == set(cluster["spec"])
    assert (job["apiVersion"], job["kind"]) == ("batch/v1", "Job")
    container = job["spec"]["template"]["spec"]["containers"][0]
    assert container["args"] == ["--scheduler", f"tcp://{cluster['metadata']['name']}-scheduler:8786"]
    assert container["command"][:2] == ["sitegen", "curate"]
