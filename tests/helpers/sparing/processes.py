"""Tests start processes where they ask for a number of them alone: each takes seconds to import what it needs."""

import functools
import pickle
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sitegen import parallel


def share_when_asked_to() -> None:
    """Where sitegen would start a process for each core, have it do the same here, with what comes out of pickles.

    So a function, an item or a result that cannot be sent to a process still fails.
    """
    real = parallel.streamed

    def streamed(
        function: Callable[[Any], Any],
        items: Sequence[Any],
        workers: int | None = None,
        *,
        alone: int = parallel.FOR_ONE_PROCESS,
        **how: Any,
    ) -> Iterator[Any]:
        if workers is None and len(items) >= alone:
            yield from map(_sent, real(_sent(function), _sent(list(items)), 1, **how))
        else:
            yield from real(function, items, workers, alone=alone, **how)

    parallel.streamed = functools.update_wrapper(streamed, real)


def _sent(given: Any) -> Any:
    """Return what another process would be given."""
    return pickle.loads(pickle.dumps(given))  # noqa: S301
