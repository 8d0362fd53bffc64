"""Work that processes share: order, what a process keeps, and what becomes of errors and interruptions."""

import inspect
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from sitegen import parallel
from sitegen.errors import WorkerError

SCRIPT = """
import os
import signal
import time

from sitegen.parallel import each


def work(item):
    os.write(1, b"begun\\n")  # a line of one process; what is printed comes in parts where Python does not buffer
    time.sleep({seconds})
    return item


if __name__ == "__main__":
    signal.signal(signal.SIGINT, {handler})  # whatever these tests were started with
    print(sum(each(work, range(16), workers=2)))
"""


@pytest.mark.parametrize("workers", [1, 2])
def test_results_are_in_the_items_order(workers: int) -> None:
    assert parallel.each(hex, range(40), workers) == [hex(number) for number in range(40)]


def test_no_items_need_no_processes() -> None:
    assert parallel.each(hex, [], 4) == []


def test_a_process_keeps_what_the_function_has() -> None:
    """Each process counts its own calls: two processes share four parts, so that one of them has two at least."""
    found = parallel.each(partial(next, iter(range(100))), [None] * 4 * parallel.CHUNK, workers=2)
    assert max(found) >= 2 * parallel.CHUNK - 1


def test_few_items_are_not_shared() -> None:
    here = parallel.each(lambda item: os.getpid(), range(parallel.FOR_ONE_PROCESS - 1))  # no process could be sent it
    assert set(here) == {os.getpid()}


@pytest.mark.parametrize(("cores", "count", "expected"), [(4, 24, 2), (4, 240, 4), (2, 240, 2)])
def test_the_machines_cores_share_many(monkeypatch: pytest.MonkeyPatch, cores: int, count: int, expected: int) -> None:
    """The processes that are asked for; that they do it is above, with a number of them."""
    monkeypatch.setattr(parallel, "cpu_count", lambda: cores)
    monkeypatch.setattr(parallel, "_shared", lambda function, items, processes, *how: [processes])
    assert list(inspect.unwrap(parallel.streamed)(hex, range(count))) == [expected]


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_names_its_item(workers: int) -> None:
    with pytest.raises(ValueError, match="invalid literal") as caught:
        parallel.each(int, ["1", "2", "three", "4"], workers)
    assert "The item was three." in caught.value.__notes__


def test_a_process_that_ends_by_itself_is_an_error_for_people() -> None:
    with pytest.raises(WorkerError, match=r"One of 2 processes that shared 2 images ended by itself.*one process"):
        parallel.each(os._exit, [3, 3], workers=2)


def test_no_bar_where_nobody_looks(capfd: pytest.CaptureFixture[str]) -> None:
    assert list(parallel.shown("ab", 2, "letters")) == ["a", "b"]
    assert capfd.readouterr() == ("", "")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no groups of processes that a signal is sent to")
def test_an_interruption_leaves_no_processes(tmp_path: Path) -> None:
    group, _, told = _interrupted(tmp_path, "signal.default_int_handler", seconds=120)
    assert told.rstrip().endswith("KeyboardInterrupt")
    # One traceback, of the script; a thread of Python's own pool may add that a future was cancelled before it broke.
    assert told.count("Traceback") == 1 + told.count("InvalidStateError: CANCELLED")
    with pytest.raises(ProcessLookupError):
        _wait_for_all_of(group)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no groups of processes that a signal is sent to")
def test_a_script_that_ignores_interruptions_keeps_its_processes(tmp_path: Path) -> None:
    _, printed, told = _interrupted(tmp_path, "signal.SIG_IGN", seconds=0.2)
    assert (printed.splitlines()[-1], told) == ("120", "")


def _interrupted(folder: Path, handler: str, seconds: float) -> tuple[int, str, str]:
    """Interrupt a script and its processes once these have begun; return their group, and what was still written."""
    (folder / "script.py").write_text(SCRIPT.format(handler=handler, seconds=seconds))
    pipe = subprocess.PIPE
    command = [sys.executable, str(folder / "script.py")]
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, start_new_session=True) as started:
        assert started.stdout and started.stderr
        for _ in range(2):  # each process begins one: both have started
            assert started.stdout.readline().startswith("begun")
        os.killpg(started.pid, signal.SIGINT)  # as a terminal does
        told = started.stderr.read()  # until nobody is left who could write
        return started.pid, started.stdout.read(), told


def _wait_for_all_of(group: int) -> None:
    """Return after a minute, if there are processes in the group still. Raises ProcessLookupError where none is."""
    for _ in range(600):
        os.killpg(group, 0)
        time.sleep(0.1)
