"""A folder through one change: what is recorded, resumed, left out and refused, whoever does the work."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest

from sitegen.data.prepare.sources import Source
from sitegen.data.prepare.work import Task, prepare, problems
from sitegen.errors import DataError


@dataclass(frozen=True)
class Doubled:
    """Writes a text twice, and notes each call: a stand-in for what takes long."""

    log: Path

    def __call__(self, source: Source, raw: bytes) -> Iterator[tuple[str, bytes]]:
        with self.log.open("a") as log:
            log.write(source.name + "\n")
        yield f"{source.stem}/1.out", raw
        if raw == b"bad":
            raise DataError("It is bad. Mend it.")
        if raw == b"killed":
            raise KeyboardInterrupt
        yield f"{source.stem}/2.out", raw * 2


@pytest.fixture
def texts(tmp_path: Path) -> list[Source]:
    (tmp_path / "in").mkdir()
    for name in "abc":
        (tmp_path / "in" / f"{name}.png").write_text(name)
    return [Source(f"{name}.png", tmp_path / "in" / f"{name}.png") for name in "abc"]


@pytest.fixture
def task(tmp_path: Path) -> Task:
    return Task("double", {"by": 2}, Doubled(tmp_path / "log"))


def calls(tmp_path: Path) -> list[str]:
    """The sources that were worked on since this was asked last."""
    log = tmp_path / "log"
    found = log.read_text().split() if log.exists() else []
    log.write_text("")
    return found


def test_what_went_in_and_came_out_is_written_down(texts: list[Source], task: Task, tmp_path: Path) -> None:
    document = prepare(task, texts, tmp_path / "out")
    assert (tmp_path / "out/b/2.out").read_bytes() == b"bb"
    assert json.loads((tmp_path / "out/prepared.json").read_text()) == document
    assert (document["verb"], document["settings"]) == ("double", {"by": 2})
    assert document["files"][1] == {
        "file": "b.png",
        "sha256": sha256(b"b").hexdigest(),
        "mask_sha256": "",
        "made": [
            {"file": "b/1.out", "sha256": sha256(b"b").hexdigest()},
            {"file": "b/2.out", "sha256": sha256(b"bb").hexdigest()},
        ],
        "problem": "",
    }
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a", "b", "c", "prepared.json"]


def test_a_second_run_does_what_is_not_done(texts: list[Source], task: Task, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = prepare(task, texts, out)
    calls(tmp_path)
    assert prepare(task, texts, out) == first
    assert calls(tmp_path) == []
    (out / "a/1.out").write_text("flipped")  # what was made is damaged
    (out / "b/2.out").unlink()  # or gone
    assert prepare(task, texts, out) == first
    assert calls(tmp_path) == ["a.png", "b.png"]
    texts[2].path.write_text("C")  # what went in is another
    assert prepare(task, texts, out)["files"][2]["sha256"] == sha256(b"C").hexdigest()
    assert calls(tmp_path) == ["c.png"]
    assert (out / "c/2.out").read_bytes() == b"CC"


def test_killed_work_goes_on(texts: list[Source], task: Task, tmp_path: Path) -> None:
    out = tmp_path / "out"
    texts[1].path.write_text("killed")
    with pytest.raises(KeyboardInterrupt):
        prepare(task, texts, out)
    assert not (out / "prepared.json").exists()
    with (out / ".prepared.jsonl").open("a") as journal:
        journal.write('{"file": "b.png", "sha2')  # its last line was being written
    calls(tmp_path)
    texts[1].path.write_text("b")
    prepare(task, texts, out)
    assert calls(tmp_path) == ["b.png", "c.png"]
    assert not (out / ".prepared.jsonl").exists()


def test_bad_files_are_named_and_the_others_done(texts: list[Source], task: Task, tmp_path: Path) -> None:
    out = tmp_path / "out"
    texts[0].path.write_text("bad")
    texts[1].path.unlink()
    document = prepare(task, texts, out)
    assert problems(document)[0] == ("a.png", "It is bad. Mend it.")
    assert problems(document)[1][1].startswith("cannot be read: No such file")
    assert not (out / "a/1.out").exists()  # nothing is left of a file that was not finished
    assert (out / "c/2.out").read_bytes() == b"cc"
    texts[0].path.write_text("good")
    assert [name for name, _ in problems(prepare(task, texts, out))] == ["b.png"]


def test_processes_make_the_same(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    texts = []
    for number in range(5):
        path = tmp_path / "in" / f"{number}.png"
        path.write_text("bad" if number == 3 else str(number))
        texts.append(Source(path.name, path))
    task = Task("double", {}, Doubled(tmp_path / "log"))
    shared = prepare(task, texts, tmp_path / "shared", workers=2)
    assert shared == prepare(task, texts, tmp_path / "alone", workers=1)
    assert [name for name, _ in problems(shared)] == ["3.png"]


def test_nothing_gets_mixed(texts: list[Source], task: Task, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(DataError, match="holds the files that are read"):
        prepare(task, texts, tmp_path / "in")
    prepare(task, texts, out)
    with pytest.raises(DataError, match=r"made by `sitegen data double` with by 2, and now it is `double` with by 3"):
        prepare(Task("double", {"by": 3}, task.change), texts, out)
    with pytest.raises(DataError, match=r"made of files that are gone: a\.png"):
        prepare(task, texts[1:], out)
    (tmp_path / "other").mkdir()
    (tmp_path / "other/letter.txt").write_text("mine")
    with pytest.raises(DataError, match="is not an empty folder"):
        prepare(task, texts, tmp_path / "other")
    with pytest.raises(DataError, match="is a file"):
        prepare(task, texts, tmp_path / "other/letter.txt")
