"""Proving a built site: every image through the page and through `predict`, over each transport."""

import tempfile
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag

from rich.console import Console
from rich.progress import Progress

from sitegen.browser.chromium import chromium
from sitegen.browser.driver import Driver
from sitegen.browser.effects_parity import EffectsComparison, chosen, reference, wishes
from sitegen.browser.engines import ENGINES
from sitegen.browser.page import SitePage, site_address
from sitegen.browser.parity import CHESTER, Comparison
from sitegen.bundle import Bundle
from sitegen.data.listing import images_in, write_synthetic_set
from sitegen.errors import BrowserError, SiteError
from sitegen.prediction import Predictor
from sitegen.site.bundle_assets import identity
from sitegen.site.serving.server import check_site
from sitegen.site.target import bundles_of
from sitegen_runtime.document_types import EngineDocument, ResultDocument

SCHEMA = "sitegen.verify/1"
_FLAGS = {"webgpu": ("--enable-unsafe-webgpu",)}  # without a screen Chromium offers cards, and its own, only then


@dataclass(frozen=True)
class _References:
    """What Python says of every image, and of a few what changes where parts of them are masked or replaced."""

    documents: dict[Path, ResultDocument]
    changed: dict[Path, ResultDocument]


def verify_site(
    site: Path,
    bundles: Bundle | Sequence[Bundle],
    transports: list[str],
    browser: str,
    images: Path | None = None,
    provider: str = "wasm",
) -> dict[str, Any]:
    """Return the report (schema sitegen.verify/1, see docs/verify.md); `passed` is False on any difference.

    On the `provider` "webgpu" the tolerances are wider, and whatever card the browser has will do, one in software too.
    `bundles` are all those of the site. Raises SiteError where the folder is no site or was built from other bundles,
    BrowserError where the browser or the page does not start.
    """
    check_site(site)
    given = [bundles] if isinstance(bundles, Bundle) else list(bundles)
    ordered = _bundles_in_order(site, given)
    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal, transient=True) as progress:
        parts = [_verify_bundle(site, bundle, transports, (browser, provider), images, progress) for bundle in ordered]
    for part in parts:
        named = f"{part['name']}, " if len(parts) > 1 else ""
        failures = [
            f"{named}{transport}: {failure}"
            for transport, compared in part["transports"].items()
            for failure in compared["failures"]
        ]
        part["failures"] = failures
    failures = [failure for part in parts for failure in part["failures"]]
    first = parts[0]
    return {
        "schema": SCHEMA,
        "site": str(site),
        "browser": next(part["browser"] for part in first["transports"].values()),
        "images": first["images"],
        "transports": first["transports"],
        "bundles": parts,
        "chester": CHESTER,
        "failures": failures,
        "passed": not failures,
    }


def in_words(report: dict[str, Any]) -> str:
    """Return the sentence that a report comes down to."""
    return "The page computes what Python computes." if report["passed"] else "The page differs from Python."


def _verify_bundle(
    site: Path, bundle: Bundle, transports: list[str], way: tuple[str, str], images: Path | None, progress: Progress
) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        paths = images_in(images) if images else write_synthetic_set(bundle, Path(folder))
        if not paths:
            raise SiteError(f"There are no images in {images}. Name another folder with --images.")
        expected = _references(paths, bundle, progress)
        parts = {transport: _compare(site, transport, way, expected, bundle, progress) for transport in transports}
    return identity(bundle) | {"images": len(paths), "transports": parts}


def _bundles_in_order(site: Path, bundles: list[Bundle]) -> list[Bundle]:
    """The bundles in the order in which the site has them. Raises SiteError unless they are exactly its own."""
    by_hash = {bundle.model.sha256: bundle for bundle in bundles}
    built_from = bundles_of(site)
    named = [f"{entry['name']} {entry['version']}" for entry in built_from]
    for bundle in bundles:
        if bundle.model.sha256 not in [entry["sha256"] for entry in built_from]:
            raise SiteError(
                f"{site} was built from {'the bundle' if len(named) == 1 else 'the bundles'} {', '.join(named)}, which "
                f"is not {bundle.folder} as it is now. Build again, or name the right bundle with --bundle."
            )
    for entry, name in zip(built_from, named, strict=True):
        if entry["sha256"] not in by_hash:
            raise SiteError(f"{site} also has the bundle {name}: name it too, with a further --bundle.")
    return [by_hash[entry["sha256"]] for entry in built_from]


def _references(paths: list[Path], bundle: Bundle, progress: Progress) -> _References:
    predictor = Predictor(bundle)
    # Forced, so that probabilities are compared for refused images too.
    documents = {path: predictor.predict(path, force=True) for path in progress.track(paths, description="In Python")}
    return _References(documents, {path: reference(predictor, path, documents[path]) for path in chosen(documents)})


def _started(browser: str, provider: str) -> AbstractContextManager[Driver]:
    if provider not in _FLAGS:
        return ENGINES[browser].start()
    if browser != "chromium":
        raise BrowserError(f"{provider} is tested in Chromium alone, not in {browser}. Leave --browser out.")
    return chromium(*_FLAGS[provider])


def _compare(
    site: Path, transport: str, way: tuple[str, str], expected: _References, bundle: Bundle, progress: Progress
) -> dict[str, Any]:
    browser, provider = way
    comparison, engines = Comparison(bundle.model.labels, provider), list[EngineDocument]()
    effects = EffectsComparison(provider)
    with site_address(site, transport) as url, _started(browser, provider) as driver:
        page = SitePage(driver, url)
        ready = page.wait_until_ready()
        page.configure(provider=provider)
        for path, document in progress.track(expected.documents.items(), description=f"In the page, over {transport}"):
            try:
                ours = page.analyse(path.read_bytes(), path.name, **_options(bundle))
                if path in expected.changed:
                    effects.add(path.name, _changed(page, path, document, bundle), expected.changed[path])
            except BrowserError as error:  # the other images are still worth comparing, in a fresh page
                comparison.failures.append(f"{path.name}: {error}")
                page = SitePage(driver, url)
                page.wait_until_ready()
                page.configure(provider=provider)
            else:
                comparison.add(path.name, ours, document)
                if ours.get("engine") not in [None, *engines]:
                    engines.append(ours["engine"])
        outside = [request for request in page.requests() if not _inside(request, url)]
        named = page.browser()
    comparison.failures += [*effects.failures, *(f"request outside the site: {request}" for request in outside)]
    facts = {"browser": named, "engines": engines, "ready_ms": ready, "requests_outside": outside}
    return facts | comparison.summary() | {"effects": effects.summary()}


def _options(bundle: Bundle) -> dict[str, Any]:
    return {"force": True, "bundle": bundle.description.name}


def _changed(page: SitePage[Driver], path: Path, document: ResultDocument, bundle: Bundle) -> ResultDocument:
    maps, interventions = wishes(bundle.model, document)
    wanted = {"explain": maps, "whatIf": interventions, "values": True}
    return page.analyse(path.read_bytes(), path.name, **wanted, **_options(bundle))


def _inside(request: str, index: str) -> bool:
    # Engines escape different characters of a path.
    return unquote(urldefrag(request).url).startswith(unquote(index.rsplit("/", 1)[0]) + "/")
