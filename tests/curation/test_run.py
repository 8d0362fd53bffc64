"""Stopped anywhere, the same call goes on: nothing that was written is scored again, and the table is the same."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from sitegen.bundle import Bundle
from sitegen.curation.columns import Options
from sitegen.curation.engine.work import Batch, Rows, Work, rows_of
from sitegen.curation.run import Asked, State, run
from sitegen.curation.table import read_table
from sitegen.errors import DataError, SettingsError
from tests.curation.conftest import encoded
from tests.helpers.bundles import make_bundle

Curated = Callable[..., Path]


class Counting:
    """Scores here, notes what was scored, and stops after so many files."""

    def __init__(self, bundle: Bundle, stop: int = 10**9, error: type[BaseException] = KeyboardInterrupt) -> None:
        self.work = Work(bundle.folder, bundle.model.sha256, Options())
        self.scored: list[str] = []
        self.stop, self.error = stop, error

    def rows(self, batches: Iterator[Batch]) -> Iterator[Rows]:
        for batch in batches:
            if len(self.scored) >= self.stop:
                raise self.error
            self.scored += [entry.path for entry in batch]
            yield rows_of(self.work, batch)


def asked(small: Bundle, repository: object, out: Path) -> Asked:
    return Asked([str(repository)], out, small, batch=1)


def keys(folder: Path) -> list[str]:
    return [
        key for part in sorted((folder / "parts").glob("*.parquet")) for key in pq.read_table(part)["key"].to_pylist()
    ]


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_what_was_written_is_not_scored_again(
    small: Bundle, repository: Path, tmp_path: Path, curated: Curated, error: type[BaseException]
) -> None:
    whole = curated(repository)
    out = tmp_path / "stopped"
    first, second, third = Counting(small, 4, error), Counting(small), Counting(small)
    with pytest.raises(error):
        run(asked(small, repository, out), first)
    with pytest.raises(DataError, match=r"has no table.parquet. Let"):
        read_table(out)
    assert len(keys(out)) == 4
    assert run(asked(small, repository, out), second) == State(total=9, before=4, scored=5, failed=3)
    assert sorted(first.scored + second.scored) == sorted(read_table(whole)["path"].to_pylist())
    assert (out / "table.parquet").read_bytes() == (whole / "table.parquet").read_bytes()
    assert run(asked(small, repository, out), third).scored == 0
    assert third.scored == []
    assert len(keys(out)) == len(set(keys(out))) == 9


def test_a_changed_file_is_scored_again_and_one_that_is_gone_leaves_the_table(
    small: Bundle, repository: Path, curated: Curated
) -> None:
    out = curated(repository)
    before = {row["path"]: row for row in read_table(out).to_pylist()}
    (repository / "a/0.png").write_bytes(encoded(9))
    (repository / "a/3.png").unlink()
    engine = Counting(small)
    run(asked(small, repository, out), engine)
    after = {row["path"]: row for row in read_table(out).to_pylist()}
    assert engine.scored == ["a/0.png"]
    assert before.keys() - after.keys() == {"a/3.png"}
    assert {path for path in after if before[path] != after[path]} == {"a/0.png"}


def test_what_a_killed_process_left_is_cleared_and_a_damaged_part_is_done_again(
    small: Bundle, repository: Path, curated: Curated
) -> None:
    out = curated(repository)
    table = (out / "table.parquet").read_bytes()
    (out / "parts/.00000009.parquet.1.tmp").write_bytes(b"PAR1")
    part = next(iter((out / "parts").glob("*.parquet")))
    part.write_bytes(part.read_bytes()[:100])
    engine = Counting(small)
    run(asked(small, repository, out), engine)
    assert len(engine.scored) == 9
    assert (out / "table.parquet").read_bytes() == table
    assert list((out / "parts").glob(".*")) == []


def test_a_full_disk_stops_it_and_room_lets_it_go_on(
    small: Bundle, repository: Path, tmp_path: Path, curated: Curated, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "full"
    honest = pq.write_table

    def full(*arguments: object, **options: object) -> None:
        if len(keys(out)) >= 4:
            raise OSError(28, os.strerror(28))
        honest(*arguments, **options)

    monkeypatch.setattr(pq, "write_table", full)
    with pytest.raises(OSError, match="No space left"):
        run(replace(asked(small, repository, out), part=2), Counting(small))
    monkeypatch.undo()
    assert len(keys(out)) == 4
    second = Counting(small)
    run(asked(small, repository, out), second)
    assert len(second.scored) == 5
    assert (out / "table.parquet").read_bytes() == (curated(repository) / "table.parquet").read_bytes()


def test_another_bundle_and_other_options_are_refused(
    small: Bundle, repository: Path, tmp_path: Path, curated: Curated
) -> None:
    out = curated(repository)
    other = make_bundle(tmp_path / "other", threshold=0.7)
    with pytest.raises(SettingsError, match="was made with the bundle"):
        run(asked(other, repository, out), Counting(other))
    with pytest.raises(SettingsError, match="was made with the options"):
        run(Asked([str(repository)], out, small, Options(force=True)), Counting(small))


def test_two_runs_cannot_share_a_folder(small: Bundle, repository: Path, tmp_path: Path) -> None:
    out = tmp_path / "shared"

    class Inside(Counting):
        def rows(self, batches: Iterator[Batch]) -> Iterator[Rows]:
            with pytest.raises(SettingsError, match="is in use: another curation"):
                run(asked(small, repository, out), Counting(small))
            yield from super().rows(batches)

    assert run(asked(small, repository, out), Inside(small)).scored == 9


def test_retry_asks_again_for_what_could_not_be_opened(small: Bundle, repository: Path, tmp_path: Path) -> None:
    out = tmp_path / "retried"
    (repository / "gone.png").symlink_to(repository / "later.png")
    run(asked(small, repository, out), Counting(small))
    rows = {row["path"]: row for row in read_table(out).to_pylist()}
    assert rows["gone.png"]["error"] == "unreadable-file"
    stale, again = Counting(small), Counting(small)
    run(asked(small, repository, out), stale)
    assert stale.scored == []
    run(Asked([str(repository)], out, small, retry=True, batch=1), again)
    assert again.scored == ["gone.png"]


def test_the_manifest_says_what_made_the_table(small: Bundle, repository: Path, curated: Curated) -> None:
    out = curated(repository)
    manifest = json.loads((out / "manifest.json").read_text("utf-8"))
    assert manifest["bundle"] == {"name": "test-model", "version": "1.0", "sha256": small.model.sha256}
    assert (manifest["images"], manifest["failed"], manifest["complete"]) == (9, 3, True)
    assert manifest["options"] == {"force": False, "distances": False}
    assert [set(each) for each in manifest["versions"]] == [
        {"numpy", "onnxruntime", "pillow", "pyarrow", "python", "sitegen"}
    ]
    metadata = pq.read_schema(out / "table.parquet").metadata
    assert metadata[b"sitegen.schema"] == b"sitegen.curation/1"
    assert metadata[b"sitegen.bundle"].decode() == small.model.sha256
