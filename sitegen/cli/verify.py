"""`sitegen verify`: does the page compute what Python computes?"""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from sitegen.cli._integrity import (
    IntegrityOption,
    PublicKeyOption,
    RevokedOption,
    ToldOption,
    check_integrity,
    refuse_integrity_options,
)
from sitegen.cli._options import BundlesOption, ProjectOption


class Transport(StrEnum):
    """How the site is opened."""

    file = "file"
    http = "http"


class Browser(StrEnum):
    """The engines that can be driven."""

    chromium = "chromium"
    firefox = "firefox"
    webkit = "webkit"


class Provider(StrEnum):
    """What runs the networks in the page."""

    wasm = "wasm"
    webgpu = "webgpu"


def verify(
    site: Annotated[Path, typer.Option(metavar="DIR", help="The built site.")] = Path("dist"),
    transport: Annotated[Transport | None, typer.Option(help="Only this one; both by default.")] = None,
    browser: Annotated[Browser, typer.Option(help="The browser to drive.")] = Browser.chromium,
    provider: Annotated[
        Provider,
        typer.Option(help="What runs the networks; webgpu has wider tolerances, and takes an adapter in software too."),
    ] = Provider.wasm,
    images: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Images to compare on; a synthetic set by default.")
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Also write the report here.")
    ] = None,
    bundle: BundlesOption = None,
    project: ProjectOption = None,
    integrity: IntegrityOption = False,
    sha256: ToldOption = None,
    public_key: PublicKeyOption = None,
    revoked: RevokedOption = None,
) -> None:
    """Compare the page, in a real headless browser, with `predict`, image by image. Exit code 1 on any difference.

    All bundles of the site are compared: those of the project, or those that are named.
    """
    if integrity:
        check_integrity(site, sha256, public_key, json_file, revoked)
        return
    refuse_integrity_options(sha256, public_key, revoked)
    from sitegen.browser.processes import orderly_end
    from sitegen.browser.report import as_tables
    from sitegen.browser.verify import in_words, verify_site
    from sitegen.cli._progress import PlainConsole
    from sitegen.project.plan import read_plan

    transports = [transport.value] if transport else [entry.value for entry in Transport]
    bundles = read_plan(project, bundle or []).load_bundles()
    with orderly_end():
        report = verify_site(site, bundles, transports, browser.value, images, provider.value)
    console = PlainConsole()
    for table in as_tables(report):
        console.print(table)
    if json_file:
        json_file.write_text(json.dumps(report, indent=1), encoding="utf-8")
    for failure in report["failures"]:
        typer.echo(f"FAILED: {failure}")
    typer.echo(in_words(report))
    if not report["passed"]:
        raise typer.Exit(1)
