"""Kills at any moment lose nothing that was good, and what they leave is gone after the next start."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sitegen import replacing
from sitegen.bundle import load_bundle
from sitegen.errors import SettingsError, SiteError
from sitegen.locking import alone_in, locked
from sitegen.replacing import check_place, in_place_of, recover
from sitegen.site.serving.server import check_site
from tests.helpers.bundles import make_bundle

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="processes cannot kill themselves so")
# A build that kills itself when Path.replace is called for the time that is its second argument, before or after it.
KILLED = """
import os, signal, sys
from pathlib import Path
from sitegen.replacing import in_place_of
out, calls, after = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "after"
seen, replace = 0, Path.replace
def deadly(self, target):
    global seen
    seen += 1
    if seen == calls and not after:
        os.kill(os.getpid(), signal.SIGKILL)
    replace(self, target)
    if seen == calls:
        os.kill(os.getpid(), signal.SIGKILL)
Path.replace = deadly
with in_place_of(out, {"made"}) as folder:
    (folder / "made").write_text("new")
    if not calls:
        os.kill(os.getpid(), signal.SIGKILL)
"""


def killed(out: Path, calls: int, moment: str) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(out), str(calls), moment], check=False)
    assert done.returncode == -9


def site(out: Path) -> Path:
    out.mkdir()
    (out / "made").write_text("old")
    (out / "mine").write_text("mine")
    return out


@POSIX
@pytest.mark.parametrize(
    ("calls", "moment", "found"),
    [(0, "before", "old"), (1, "before", "old"), (1, "after", "new"), (2, "before", "new"), (2, "after", "new")],
)
def test_a_killed_build(tmp_path: Path, calls: int, moment: str, found: str) -> None:
    out = site(tmp_path / "dist")
    killed(out, calls, moment)
    assert any(path.name.startswith(".sitegen-") for path in tmp_path.iterdir())
    recover(out)
    assert (out / "made").read_text() == found
    assert (out / "mine").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["dist"]


@POSIX
def test_the_next_build_begins_with_that(tmp_path: Path) -> None:
    out = site(tmp_path / "dist")
    killed(tmp_path / "other", 0, "before")
    killed(out, 2, "before")
    assert not out.exists()
    with in_place_of(out, {"made"}) as folder:
        (folder / "made").write_text("newer")
    assert ((out / "made").read_text(), (out / "mine").read_text()) == ("newer", "mine")
    assert [path.name for path in tmp_path.iterdir()] == ["dist"]


@POSIX
def test_whoever_wants_a_site_or_a_bundle_that_is_away_gets_it_back(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "bundle")
    held = subprocess.run([sys.executable, "-c", KILLED, str(bundle.folder), "2", "before"], check=False)
    assert held.returncode == -9
    assert not bundle.folder.exists()
    assert load_bundle(bundle.folder).description == bundle.description
    out = site(tmp_path / "dist")
    killed(out, 2, "before")
    with pytest.raises(SiteError):  # what is back is no whole site here
        check_site(out)
    assert (out / "made").read_text() == "new"


def test_what_runs_and_what_is_not_ours_is_left_alone(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "a", tmp_path / ".sitegen-notes"
    theirs.mkdir()
    (theirs / "thesis.txt").write_text("years of work")
    os.utime(theirs, (0, 0))
    (tmp_path / ".sitegen-file").write_text("")
    young = tmp_path / ".sitegen-young"
    (young / "new").mkdir(parents=True)
    with in_place_of(ours, ()) as folder:
        recover(ours)
        (folder / "made").write_text("new")
    assert (ours / "made").read_text() == "new"
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        ".sitegen-file", ".sitegen-notes", ".sitegen-young", "a"
    ]  # fmt: skip
    os.utime(young, (time.time() - 7200,) * 2)
    recover(ours)
    assert not young.exists()
    assert (theirs / "thesis.txt").read_text() == "years of work"


def test_where_disks_know_no_locks_nothing_is_taken_for_dead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(descriptor: int) -> None:
        raise OSError("no locks here")

    monkeypatch.setattr("sitegen.locking._lock", none)
    with replacing.in_place_of(tmp_path / "a", ()) as folder:
        recover(tmp_path / "a")
        assert folder.is_dir()


def test_the_current_folder_is_no_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "in").mkdir()
    monkeypatch.chdir(tmp_path / "in")
    for out in (Path(), Path(".."), tmp_path / "in", Path("/")):
        with pytest.raises(SettingsError, match="Name a folder inside it"):
            check_place(out)
    check_place(Path("dist"))
    check_place(Path("../other"))


def test_one_at_a_time(tmp_path: Path) -> None:
    work = tmp_path / "work"
    with alone_in(work, "training", "training"):
        said = r"work is in use: another training runs there"
        with pytest.raises(SettingsError, match=said), alone_in(work, "training", "training"):
            raise AssertionError("nothing may begin")
        with alone_in(work, "gate", "training of a gate"):
            pass
    with alone_in(work, "training", "training"):
        pass


@POSIX
def test_a_lock_ends_with_its_process(tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from sitegen.locking import locked\n"
        "with locked(Path(sys.argv[1])) as mine: print(mine, flush=True); time.sleep(600)"
    )
    path = tmp_path / "lock"
    with subprocess.Popen([sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "True\n"
        with locked(path) as mine:
            assert not mine
        other.kill()
        other.wait()
    with locked(path) as mine:
        assert mine
