"""The finished table: the rows of the last listing, each once, in one order, with what is known once all are there.

Two runs over the same files give the same bytes, however often each was stopped.
"""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sitegen.curation.columns import DERIVED, KEY
from sitegen.curation.duplicates import copies, groups
from sitegen.curation.store import TABLE, Store, atomic
from sitegen.errors import DataError

_ROW_GROUP = 65_536


def finish(store: Store) -> pa.Table:
    """Write the finished table, and return it. Raises DataError where rows of the listing are missing."""
    table = _derived(_of_listing(store, pa.concat_tables([store.schema.empty_table(), *store.tables()])))
    with atomic(store.folder / TABLE) as path:
        pq.write_table(table, path, compression="zstd", row_group_size=_ROW_GROUP)
    return table


def read_table(folder: Path) -> pa.Table:
    """Return the table of a curation. Raises DataError where the folder has none, or another program's."""
    path = folder / TABLE
    if not path.is_file():
        raise DataError(
            f"{folder} has no {TABLE}. Let `sitegen curate` come to its end there: the same command goes on."
        )
    try:
        table = pq.read_table(path, partitioning=None)
    except (pa.ArrowInvalid, OSError) as error:
        raise DataError(f"{path} cannot be read: {error}. Run `sitegen curate` again, which writes it anew.") from error
    if b"sitegen.schema" not in (table.schema.metadata or {}):
        raise DataError(f"{path} is not a table of `sitegen curate`. Name the folder that one wrote.")
    return table


def _of_listing(store: Store, rows: pa.Table) -> pa.Table:
    """The rows of the listing; where a file lies is said by the listing, for roots may have changed their order.

    Where a file has several rows, as after --retry, the last one counts.
    """
    listed = [(entry.key, entry.root, entry.path) for entry in store.listing()]
    keys = pa.array([key for key, _, _ in listed], pa.string())
    rows = rows.take(pa.array(np.arange(len(rows))[::-1]))
    places = pc.index_in(keys, value_set=rows["key"].combine_chunks())
    if places.null_count:
        raise DataError(f"{places.null_count} of {len(listed)} files have no row. Run the same command again.")
    table = rows.take(places)
    paths = [path.encode("utf-8", "backslashreplace").decode() for _, _, path in listed]
    table = _with(table, "root", pa.array([root for _, root, _ in listed], pa.int32()))
    table = _with(table, "path", pa.array(paths, pa.string()))
    return table.sort_by([("root", "ascending"), ("path", "ascending"), ("address", "ascending")])


def _derived(table: pa.Table) -> pa.Table:
    ids, contents, hashes = (table[name].to_pylist() for name in ("id", "content", "perceptual"))
    table = table.drop_columns(list(KEY))
    for name, values in (("copy_of", copies(contents, ids)), ("alike", groups(hashes))):
        table = table.append_column(name, pa.array(values, DERIVED[name]))
    return table.combine_chunks()


def _with(table: pa.Table, name: str, values: pa.Array) -> pa.Table:
    return table.set_column(table.schema.get_field_index(name), name, values)
