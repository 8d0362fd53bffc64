"""The memory of the process that holds a page, as Linux accounts for it."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sitegen.browser.driver import Driver


@dataclass(frozen=True)
class Memory:
    """Megabytes (10**6 bytes): resident now, and at most so far."""

    resident: float
    peak: float


def renderer_memory(driver: Driver) -> Memory | None:
    """Return the memory of the largest page process of a browser, or None where the system has no /proc.

    Selenium's drivers of Chromium tell which process is theirs. Of other browsers only one may run at a time.
    """
    return max(map(_memory, _renderers(driver)), key=lambda memory: memory.resident, default=None)


def renderer_seconds(driver: Driver) -> float | None:
    """Return the processor time that a browser's page processes have taken so far, or None where there is no /proc.

    Unlike the time that passes, it does not grow with what else the machine does.
    """
    utime, stime = 11, 12  # of proc(5)
    taken = [float(_after_name(pid)[field]) for pid in _renderers(driver) for field in (utime, stime)]
    return sum(taken) / os.sysconf("SC_CLK_TCK") if taken else None


def running_seconds(driver: Driver) -> float | None:
    """Return what `renderer_seconds` does, to the nanosecond, of threads that are still there."""
    tasks = [task for pid in _renderers(driver) for task in Path(f"/proc/{pid}/task").glob("*/schedstat")]
    taken = [int(task.read_text().split()[0]) for task in tasks]
    return sum(taken) / 1e9 if taken else None


def _renderers(driver: Driver) -> list[int]:
    if not Path("/proc").is_dir():
        return []
    service = getattr(driver, "service", None)
    root = service.process.pid if service else os.getpid()
    parents = {pid: parent for pid in map(int, _numbers()) if (parent := _parent(pid)) is not None}
    return [pid for pid in parents if _descends(pid, root, parents) and _is_renderer(pid)]


class PeakSoFar:
    """The most that a page's process had resident since the watch began, and what it has now."""

    def __init__(self) -> None:
        """Begin with nothing seen."""
        self.megabytes = 0.0

    def see(self, memory: Memory | None) -> None:
        """Take one look into account."""
        self.megabytes = max(self.megabytes, memory.peak if memory else 0.0)


@contextmanager
def watched(driver: Driver, seconds: float = 0.2) -> Iterator[PeakSoFar]:
    """Look at a page's memory again and again: Chromium at times resets what Linux counts as the peak."""
    peak, ended = PeakSoFar(), threading.Event()

    def watch() -> None:
        while not ended.wait(seconds):
            peak.see(renderer_memory(driver))

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        ended.set()
        thread.join()


def _numbers() -> list[str]:
    return [path.name for path in Path("/proc").iterdir() if path.name.isdigit()]


def _parent(pid: int) -> int | None:
    try:
        return int(_after_name(pid)[1])
    except OSError:
        return None  # it has ended meanwhile


def _after_name(pid: int) -> list[str]:
    # The command's name, in parentheses, may contain anything: the fields are counted from its end.
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _descends(pid: int, root: int, parents: dict[int, int]) -> bool:
    while pid in parents:
        if pid == root:
            return True
        pid = parents[pid]
    return False


def _is_renderer(pid: int) -> bool:
    try:
        # Browsers write over their command line: the arguments may be apart or one text.
        command = Path(f"/proc/{pid}/cmdline").read_bytes().strip(b"\0 ")
    except OSError:
        return False
    is_firefox = b"-contentproc" in command and command.endswith(b"tab")
    return b"--type=renderer" in command or is_firefox or b"WebKitWebProcess" in command


def _memory(pid: int) -> Memory:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    fields = dict(line.split(":", 1) for line in lines if ":" in line)
    resident, peak = (int(fields[name].split()[0]) * 1024 / 1e6 for name in ("VmRSS", "VmHWM"))
    return Memory(resident, peak)
