"""What went wrong is said in a sentence, and nothing that a file is called is obeyed by a terminal."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sitegen import cli
from sitegen.cli._failures import in_words
from sitegen.cli._progress import PlainConsole
from sitegen.cli._terminal import one_line, printable
from sitegen.errors import SettingsError


@pytest.mark.parametrize(
    ("error", "words", "code"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/a"), "/a cannot be read or written: No space left", 1),
        (OSError(errno.EROFS, "Read-only file system", b"/a"), "/a cannot be read or written: Read-only", 2),
        (OSError(errno.ENAMETOOLONG, "File name too long", "n"), "Name a shorter path.", 2),
        (OSError(errno.EXDEV, "Invalid link", "a", None, "b"), "a to b cannot be read or written: Invalid link", 2),
        (OSError("only words"), "A file cannot be read or written: only words", 2),
        (MemoryError(), "Memory is full.", 1),
        (SettingsError("a is not b"), "a is not b", 2),
    ],
)
def test_words_and_codes(error: OSError, words: str, code: int) -> None:
    message, given = in_words(error)
    assert words in message
    assert given == code


def test_a_full_disk_ends_a_verb_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def full() -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(tmp_path / "\x1b[2Ja"))

    monkeypatch.setattr(cli, "app", full)
    with pytest.raises(SystemExit, match="1"):
        cli.main()
    said = capsys.readouterr().err
    assert said.startswith(f"sitegen: {tmp_path}/\\x1b[2Ja cannot be read or written: No space left on device. Make")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has it")  # noqa: PTH110
def test_a_full_disk_behind_standard_output() -> None:
    with open("/dev/full", "wb") as full:  # noqa: PTH123
        command = [sys.executable, "-m", "sitegen.cli", "--help"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("sitegen: A file cannot be read or written: No space left on device.")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Röntgen 胸 😀.png", "Röntgen 胸 😀.png"),
        ("a\x1b]0;title\x07b", r"a\x1b]0;title\x07b"),
        ("a\x9b2J", r"a\x9b2J"),  # the same in one letter
        ("a\rb\x08c\x7f", r"a\rb\x08c\x7f"),
        ("a\u202egnp.exe", r"a\u202egnp.exe"),  # the order of letters turned round
        ("a\u2028b", r"a\u2028b"),
        ("a\nb\tc", r"a\nb\tc"),
    ],
)
def test_names_are_not_obeyed(name: str, shown: str) -> None:
    assert one_line(name) == shown


def test_tables_and_sentences_keep_their_lines(capsys: pytest.CaptureFixture[str]) -> None:
    from rich.table import Table

    assert printable("a\n\tb\x1b") == "a\n\tb\\x1b"
    table = Table("\x1b[1mhead")
    table.add_row("[b]\x1b]0;x\x07 :x:")
    console = PlainConsole()
    console.print(table)
    console.print("\x1b[2J")
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    for text in (r"\x1b[1mhead", r"[b]\x1b]0;x\x07 :x:", r"\x1b[2J"):
        assert text in shown
