"""The folder of a site: what is left alone there, and how a new site takes the place of an old one."""

import json
import shutil
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


def swap(new: Path, out: Path, old: Path) -> None:
    """Put the new site in the old one's place, with the files that people added there; put the old back on failure."""
    if not out.exists():
        new.replace(out)
        return
    _keep_added_files(out, new)
    out.replace(old)
    try:
        new.replace(out)
    except BaseException:  # Ctrl+C too
        if not out.exists():
            old.replace(out)
        raise


def _is_site(folder: Path) -> bool:
    """Whether sitegen built what is in a folder: many web projects have a `manifest.json`, of another kind."""
    try:
        fields = json.loads((folder / MANIFEST).read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(fields, dict) and str(fields.get("schema", "")).startswith("sitegen.site/")


def _keep_added_files(old: Path, new: Path) -> None:
    if not _is_site(old):
        return
    built = json.loads((old / MANIFEST).read_bytes())["files"].keys() | {*NOT_IN_THE_MANIFEST}
    for path in old.rglob("*"):
        name = path.relative_to(old).as_posix()
        if path.is_file() and name not in built and not (new / name).exists():
            (new / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, new / name)
