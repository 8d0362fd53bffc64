"""Names of files in a terminal: as text, never as commands to it."""

import unicodedata

_OBEYED = {"Cc", "Cf", "Zl", "Zp"}
"""Categories of Unicode that move cursors, change titles and turn the order of letters round."""
_JOINERS = "\u200c\u200d"  # which words of some languages, and many emoji, are written with


def printable(text: str) -> str:
    r"""Return a text with all that terminals obey written out, such as "\x1b", but for ends of lines and tabs."""
    return "".join(letter if _is_shown(letter) else letter.encode("unicode_escape").decode() for letter in text)


def one_line(text: str) -> str:
    r"""Return a name as `printable` does, its ends of lines written out, too: "\n"."""
    return printable(text).replace("\n", "\\n").replace("\t", "\\t")


def _is_shown(letter: str) -> bool:
    return letter in f"\n\t{_JOINERS}" or unicodedata.category(letter) not in _OBEYED
