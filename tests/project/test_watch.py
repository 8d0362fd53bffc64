"""Watching: every change is built, also one that comes while another is; errors leave the site and the watch alone."""

import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sitegen import resources
from sitegen.errors import SiteError
from sitegen.project import watch as watch_module
from sitegen.project.plan import SitePlan, read_plan
from sitegen.project.watch import Watcher, stamps

SECONDS = 20


class Watched:
    """A watcher at work in a thread: the titles that it built, and what it said."""

    def __init__(self, file: Path, build: Callable[[str], None]) -> None:
        self.titles: list[str] = []
        self.said: list[str] = []
        self.stop = threading.Event()
        watcher = Watcher(lambda: read_plan(file))

        def built(plan: SitePlan) -> None:
            assert plan.project is not None
            title = str(plan.project.settings.title)
            build(title)
            self.titles.append(title)

        self.thread = threading.Thread(target=lambda: watcher.run(built, self.said.append, self.stop))
        self.thread.start()

    def wait_for(self, done: Callable[[], bool]) -> None:
        end = time.monotonic() + SECONDS
        while not done():
            assert time.monotonic() < end, (self.titles, self.said)
            time.sleep(0.01)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(watch_module, "INTERVAL_SECONDS", 0.02)
    monkeypatch.setattr(resources, "templates", lambda: tmp_path / "templates")
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "bundle.json").write_text("{}")
    return write(tmp_path / "sitegen.toml", "first")


def put(path: Path, text: str) -> Path:
    """Put a whole file in place at once: between a file's making and its filling, a watcher would see two changes."""
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder, path.name)
        whole.write_text(text)
        return whole.replace(path)


def write(file: Path, title: str) -> Path:
    return put(file, f'title = "{title}"\nbundles = ["model"]')


@pytest.fixture
def started() -> Iterator[Callable[[Path, Callable[[str], None]], Watched]]:
    running: list[Watched] = []

    def start(file: Path, build: Callable[[str], None] = lambda title: None) -> Watched:
        running.append(Watched(file, build))
        return running[-1]

    yield start
    for watched in running:
        watched.stop.set()
        watched.thread.join(SECONDS)
        assert not watched.thread.is_alive()


def test_a_change_is_built(file: Path, started: Callable[..., Watched]) -> None:
    watched = started(file)
    write(file, "second")
    watched.wait_for(lambda: watched.titles == ["second"])
    assert watched.said == ["Changed: sitegen.toml"]


def test_files_of_bundles_and_templates_count(file: Path, started: Callable[..., Watched]) -> None:
    watched = started(file)
    put(file.parent / "model" / "classifier.onnx", "x")
    watched.wait_for(lambda: len(watched.titles) == 1)
    (file.parent / "templates").mkdir()
    put(file.parent / "templates" / "style.css", "a {}")
    watched.wait_for(lambda: len(watched.titles) == 2)
    assert watched.said == ["Changed: classifier.onnx", "Changed: style.css"]


def test_a_change_during_a_build_is_built_after_it(file: Path, started: Callable[..., Watched]) -> None:
    def build(title: str) -> None:
        if title == "second":
            write(file, "third, written while the second was built")

    watched = started(file, build)
    write(file, "second")
    watched.wait_for(lambda: len(watched.titles) == 2)
    assert watched.titles == ["second", "third, written while the second was built"]


def test_a_change_before_the_watch_began_is_built(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first build takes seconds: what was edited meanwhile must not be lost."""
    watcher, built, stop = Watcher(lambda: read_plan(file)), [], threading.Event()
    write(file, "edited during the first build")

    def build(plan: SitePlan) -> None:
        assert plan.project is not None
        built.append(plan.project.settings.title)
        stop.set()

    watcher.run(build, lambda text: None, stop)
    assert built == ["edited during the first build"]


def test_errors_are_said_and_the_next_change_tries_again(file: Path, started: Callable[..., Watched]) -> None:
    def build(title: str) -> None:
        if title == "refused":
            raise SiteError("no room")
        if title == "broken":
            raise ZeroDivisionError("in a template")

    watched = started(file, build)
    put(file, "title = ")
    watched.wait_for(lambda: len(watched.said) == 2)
    assert "Not built, the site stays as it was." in watched.said[1]
    assert "is not TOML" in watched.said[1]
    write(file, "refused")
    watched.wait_for(lambda: len(watched.said) == 4)
    assert watched.said[3] == "Not built, the site stays as it was. no room"
    write(file, "broken")
    watched.wait_for(lambda: len(watched.said) == 6)
    assert watched.said[5] == "Not built, the site stays as it was. ZeroDivisionError: in a template"
    write(file, "fine")
    watched.wait_for(lambda: watched.titles == ["fine"])


def test_stamps_tell_changes_apart(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "a.txt"
    path.parent.mkdir()
    path.write_text("one")
    before = stamps([tmp_path / "folder", tmp_path / "none"])
    assert list(before) == [path]
    os.utime(path, ns=(0, before[path][0] + 1))
    assert stamps([tmp_path / "folder"]) != before
    (tmp_path / "folder" / "a.pyc").write_text("made by Python itself")
    assert list(stamps([tmp_path / "folder"])) == [path]
