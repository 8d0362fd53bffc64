"""The document of a prepared folder, `prepared.json`; docs/prepare.md describes every key."""

from typing import TypedDict

SCHEMA = "sitegen.prepared/1"

Setting = str | int | float | bool | list[str] | list[float]


class MadeFile(TypedDict):
    """A file that was written."""

    file: str
    sha256: str


class PreparedFile(TypedDict):
    """A file that went in, and what came of it: files, or a problem."""

    file: str
    sha256: str
    mask_sha256: str
    made: list[MadeFile]
    problem: str


class PreparedDocument(TypedDict):
    """What was made of a folder, and how."""

    schema: str
    sitegen: str
    verb: str
    settings: dict[str, Setting]
    files: list[PreparedFile]
