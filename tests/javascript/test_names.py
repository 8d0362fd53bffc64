"""Scripts that share a scope declare a name once: of two functions of one name the last would count, in silence."""

import re
from collections import Counter

import pytest

from sitegen import resources
from sitegen.site.page import PAGE_SCRIPTS, SHARED_SCRIPTS, WORKER_SCRIPTS

DECLARED = re.compile(r"^(?:async )?(?:function\*?|const|let|var|class) (\w+)", re.MULTILINE)
FOLDERS = {"page": PAGE_SCRIPTS, "worker": WORKER_SCRIPTS}


def declared_twice(texts: list[str]) -> list[str]:
    names = Counter(name for text in texts for name in DECLARED.findall(text))
    return [name for name, count in names.items() if count > 1]


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_name_is_declared_twice(folder: str) -> None:
    templates = resources.templates()
    files = [templates / "shared" / f"{name}.js" for name in SHARED_SCRIPTS]
    files += [templates / folder / f"{name}.js" for name in FOLDERS[folder]]
    texts = [file.read_text("utf-8") for file in files]
    assert sum(len(DECLARED.findall(text)) for text in texts) > 50
    assert declared_twice(texts) == []


def test_what_is_declared_twice_is_found() -> None:
    texts = ["async function one() {}\nconst two = 2;\n  const three = 3;", "function* one() {}\nclass three {}"]
    assert declared_twice(texts) == ["one"]
