"""Building again whenever a file changes that a site is made of.

Files are told apart by their size and time of change, a few times a second: that works on every file system, network
shares too, and there are a few hundred files at most.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from sitegen.errors import SitegenError
from sitegen.project.plan import SitePlan

INTERVAL_SECONDS = 0.4
Stamps = dict[Path, tuple[int, int]]


def stamps(paths: Iterable[Path]) -> Stamps:
    """Return time of change (ns) and size (bytes) of files, and of all files in folders; missing ones are left out."""
    found: Stamps = {}
    for path in _files(paths):
        try:
            status = path.stat()
        except OSError:  # it was removed just now
            continue
        found[path] = (status.st_mtime_ns, status.st_size)
    return found


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from (file for file in path.rglob("*") if file.is_file() and file.suffix != ".pyc")
        else:
            yield path


class Watcher:
    """Knows what a site is made of, as it was when this was made: before the first build, so that no change is lost."""

    def __init__(self, read: Callable[[], SitePlan]) -> None:
        """Start with the plan that `read` gives; it is called again after each change."""
        self._read = read
        self.plan = read()
        self._seen = stamps(self.plan.sources())

    def run(self, build: Callable[[SitePlan], None], say: Callable[[str], None], stop: threading.Event) -> None:
        """Build after every change until `stop` is set. What goes wrong is said, and the next change tries again."""
        while changed := self._wait(stop):
            say(f"Changed: {', '.join(sorted(path.name for path in changed))}")
            try:
                self._follow(self._read())
                build(self.plan)
            except Exception as error:  # a mistake in a template has any type, and must not end the server
                kind = "" if isinstance(error, SitegenError) else f"{type(error).__name__}: "
                say(f"Not built, the site stays as it was. {kind}{error}")

    def _wait(self, stop: threading.Event) -> set[Path]:
        """Return what changed, once nothing is being written any more; nothing where `stop` was set."""
        last = self._seen
        while not stop.wait(INTERVAL_SECONDS):
            now = stamps(self.plan.sources())
            if now == last and now != self._seen:
                changed = {path for path, _ in now.items() ^ self._seen.items()}
                self._seen = now
                return changed
            last = now
        return set()

    def _follow(self, plan: SitePlan) -> None:
        """Watch what a new plan is made of. What was seen before the plan was read stays: it may change meanwhile."""
        now = stamps(plan.sources())
        self._seen = {path: self._seen.get(path, stamp) for path, stamp in now.items()}
        self.plan = plan
