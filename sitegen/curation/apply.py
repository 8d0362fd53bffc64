"""A folder of what passes a rule: copies or links, where they lay below their root, with a manifest and a list.

Done again, it goes on: what is there and has the right SHA-256 is left alone. Files that changed since they were scored
are not taken, and counted.
"""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa

from sitegen.curation.addresses import read_address
from sitegen.curation.document_types import AppliedDocument
from sitegen.curation.rules import passing
from sitegen.curation.store import MANIFEST, TABLE, atomic, read_manifest, write_json
from sitegen.curation.table import read_table
from sitegen.errors import DataError, SettingsError
from sitegen_runtime.errors import AnalysisError

SCHEMA = "sitegen.curated/1"
KEPT = "kept.csv"
_LISTED = ("id", "sha256", "path")


@dataclass(frozen=True)
class Wish:
    """Which rows of which curation are kept, where, and whether as links."""

    curated: Path
    rule: str
    to: Path
    links: bool = False


def apply(wish: Wish, tell: Callable[[int, int], None] = lambda done, total: None) -> AppliedDocument:
    """Write what passes the rule below a folder, and return the manifest that is written there.

    Files without a hash, which could not be read, never pass. `tell` hears how many of how many are done. Raises
    SettingsError for a rule that cannot be read, DataError where there is no table, or the folder is of another rule.
    """
    table, manifest = read_table(wish.curated), read_manifest(wish.curated)
    if manifest is None:
        raise DataError(f"{wish.curated} has no {MANIFEST}. Name a folder that `sitegen curate` wrote.")
    kept = table.filter(pa.array(passing(wish.rule, table) & ~_missing(table, "sha256")))
    _check(wish)
    several = len(set(kept["root"].to_pylist())) > 1
    rows = kept.select(["id", "sha256", "path", "root", "address"]).to_pylist()
    places = list(_places(rows, several))
    changed = 0
    for done, (row, place) in enumerate(zip(rows, places, strict=True), 1):
        changed += not _put(row, wish.to / place, wish.links)
        tell(done, len(rows))
    _write_list(wish.to / KEPT, rows, places)
    document: AppliedDocument = {
        "schema": SCHEMA,
        "rule": wish.rule,
        "bundle": manifest["bundle"],
        "table_sha256": sha256((wish.curated / TABLE).read_bytes()).hexdigest(),
        "images": len(table),
        "kept": len(rows) - changed,
        "dropped": len(table) - len(rows),
        "links": wish.links,
        "changed": changed,
    }
    write_json(wish.to / MANIFEST, document)
    return document


def keep_list(rule: str, table: pa.Table) -> Iterator[dict[str, object]]:
    """Yield for each row what a list says of it: its id, its SHA-256 and whether it is kept (1) or dropped (0)."""
    kept = passing(rule, table) & ~_missing(table, "sha256")
    ids, hashes = table["id"].to_pylist(), table["sha256"].to_pylist()
    for id_, digest, keep in zip(ids, hashes, kept.tolist(), strict=True):
        yield {"id": id_, "sha256": digest or "", "keep": int(keep)}


def _missing(table: pa.Table, name: str) -> Any:
    return table[name].combine_chunks().is_null().to_numpy(zero_copy_only=False)


def _check(wish: Wish) -> None:
    before = read_manifest(wish.to)
    if before is not None and dict(before).get("rule") != wish.rule:
        raise DataError(f"{wish.to} was made by another rule. Name another folder with --to.")
    if before is None and wish.to.is_dir() and any(wish.to.iterdir()) and not (wish.to / KEPT).exists():
        raise DataError(f"{wish.to} has files of others. Name a new folder with --to.")
    wish.to.mkdir(parents=True, exist_ok=True)
    (wish.to / KEPT).touch()


def _places(rows: list[dict[str, Any]], several: bool) -> Iterator[PurePosixPath]:
    """Where each file goes, below a folder for its root where there are several roots."""
    for row in rows:
        path = PurePosixPath(row["path"].replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or ":" in row["path"]:
            raise SettingsError(f"{row['address']} would be written outside of the folder. Leave it out by the rule.")
        yield PurePosixPath(f"root-{row['root']}") / path if several else path


def _put(row: dict[str, Any], place: Path, links: bool) -> bool:
    """Put a file in its place; False where it is not any more what was scored, or cannot be read."""
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        if place.exists() and _hash(place.read_bytes()) == row["sha256"]:
            return True
        data = read_address(row["address"])
    except AnalysisError:
        return False
    if _hash(data) != row["sha256"]:
        return False
    if links:
        _link(row["address"], place)
        return True
    with atomic(place) as beside:
        beside.write_bytes(data)
    return True


def _link(address: str, place: Path) -> None:
    if "://" in address:
        raise SettingsError(f"{address} is on no local disk, and cannot be linked to. Leave --link out.")
    place.unlink(missing_ok=True)
    place.symlink_to(address)


def _hash(data: bytes) -> str:
    return sha256(data).hexdigest()


def _write_list(path: Path, rows: list[dict[str, Any]], places: list[PurePosixPath]) -> None:
    with atomic(path) as beside, beside.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, _LISTED, lineterminator="\n")
        writer.writeheader()
        writer.writerows(
            {"id": row["id"], "sha256": row["sha256"], "path": place.as_posix()}
            for row, place in zip(rows, places, strict=True)
        )
