"""Kills a curation at random moments, and looks whether its table is that of an undisturbed run.

    python benchmarks/curation_kills.py --trials 10 [--images 600] [--seed 0]

Each trial kills one thing with SIGKILL, while parts are being written: a worker, the client, the scheduler of a cluster
of other processes; or it fills the disk (a small tmpfs where this user may mount one, else a limit on the size of
files). Where the command ends by that, the same command is run again. The trial is passed where the last one ends with
0, the table has the same bytes as the undisturbed one, and no file has two rows in the parts: nothing that was written
was scored again. The model is a small one with random weights: what is tried is not how fast it is.
"""

import argparse
import json
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import pyarrow.parquet as pq
from PIL import Image

from sitegen.phantom import phantom
from tests.helpers.bundles import make_bundle

WAIT = 600.0
PART = 16
Command = list[str]


def main() -> None:
    """Run the trials, print a line for each, and leave with 1 where one was not passed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=10)
    parser.add_argument("--images", type=int, default=600)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    chosen = random.Random(asked.seed)
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        make_images(work / "scans", asked.images)
        make_bundle(work / "bundle")
        finish(command(work, work / "whole"))
        passed = 0
        for trial in range(asked.trials):
            kind = list(KINDS)[trial % len(KINDS)]
            out = work / f"trial-{trial}"
            told = KINDS[kind](work, out, chosen)
            wrong = problems(work / "whole", out, asked.images)
            passed += not wrong
            print(f"{trial + 1}: {kind}, {told}: {'; '.join(wrong) or 'the same table'}", flush=True)
    print(f"{passed} of {asked.trials} trials passed")
    sys.exit(passed < asked.trials)


def make_images(folder: Path, count: int) -> None:
    """Write drawn radiographs; every tenth is cut short, and every seventh a copy."""
    folder.mkdir()
    for number in range(count):
        path = folder / f"{number:05d}.png"
        Image.fromarray(phantom(number // 7 if number % 7 == 0 else number, 64)).save(path)
        if number % 10 == 0:
            path.write_bytes(path.read_bytes()[:700])


def command(work: Path, out: Path, *options: str) -> Command:
    """Return the command of every run."""
    begun = [sys.executable, "-m", "sitegen.cli", "curate", str(work / "scans"), "--out", str(out)]
    return [*begun, "--bundle", str(work / "bundle"), "--batch", "4", "--part", str(PART), *options]


def finish(run: Command) -> None:
    """Run a command to its end. Raises RuntimeError where that is none."""
    done = subprocess.run(run, capture_output=True, text=True, timeout=WAIT)
    if done.returncode:
        raise RuntimeError(f"{run} ended with {done.returncode}: {done.stderr}")


def wait_for_parts(out: Path, wanted: int, running: subprocess.Popen[str]) -> int:
    """Wait until so many parts are written, or the process ends; return how many there are."""
    end = time.monotonic() + WAIT
    while time.monotonic() < end and running.poll() is None and parts(out) < wanted:
        time.sleep(0.01)
    return parts(out)


def parts(out: Path) -> int:
    """How many parts there are."""
    return len(list((out / "parts").glob("[0-9]*.parquet")))


def rows_in_parts(out: Path) -> list[str]:
    """The keys of all rows in parts."""
    return [key for path in (out / "parts").glob("[0-9]*.parquet") for key in pq.read_table(path)["key"].to_pylist()]


def problems(whole: Path, out: Path, images: int) -> list[str]:
    """What is wrong with a folder, in words; nothing where all is well."""
    found = []
    if (whole / "table.parquet").read_bytes() != (out / "table.parquet").read_bytes():
        found.append("another table")
    keys = rows_in_parts(out)
    if len(keys) != images or len(set(keys)) != images:
        found.append(f"{len(keys)} rows of {len(set(keys))} files in the parts, not {images}")
    return found


def started(run: Command) -> subprocess.Popen[str]:
    """Start a command, with its standard error to be read."""
    return subprocess.Popen(run, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def kill_worker(work: Path, out: Path, chosen: random.Random) -> str:
    """Kill one process of a local cluster; the command goes on by itself."""
    running = started(command(work, out, "--workers", "2"))
    seen = wait_for_parts(out, chosen.randint(1, 20), running)
    victims = [each for each in psutil.Process(running.pid).children(recursive=True) if is_worker(each)]
    chosen.choice(victims).kill()
    _, errors = running.communicate(timeout=WAIT)
    if running.returncode:
        raise RuntimeError(f"it ended with {running.returncode}: {errors}")
    return f"killed after {seen} parts, and the command came to its end"


def is_worker(process: psutil.Process) -> bool:
    """Whether a process is one that Dask spawned to work."""
    with suppress(psutil.Error):
        return any("spawn_main" in part for part in process.cmdline())
    return False


def kill_client(work: Path, out: Path, chosen: random.Random) -> str:
    """Kill the command itself; its workers must end with it. Then run it again."""
    running = started(command(work, out, "--workers", "2"))
    seen = wait_for_parts(out, chosen.randint(1, 20), running)
    children = psutil.Process(running.pid).children(recursive=True)
    running.kill()
    running.communicate(timeout=WAIT)
    _, alive = psutil.wait_procs(children, timeout=60)
    finish(command(work, out, "--workers", "2"))
    return f"killed after {seen} parts, {len(alive)} of its processes left over"


def kill_scheduler(work: Path, out: Path, chosen: random.Random) -> str:
    """Kill the scheduler of a cluster of other processes; run the command again with another."""
    with cluster(work) as (scheduler, address):
        running = started(command(work, out, "--scheduler", address))
        seen = wait_for_parts(out, chosen.randint(1, 20), running)
        scheduler.send_signal(signal.SIGKILL)
        _, errors = running.communicate(timeout=WAIT)
    with cluster(work) as (_, address):
        finish(command(work, out, "--scheduler", address))
    last = (errors.strip().splitlines() or ["nothing"])[-1]
    return f"killed after {seen} parts, the command ended with {running.returncode} and said {last!r}"


@contextmanager
def cluster(work: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Give a scheduler with two workers, each a process, and its address."""
    file = work / f"scheduler-{time.monotonic_ns()}.json"
    dask = [sys.executable, "-m", "dask"]
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": work}
    no_page = ["--no-dashboard", "--scheduler-file", str(file)]
    begun = [subprocess.Popen([*dask, "scheduler", "--host", "127.0.0.1", "--port", "0", *no_page], **quiet)]
    while not file.exists():
        time.sleep(0.1)
    address = json.loads(file.read_text("utf-8"))["address"]
    worker = [*dask, "worker", address, "--nthreads", "1", "--no-dashboard", "--host", "127.0.0.1"]
    begun += [subprocess.Popen([*worker, "--death-timeout", "30"], **quiet) for _ in range(2)]
    try:
        yield begun[0], address
    finally:
        for each in begun:
            each.terminate()
        for each in begun:
            with suppress(subprocess.TimeoutExpired):
                each.wait(60)


