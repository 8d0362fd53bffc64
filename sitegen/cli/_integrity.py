"""`sitegen verify --integrity`: is this copy what was built?"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sitegen.errors import SettingsError

if TYPE_CHECKING:
    from sitegen.site.integrity.check import IntegrityReport

IntegrityOption = Annotated[
    bool, typer.Option("--integrity", help="Instead, check the folder's files against their hashes.")
]
ToldOption = Annotated[
    str | None,
    typer.Option("--sha256", metavar="HEX", help="With --integrity: the SHA-256 that the build printed."),
]
PublicKeyOption = Annotated[
    str | None,
    typer.Option("--public-key", metavar="FILE|KEY", help="With --integrity: the key that signed the site."),
]


RevokedOption = Annotated[
    Path | None,
    typer.Option("--revoked", metavar="FILE", help="With --integrity: the maker's list of what was taken back."),
]


def check_integrity(
    site: Path, told: str | None, public_key: str | None, json_file: Path | None, revoked: Path | None = None
) -> None:
    """Check a site's files and print every finding. Exit code 1 where there is one."""
    from sitegen.site.integrity.check import check_site
    from sitegen.site.integrity.minisign import read_public_key
    from sitegen.site.integrity.revoked import read_revoked

    key = read_public_key(public_key) if public_key else None
    report = check_site(site, told, key, read_revoked(revoked, key) if revoked else None)
    if json_file:
        json_file.write_text(json.dumps(report.document(), indent=1), encoding="utf-8")
    for finding in report.findings:
        typer.echo(f"FAILED: {finding}")
    say_digests(report.digests)
    typer.echo(_conclusion(report, told is not None))
    if not report.passed:
        raise typer.Exit(1)


def refuse_integrity_options(told: str | None, public_key: str | None, revoked: Path | None = None) -> None:
    """Raise SettingsError where an option of --integrity is given without it."""
    if told or public_key or revoked:
        raise SettingsError("--sha256, --public-key and --revoked belong to --integrity; add it, or leave them out.")


def say_digests(digests: dict[str, str]) -> None:
    """Print the numbers that stand for all files of a site."""
    for name, digest in digests.items():
        typer.echo(f"SHA-256 of {name}: {digest}")


def _conclusion(report: "IntegrityReport", told: bool) -> str:
    if not report.passed:
        if all(finding.kind in ("revoked", "signature") for finding in report.findings):
            return "The files are as they were built, but not vouched for. Ask the site's maker for a version that is."
        return "This folder is not what was built. Copy all of it again, and remove what was added."
    files = f"All {report.files} files are there and unchanged, and there are no others"
    if told or report.signature_checked:
        return f"{files}, as {'its maker signed them' if report.signature_checked else 'the number told says'}."
    signed = " It is signed: check with --public-key." if report.signed else ""
    return f"{files}. Whether its maker wrote the list, only the maker's number can tell: --sha256.{signed}"
