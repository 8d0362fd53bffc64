"""Proving a built site: every image through the page and through `predict`, over each transport."""

import json
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag

from rich.progress import Progress

from sitegen.browser.engines import ENGINES
from sitegen.browser.images import images_in, write_synthetic_set
from sitegen.browser.page import SitePage, site_address
from sitegen.browser.parity import CHESTER, Comparison
from sitegen.bundle import Bundle
from sitegen.errors import BrowserError, SiteError
from sitegen.prediction import Predictor
from sitegen.site.server import check_site
from sitegen_runtime.document import Document

SCHEMA = "sitegen.verify/1"


def verify_site(
    site: Path, bundle: Bundle, transports: list[str], browser: str, images: Path | None = None
) -> dict[str, Any]:
    """Return the report (schema sitegen.verify/1, see docs/verify.md); `passed` is False on any difference.

    Raises SiteError where the folder is no site or was built from another bundle, BrowserError where the browser or the
    page does not start.
    """
    check_site(site)
    _check_bundle(site, bundle)
    with tempfile.TemporaryDirectory() as folder, Progress(transient=True) as progress:
        paths = images_in(images) if images else write_synthetic_set(bundle, Path(folder))
        if not paths:
            raise SiteError(f"There are no images in {images}. Name another folder with --images.")
        reference = _references(paths, bundle, progress)
        parts = {transport: _compare(site, transport, browser, reference, bundle, progress) for transport in transports}
    failures = [f"{transport}: {failure}" for transport, part in parts.items() for failure in part["failures"]]
    return {
        "schema": SCHEMA,
        "site": str(site),
        "browser": next(part["browser"] for part in parts.values()),
        "images": len(paths),
        "transports": parts,
        "chester": CHESTER,
        "failures": failures,
        "passed": not failures,
    }


def _check_bundle(site: Path, bundle: Bundle) -> None:
    built_from = json.loads((site / "manifest.json").read_text("utf-8"))["bundle"]
    if built_from["sha256"] != bundle.model.sha256:
        raise SiteError(
            f"{site} was built from the bundle {built_from['name']} {built_from['version']}, which is not "
            f"{bundle.folder} as it is now. Build again, or name the right bundle with --bundle."
        )


def _references(paths: list[Path], bundle: Bundle, progress: Progress) -> dict[Path, Document]:
    predictor = Predictor(bundle)
    # Forced, so that probabilities are compared for refused images too.
    return {path: predictor.predict(path, force=True) for path in progress.track(paths, description="In Python")}


def _compare(
    site: Path, transport: str, browser: str, reference: dict[Path, Document], bundle: Bundle, progress: Progress
) -> dict[str, Any]:
    comparison, engines = Comparison(bundle.model.labels), list[Document]()
    with site_address(site, transport) as url, ENGINES[browser].start() as driver:
        page = SitePage(driver, url)
        ready = page.wait_until_ready()
        for path, document in progress.track(reference.items(), description=f"In the page, over {transport}"):
            try:
                ours = page.analyse(path.read_bytes(), path.name, force=True)
            except BrowserError as error:  # the other images are still worth comparing, in a fresh page
                comparison.failures.append(f"{path.name}: {error}")
                page = SitePage(driver, url)
                page.wait_until_ready()
            else:
                comparison.add(path.name, ours, document)
                if ours.get("engine") not in [None, *engines]:
                    engines.append(ours["engine"])
        outside = [request for request in page.requests() if not _inside(request, url)]
        named = page.browser()
    comparison.failures += [f"request outside the site: {request}" for request in outside]
    facts = {"browser": named, "engines": engines, "ready_ms": ready, "requests_outside": outside}
    return facts | comparison.summary()


def _inside(request: str, index: str) -> bool:
    # Engines escape different characters of a path.
    return unquote(urldefrag(request).url).startswith(unquote(index.rsplit("/", 1)[0]) + "/")
