"""What curating costs: against the plain loop of `sitegen predict`, with two workers, and as files grow in number.

    python benchmarks/curation.py --files 20000 [--rounds 3] [--growth 1000,5000,20000] [--json FILE]

Files are drawn anew each time, in shares that repositories have: PNG, JPEG and WebP of several sizes, DICOM, copies,
altered, and damaged ones. In each round the plain loop (`Predictor.predict` on each file, one process) and curations
with no, one and two workers have their turn over the same `--paired` files, forwards and backwards in alternate rounds.
Figures are images for each second of processor time of all processes that took part (what a core does, whoever else
uses the machine), and images a second of the clock, which mean something on a quiet machine alone.

Memory is the largest resident size of a worker while the first and the last thousand files are worked on. `--growth`
curates more and more files, once each. `--parts` measures what a large cluster is made of: how many empty tasks a
second a scheduler hands out, and how many bytes a task takes there and back.
"""

import argparse
import json
import os
import pickle
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from curation_files import make_files
from distributed import Client, LocalCluster

from sitegen import resources
from sitegen.bundle import load_bundle
from sitegen.curation.columns import Options
from sitegen.curation.engine.work import Work, rows_of
from sitegen.curation.entries import Entry

_LOOK = 0.25  # seconds between looks at the processes
_SPLIT = 1000
_TASKS = 2000
_MILLION = 1_000_000


@dataclass
class Run:
    """One run: seconds of the clock and of processors, and resident bytes of the largest process by rows done."""

    images: int
    seconds: float
    cpu: float
    memory: list[tuple[int, int]]

    @property
    def per_core(self) -> float:
        """Images for each second of processor time."""
        return self.images / self.cpu

    def growth(self) -> float | None:
        """The largest size in the last thousand rows over that in the first, None where there are fewer than 2,000.

        The first look of a worker is left out while it still loads: sizes count from the first row on.
        """
        rows = [done for done, _ in self.memory]
        if not rows or max(rows) < 2 * _SPLIT:
            return None
        first = [size for done, size in self.memory if 0 < done <= _SPLIT]
        last = [size for done, size in self.memory if done > max(rows) - _SPLIT]
        return max(last) / max(first) if first and last else None


