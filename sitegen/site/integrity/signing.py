"""Signing a site: its manifest, for the tool, and its SHA256SUMS, for those who have minisign alone."""

import json
from datetime import date
from pathlib import Path

from sitegen import __version__
from sitegen.errors import SiteError
from sitegen.site.integrity.check import check_site
from sitegen.site.integrity.minisign import UNTIL, SecretKey
from sitegen.site.integrity.site_files import MANIFEST, SIGNATURES, SIGNED


def sign_site(folder: Path, key: SecretKey, until: date | None = None) -> list[Path]:
    """Write the signatures of a site and return their paths. The same site, key and day always give the same bytes.

    `until` is the last day on which `sitegen verify` takes them; minisign shows it, and does not compare it.
    Raises SiteError where the folder is no site, or not what was built: that should not be signed.
    """
    report = check_site(folder)
    if not report.passed:
        found = "\n".join(f"  {finding}" for finding in report.findings)
        raise SiteError(
            f"{folder} is not what was built, so it was not signed:\n{found}\nBuild it again, or remove them."
        )
    lasting = f"\t{UNTIL}{until.isoformat()}" if until else ""
    bundle = json.loads((folder / MANIFEST).read_bytes()).get("bundle", {})
    model = f"{bundle.get('name')} {bundle.get('version')}"
    paths = []
    for name, signature in zip(SIGNED, SIGNATURES, strict=True):
        comment = f"file:{name}\tsitegen:{__version__}\tbundle:{model}{lasting}\thashed"
        path = folder / signature
        path.write_text(key.sign((folder / name).read_bytes(), comment), encoding="utf-8", newline="\n")
        paths.append(path)
    return paths
