"""The folder of a site: what it says of itself, and which files in it are the site's own."""

import json
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from sitegen import __version__
from sitegen.bundle import Bundle
from sitegen.errors import SiteError
from sitegen.site.bundle_assets import identity
from sitegen.site.integrity.site_files import MANIFEST, NOT_IN_THE_MANIFEST

MANIFEST_SCHEMA = "sitegen.site/1"


def manifest_text(folder: Path, bundles: Sequence[Bundle]) -> str:
    """Return the manifest of the files that are in a folder."""
    files = {
        path.relative_to(folder).as_posix(): {
            "bytes": path.stat().st_size,
            "sha256": sha256(path.read_bytes()).hexdigest(),
        }
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    named = [identity(bundle) for bundle in bundles]
    fields = {"schema": MANIFEST_SCHEMA, "sitegen": __version__, "bundle": named[0], "bundles": named, "files": files}
    return json.dumps(fields, indent=1, ensure_ascii=False) + "\n"


def bundles_of(site: Path) -> list[dict[str, str]]:
    """Return the bundles that a site was built from: `name`, `version` and `sha256` of each, the default one first."""
    fields = json.loads((site / MANIFEST).read_text("utf-8"))
    named: list[dict[str, str]] = fields.get("bundles") or [fields["bundle"]]
    return named


def refuse_foreign(out: Path) -> None:
    """Raise SiteError where a folder holds something that is not a site, or is a file."""
    if out.is_dir() and any(out.iterdir()) and not _is_site(out):
        raise SiteError(f"{out} is not empty and is not a site that sitegen built: name another folder with --out.")
    if out.exists() and not out.is_dir():
        raise SiteError(f"{out} is a file: name a folder with --out.")


def built_files(out: Path) -> set[str]:
    """Return the files of the site that is in a folder, by their paths in it; none where there is no site."""
    if not _is_site(out):
        return set()
    return {*json.loads((out / MANIFEST).read_bytes())["files"], *NOT_IN_THE_MANIFEST}


def _is_site(folder: Path) -> bool:
    """Whether sitegen built what is in a folder: many web projects have a `manifest.json`, of another kind."""
    try:
        fields = json.loads((folder / MANIFEST).read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(fields, dict) and str(fields.get("schema", "")).startswith("sitegen.site/")