def main() -> None:
    """Measure, print, and write JSON where it is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--paired", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--growth", default="")
    parser.add_argument("--parts", action="store_true")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        figures: dict[str, Any] = {"paired": paired(work, asked.paired, asked.rounds)}
        sizes = [int(each) for each in asked.growth.split(",") if each] or [asked.files]
        figures["growth"] = [grown(work, size) for size in sizes]
        if asked.parts:
            figures["parts"] = of_a_cluster(work)
    print(json.dumps(figures, indent=1))
    if asked.json:
        asked.json.write_text(json.dumps(figures, indent=1) + "\n", "utf-8")


def paired(work: Path, count: int, rounds: int) -> dict[str, Any]:
    """Return images a core-second of each way, as medians over rounds, and the ratios within rounds."""
    files = make_files(work / "paired", count)
    ways: Mapping[str, Callable[[int], Run]] = {
        "predict": lambda _: plain(files),
        "curate, no Dask": lambda turn: curated(work / "paired", work / f"p0-{turn}", count, 0),
        "curate, 1 worker": lambda turn: curated(work / "paired", work / f"p1-{turn}", count, 1),
        "curate, 2 workers": lambda turn: curated(work / "paired", work / f"p2-{turn}", count, 2),
    }
    runs: dict[str, list[Run]] = {way: [] for way in ways}
    for turn in range(rounds):
        for way in list(ways) if turn % 2 == 0 else reversed(list(ways)):
            runs[way].append(ways[way](turn))
    return {way: _told(of, runs["predict"], runs["curate, 1 worker"]) for way, of in runs.items()}


def _told(runs: list[Run], plain_runs: list[Run], alone: list[Run]) -> dict[str, Any]:
    return {
        "images a core-second": statistics.median(run.per_core for run in runs),
        "of predict": [run.per_core / other.per_core for run, other in zip(runs, plain_runs, strict=True)],
        "images a second": statistics.median(run.images / run.seconds for run in runs),
        "faster than 1 worker": [other.seconds / run.seconds for run, other in zip(runs, alone, strict=True)],
    }


def grown(work: Path, count: int) -> dict[str, Any]:
    """Return what a curation of so many files costs with two workers, and how memory grew."""
    make_files(work / f"grown-{count}", count)
    run = curated(work / f"grown-{count}", work / f"g-{count}", count, 2)
    return {
        "files": count,
        "milliseconds of a core an image": 1000 * run.cpu / count,
        "seconds": run.seconds,
        "memory, last thousand over first": run.growth(),
        "largest worker, MB": max(size for _, size in run.memory) / 1e6,
    }


def plain(files: list[Path]) -> Run:
    """The loop of `sitegen predict`, in a process of its own."""
    loop = (
        "import sys; from pathlib import Path; from sitegen import resources; from sitegen.bundle import load_bundle\n"
        "from sitegen.prediction import Predictor; predictor = Predictor(load_bundle(resources.default_bundle()))\n"
        "for path in Path(sys.argv[1]).read_text().split('\\n'): predictor.predict(Path(path))"
    )
    listing = files[0].parent.parent.parent / "predict.txt"
    listing.write_text("\n".join(map(str, files)))
    return _watched([sys.executable, "-c", loop, str(listing)], len(files), None)


def curated(scans: Path, out: Path, count: int, workers: int) -> Run:
    """A curation as people run it."""
    command = [sys.executable, "-m", "sitegen.cli", "curate", str(scans), "--out", str(out)]
    return _watched([*command, "--workers", str(workers), "--part", "100"], count, out)


def _watched(command: list[str], images: int, out: Path | None) -> Run:
    began = time.monotonic()
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment)
    spent: dict[int, float] = {}
    memory: list[tuple[int, int]] = []
    watcher = threading.Thread(target=_watch, args=(running, out, spent, memory))
    watcher.start()
    code = running.wait()
    seconds = time.monotonic() - began
    watcher.join()
    if code:
        raise RuntimeError(f"{command} ended with {code}")
    return Run(images, seconds, sum(spent.values()), memory)


def _watch(
    running: subprocess.Popen[bytes], out: Path | None, spent: dict[int, float], memory: list[tuple[int, int]]
) -> None:
    """Note the processor time and size of a process and its children, until it ends; a last moment is missed."""
    try:
        top = psutil.Process(running.pid)
        while running.poll() is None:
            done = 100 * len(list((out / "parts").glob("[0-9]*.parquet"))) if out else 0
            sizes = [0]
            for each in [top, *top.children(recursive=True)]:
                times, size = each.cpu_times(), each.memory_info().rss
                spent[each.pid] = times.user + times.system
                if each.pid != top.pid or out is None:
                    sizes.append(size)
            memory.append((done, max(sizes)))
            time.sleep(_LOOK)
    except psutil.Error:
        return


def of_a_cluster(work: Path) -> dict[str, Any]:
    """Return tasks a second that a scheduler hands out, and the bytes of a task of 16 images, there and back."""
    files = make_files(work / "parts", 16)
    loaded = load_bundle(resources.default_bundle())
    given = Work(loaded.folder, loaded.model.sha256, Options())
    batch = [Entry(str(path), 0, path.name, path.stat().st_size, "1") for path in files]
    began = time.process_time()
    rows = rows_of(given, batch)
    image = (time.process_time() - began) / len(batch)
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster) as client:
        client.gather(client.map(_nothing, range(100), pure=False))
        began = time.monotonic()
        client.gather(client.map(_nothing, range(_TASKS), pure=False))
        tasks = _TASKS / (time.monotonic() - began)
    there, back = len(pickle.dumps((given, batch))), len(pickle.dumps(rows))
    return {"tasks a second": tasks, "bytes there": there, "bytes back": back, "seconds an image": image}


def _nothing(number: int) -> int:
    return number


if __name__ == "__main__":
    random.seed(0)
    main()
