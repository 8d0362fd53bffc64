"""The cache: made once for each key, never half."""

from pathlib import Path

import pytest

from sitegen.site.cache import cache_folder, cached_file, cached_folder, key_of


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SITEGEN_CACHE", str(tmp_path / "new" / "cache"))
    return tmp_path / "new" / "cache"


def test_the_environment_names_the_folder(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cache_folder() == cache
    assert cache.is_dir()
    monkeypatch.delenv("SITEGEN_CACHE")
    monkeypatch.setattr("sitegen.site.cache.user_cache_path", lambda name: cache / "of the system" / name)
    assert cache_folder() == cache / "of the system" / "sitegen"


def test_keys_tell_parts_apart() -> None:
    keys = {key_of(parts) for parts in ([b"ab", b"c"], [b"a", b"bc"], [b"abc"], [b"abc", b""], [b"c", b"ab"], [])}
    assert len(keys) == 6
    assert key_of(iter([b"ab", b"c"])) == key_of([b"ab", b"c"])


def test_a_file_is_made_once() -> None:
    made: list[int] = []

    def make() -> bytes:
        made.append(1)
        return b"content"

    assert [cached_file("kind", "key", make) for _ in range(3)] == [b"content"] * 3
    assert made == [1]
    assert cached_file("kind", "another", make) == b"content"
    assert cached_file("other kind", "key", make) == b"content"
    assert len(made) == 3


def test_a_file_that_fails_is_made_again(cache: Path) -> None:
    def fail() -> bytes:
        raise RuntimeError("no network")

    with pytest.raises(RuntimeError):
        cached_file("kind", "key", fail)
    assert cached_file("kind", "key", lambda: b"content") == b"content"
    kept = "key.ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73"  # the SHA-256 of "content"
    assert [path.name for path in (cache / "kind").iterdir()] == [kept]


@pytest.mark.parametrize("damaged", [b"", b"conten", b"cOntent", b"content and more"])
def test_a_file_that_is_damaged_is_made_again(damaged: bytes, cache: Path) -> None:
    cached_file("kind", "key", lambda: b"content")
    (kept,) = (cache / "kind").iterdir()
    kept.write_bytes(damaged)
    assert cached_file("kind", "key", lambda: b"content") == b"content"
    assert [path.read_bytes() for path in (cache / "kind").iterdir()] == [b"content"]


def test_a_cache_that_cannot_be_written_costs_time_only(cache: Path) -> None:
    cache.mkdir(parents=True)
    (cache / "kind").write_text("a file where a folder should be")
    assert cached_file("kind", "key", lambda: b"content") == b"content"


def test_a_folder_is_made_once() -> None:
    made: list[Path] = []

    def make(folder: Path) -> None:
        made.append(folder)
        (folder / "file").write_text("content")

    folders = [cached_folder("kind", "key", make) for _ in range(2)]
    assert folders[0] == folders[1]
    assert len(made) == 1
    assert (folders[0] / "file").read_text() == "content"


def test_a_folder_that_is_not_whole_is_made_again() -> None:
    def make(folder: Path) -> None:
        (folder / "file").write_text("content")

    folder = cached_folder("kind", "key", make)
    (folder / "file").write_text("")
    assert (cached_folder("kind", "key", make) / "file").read_text() == ""
    whole = cached_folder("kind", "key", make, lambda kept: (kept / "file").read_text() == "content")
    assert (whole / "file").read_text() == "content"


def test_a_folder_that_fails_leaves_nothing(cache: Path) -> None:
    def fail(folder: Path) -> None:
        (folder / "half").write_text("half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        cached_folder("kind", "key", fail)
    assert list((cache / "kind").iterdir()) == []


def test_of_two_builds_at_once_the_first_wins(cache: Path) -> None:
    def make(folder: Path) -> None:
        (folder / "file").write_text("second")
        (cache / "kind" / "key").mkdir()
        (cache / "kind" / "key" / "file").write_text("first")

    assert (cached_folder("kind", "key", make) / "file").read_text() == "first"
    assert [path.name for path in (cache / "kind").iterdir()] == ["key"]
