"""Curates a repository on workers that SLURM starts, each a job of one core.

    pip install dask-jobqueue
    python curate_slurm.py --jobs 16 --partition short -- /data/scans --out /data/rows
    python curate_slurm.py --partition short --dry-run        prints the job script of a worker, and starts nothing

Run it where jobs may be submitted, in an environment that the nodes have, too. Images, bundle and environment must lie
where all nodes see them under the same path; the rows are written by this process alone. Options after the two dashes
are those of `sitegen curate`.
"""

import argparse
import subprocess
import sys
from typing import Any


def slurm(asked: argparse.Namespace) -> Any:
    """Return a cluster of jobs, of which none is submitted yet; its scheduler is in this process."""
    from dask_jobqueue.slurm import SLURMCluster

    return SLURMCluster(
        queue=asked.partition,
        account=asked.account,
        cores=1,
        processes=1,
        memory=asked.memory,
        walltime=asked.walltime,
        interface=asked.interface,
        job_script_prologue=["export OMP_NUM_THREADS=1"],
        worker_extra_args=["--lifetime-stagger", "2m"],
        scheduler_options={"dashboard_address": ":0"},
    )


def main() -> int:
    """Submit the jobs, curate on them, and return the exit code of `sitegen curate`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=4)
    parser.add_argument("--partition")
    parser.add_argument("--account")
    parser.add_argument("--memory", default="4GB")
    parser.add_argument("--walltime", default="04:00:00")
    parser.add_argument("--interface", help="the network between the nodes, such as ib0")
    parser.add_argument("--dry-run", action="store_true")
    parser.add_argument("curate", nargs="*", metavar="-- ROOT... --out DIR")
    asked = parser.parse_args()
    with slurm(asked) as cluster:
        if asked.dry_run:
            print(cluster.job_script())
            return 0
        cluster.scale(jobs=asked.jobs)
        command = [sys.executable, "-m", "sitegen.cli", "curate", *asked.curate]
        return subprocess.run([*command, "--scheduler", cluster.scheduler_address]).returncode


if __name__ == "__main__":
    sys.exit(main())
