"""This process alone, without Dask: for a few images, for tests, and to compare with."""

from collections.abc import Iterator

from sitegen.curation.engine.work import Batch, Rows, Work, rows_of


class Alone:
    """Scores one batch after another."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def rows(self, batches: Iterator[Batch]) -> Iterator[Rows]:
        """Yield the rows of each batch. Raises BundleError where the bundle is not the one that was asked for."""
        for batch in batches:
            yield rows_of(self._work, batch)
