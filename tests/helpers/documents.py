"""The documents, as text, for the tests of what they say."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "benchmarks").glob("*.md")])


def read(name: str) -> str:
    return (ROOT / name).read_text("utf-8")
