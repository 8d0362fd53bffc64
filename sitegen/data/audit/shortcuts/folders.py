"""The folder of a file as a category: who collects images from two places keeps them in two folders."""

from collections.abc import Collection, Sequence

from sitegen.data.audit.places import below_shared
from sitegen.data.records import Record, label_names
from sitegen_runtime.bundle.relations import NO_FINDING

SPLIT_NAMES = frozenset({"train", "training", "valid", "validation", "val", "test", "train_val"})
"""What folders of splits are called, in lower case."""


def folders(records: Sequence[Record], names: Collection[str] = ()) -> list[str]:
    """Return for each record the first folder below what all files share, "" where there is none.

    A level of folders that are called after splits, or after labels (those of the records, and `names`, the data's
    own), is passed over: in a folder for each class the folder is the label.
    """
    parts = [path[:-1] for path in below_shared(records)]
    classes = {name.lower() for name in (*label_names(records), *names)} | NO_FINDING
    for level in range(max(map(len, parts), default=0)):
        found = [path[level] if level < len(path) else "" for path in parts]
        called = {name.lower() for name in found if name}
        if not called & classes and not called <= SPLIT_NAMES:
            return found
    return [""] * len(records)
