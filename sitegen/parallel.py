"""Many items through one function, shared by processes, with progress for people: every such loop goes through here.

    each(function, items, workers)      what the function returns of each item, in the items' order
    streamed(function, items, workers)  the same, one by one as soon as it is there
    shown(items, total, of)             the same items, with a bar on standard error while they are gone through

A script that has several processes work for it must guard its entry, `if __name__ == "__main__":`, for each process
imports it.
"""

import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing import get_context
from os import cpu_count
from typing import Any, TypeVar

from rich.console import Console
from rich.progress import track

from sitegen.errors import WorkerError

T = TypeVar("T")
R = TypeVar("R")

FOR_ONE_PROCESS = 24  # items of some tens of milliseconds; starting more takes longer than it saves
CHUNK = 8
_NOTED = 300  # characters of an item: a path is shown whole, an array is not

_work: Callable[[Any], Any]  # what this process does with an item, where it was started to share the work


def each(
    function: Callable[[T], R],
    items: Sequence[T],
    workers: int | None = None,
    *,
    alone: int = FOR_ONE_PROCESS,
    of: str = "images",
) -> list[R]:
    """Return what `function` makes of each item, in the items' order, with a bar that calls them `of`.

    `workers` processes share the items; None takes all cores, and one process for every `alone` items at most. With
    one, all is done in this process. The function is sent to each process once, and keeps there what it opens: so a
    model is opened once a process. What it raises is raised here, with a note that says of which item. Raises
    WorkerError where a process ends by itself. An interruption ends them all.
    """
    return list(streamed(function, items, workers, alone=alone, of=of))


def streamed(
    function: Callable[[T], R],
    items: Sequence[T],
    workers: int | None = None,
    *,
    alone: int = FOR_ONE_PROCESS,
    chunk: int = CHUNK,
    of: str = "images",
) -> Iterator[R]:
    """Yield what `function` makes of each item, in the items' order, as `each` returns it.

    A process takes `chunk` items at a time: fewer where each takes long.
    """
    processes = min(workers or cpu_count() or 1, len(items) if workers else 1 + len(items) // alone)
    if processes < 2:
        yield from shown(map(partial(_noted, function), items), len(items), of)
    else:
        yield from _shared(function, items, processes, chunk, of)


def shown(items: Iterable[T], total: int | None, of: str) -> Iterable[T]:
    """Return the items, with a bar on standard error while they are gone through, if that is a terminal.

    `total` is how many there are, None where nobody knows.
    """
    console = Console(stderr=True)
    return track(items, of, total, console=console, disable=not console.is_terminal, transient=True)


def _shared(function: Callable[[T], R], items: Sequence[T], processes: int, chunk: int, of: str) -> Iterator[R]:
    # Started anew: a forked process would inherit torch and ONNX Runtime without their threads.
    context = get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context, initializer=_begin, initargs=(function,)) as pool:
        try:
            yield from shown(pool.map(_done, items, chunksize=chunk), len(items), of)
        except BrokenProcessPool:
            raise WorkerError(
                f"One of {processes} processes that shared {len(items)} {of} ended by itself: the machine may have run "
                'out of memory, or a script does not guard its entry with `if __name__ == "__main__":`. '
                "Try again with one process."
            ) from None


def _begin(function: Callable[[Any], Any]) -> None:
    global _work
    _work = function
    # Ctrl+C ends it at once, and without a traceback of its own; unless the script was started to ignore it, by nohup
    # or as a job in the background: then it would be left without its processes.
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def _done(item: Any) -> Any:
    return _noted(_work, item)


def _noted(function: Callable[[T], R], item: T) -> R:
    try:
        return function(item)
    except Exception as error:
        error.add_note(f"The item was {item!s:.{_NOTED}}.")
        raise
