"""The keys of the manifests of a curation, and the type of each; their meanings are in docs/curate.md."""

from typing import TypedDict


class BundleKeys(TypedDict):
    """The model that looked at the images."""

    name: str
    version: str
    sha256: str


class OptionKeys(TypedDict):
    """What was asked of every image."""

    force: bool
    distances: bool


class ManifestDocument(TypedDict):
    """What a folder of parts was made with, and whether its table is of the last listing.

    `versions` has an entry for each set of packages that runs began with. `images`, `failed` and `complete` are of the
    last run; before its end, `complete` is False and the numbers are None.
    """

    schema: str
    bundle: BundleKeys
    options: OptionKeys
    roots: list[str]
    versions: list[dict[str, str]]
    complete: bool
    images: int | None
    failed: int | None


class AppliedDocument(TypedDict):
    """What a folder of kept images was made of: by which rule, from which table, and how many files."""

    schema: str
    rule: str
    bundle: BundleKeys
    table_sha256: str
    images: int
    kept: int
    dropped: int
    links: bool
    changed: int