def fill_disk(work: Path, out: Path, chosen: random.Random) -> str:
    """Let the disk be full after some parts, then make room and run the command again."""
    out.mkdir()
    kilobytes = chosen.randint(160, 400)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(out)], check=False)
    if mounted.returncode:
        return limit_files(work, out)
    try:
        done = subprocess.run(command(work, out, "--workers", "2"), capture_output=True, text=True, timeout=WAIT)
        seen = parts(out)
        subprocess.run(["mount", "-o", "remount,size=64m", str(out)], check=True)
        finish(command(work, out, "--workers", "2"))
        kept = work / f"{out.name}-kept"
        subprocess.run(["cp", "-a", str(out), str(kept)], check=True)
    finally:
        subprocess.run(["umount", "-l", str(out)], check=True)
    out.rmdir()
    kept.rename(out)
    last = (done.stderr.strip().splitlines() or ["nothing"])[-1]
    return f"{kilobytes} kB, full after {seen} parts; it ended with {done.returncode} and said {last!r}"


def limit_files(work: Path, out: Path) -> str:
    """Where no file system can be mounted: no file may have more than some bytes."""

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))

    run = command(work, out, "--workers", "2")
    done = subprocess.run(run, capture_output=True, text=True, timeout=WAIT, preexec_fn=limited)
    finish(run)
    return f"files of 8 kB at most; it ended with {done.returncode}"


KINDS: dict[str, Callable[[Path, Path, random.Random], str]] = {
    "worker": kill_worker,
    "client": kill_client,
    "scheduler": kill_scheduler,
    "disk": fill_disk,
}

if __name__ == "__main__":
    main()
