"""Steps run when what they depend on changes, and only then."""

import json
from pathlib import Path

import pytest

from sitegen.recipe.steps import Step, key_of, run_steps


class Work:
    """Two steps, the second of which reads what the first writes; `ran` are those that ran."""

    def __init__(self, folder: Path) -> None:
        self.source, self.middle, self.end = (folder / name for name in ("source", "middle", "end"))
        self.stamps = folder / "made" / "steps.json"
        self.said: list[str] = []
        self.broken = False

    def run(self) -> list[str]:
        first = Step("first", lambda: key_of(self.source), (self.middle,), self.first)
        second = Step("second", lambda: key_of(self.middle, "setting"), (self.end,), self.second)
        return run_steps([first, second], self.stamps, self.said.append)

    def first(self) -> None:
        self.middle.write_text(self.source.read_text()[:1])

    def second(self) -> None:
        if self.broken:
            raise KeyboardInterrupt
        self.end.write_text(self.middle.read_text() * 2)


@pytest.fixture
def work(tmp_path: Path) -> Work:
    (tmp_path / "source").write_text("abc")
    return Work(tmp_path)


def test_what_is_done_is_skipped(work: Work) -> None:
    assert work.run() == ["first", "second"]
    assert work.end.read_text() == "aa"
    assert work.run() == []
    assert work.said[-2:] == ["first: done before", "second: done before"]


def test_a_change_runs_what_depends_on_it(work: Work) -> None:
    work.run()
    work.source.write_text("axyz")  # the first step writes the same again, so the second has nothing to do
    assert work.run() == ["first"]
    work.source.write_text("b")
    assert work.run() == ["first", "second"]
    assert work.end.read_text() == "bb"


def test_what_is_gone_is_made_again(work: Work) -> None:
    work.run()
    work.end.unlink()
    assert work.run() == ["second"]


def test_an_interrupted_step_runs_again(work: Work) -> None:
    work.run()
    work.source.write_text("b")
    work.broken = True
    with pytest.raises(KeyboardInterrupt):
        work.run()
    assert list(json.loads(work.stamps.read_text())) == ["first"]
    work.broken = False
    assert work.run() == ["second"]
    assert work.end.read_text() == "bb"


def test_damaged_stamps_count_as_none(work: Work) -> None:
    work.run()
    work.stamps.write_text("{")
    assert work.run() == ["first", "second"]


def test_keys_tell_contents_apart(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    keys = [key_of(tmp_path / "folder")]
    for name, text in (("a", "1"), ("a", "2"), ("b", "2")):
        (tmp_path / "folder" / name).write_text(text)
        keys.append(key_of(tmp_path / "folder"))
    keys += [key_of(), key_of("a"), key_of("a", "b"), key_of("a\nb")]
    assert len(set(keys)) == len(keys)
