"""The memory of Chromium's renderer process, as Linux accounts for it."""

from dataclasses import dataclass
from pathlib import Path

from selenium import webdriver


@dataclass(frozen=True)
class Memory:
    """Megabytes (10**6 bytes): resident now, and at most so far."""

    resident: float
    peak: float


def renderer_memory(driver: webdriver.Chrome) -> Memory | None:
    """Return the memory of the largest renderer below a driver, or None where the system has no /proc."""
    if not Path("/proc").is_dir():
        return None
    root = driver.service.process.pid
    parents = {pid: parent for pid in map(int, _numbers()) if (parent := _parent(pid)) is not None}
    renderers = [pid for pid in parents if _descends(pid, root, parents) and _is_renderer(pid)]
    return max((_memory(pid) for pid in renderers), key=lambda memory: memory.resident, default=None)


def _numbers() -> list[str]:
    return [path.name for path in Path("/proc").iterdir() if path.name.isdigit()]


def _parent(pid: int) -> int | None:
    try:
        # The command's name, in parentheses, may contain anything: the fields are counted from its end.
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return None  # it has ended meanwhile


def _descends(pid: int, root: int, parents: dict[int, int]) -> bool:
    while pid in parents:
        if pid == root:
            return True
        pid = parents[pid]
    return False


def _is_renderer(pid: int) -> bool:
    try:
        return b"--type=renderer" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def _memory(pid: int) -> Memory:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    fields = dict(line.split(":", 1) for line in lines if ":" in line)
    resident, peak = (int(fields[name].split()[0]) * 1024 / 1e6 for name in ("VmRSS", "VmHWM"))
    return Memory(resident, peak)
