"""Sites: built, proved in a real browser, and looked at."""

import io
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape
from os import PathLike
from types import TracebackType
from typing import Any

from rich.console import Console

from sitegen import site as sites
from sitegen.api.places import BundleLike, PathName, as_bundle, as_path
from sitegen.browser import verify
from sitegen.browser.engines import ENGINES
from sitegen.browser.report import as_tables
from sitegen.bundle import Bundle
from sitegen.site.build import BuiltSite
from sitegen.site.options import SiteOptions
from sitegen.site.serving.server import address, make_server

DIST = "dist"
WIDTH = 120  # of a report as text
TRANSPORTS = ("file", "http")
PROVIDERS = ("wasm", "webgpu")


@dataclass(frozen=True, eq=False, repr=False)
class Verification:
    """Whether a site's page computes what Python computes; `failures` are sentences.

    `document` is the whole report (schema sitegen.verify/1, docs/verify.md), as `sitegen verify --json` writes it.
    """

    passed: bool
    failures: tuple[str, ...]
    document: dict[str, Any]

    def __str__(self) -> str:
        text = io.StringIO()
        console = Console(file=text, width=WIDTH, markup=False, emoji=False, highlight=False, force_jupyter=False)
        for table in as_tables(self.document):
            console.print(table)
        return text.getvalue() + "\n".join([*self.failures, verify.in_words(self.document)])

    def __repr__(self) -> str:
        return f"<Verification: {verify.in_words(self.document)}>"


class Server:
    """A site that is served from this machine, to this machine only, until `stop` or the end of a `with`."""

    def __init__(self, site: PathName, port: int | None) -> None:
        self._server = make_server(as_path(site, "A site's folder"), port)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        """The address of the index page."""
        return address(self._server)

    def stop(self) -> None:
        """Serve no longer; again is no error."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def __enter__(self) -> "Server":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<Server {self.address}>"

    def _repr_html_(self) -> str:
        return f'<a href="{escape(self.address)}">{escape(self.address)}</a> (this machine only)'


def build_site(
    bundles: BundleLike | Iterable[BundleLike] | None = None,
    out: PathName = DIST,
    *,
    title: str | None = None,
    service_worker: bool = True,
    report: Callable[[str], None] | None = None,
) -> BuiltSite:
    """Build the site of one bundle or of several, the one that ships where none is named, and return what was made.

    The page begins with the first bundle. `title` is the first bundle's by default; without `service_worker` a served
    site does not go on when its server is gone. `report` is told each stage: "engines", "snapshot", "packing", "pages".
    What is returned is a path, too. Everything else that a page can have is a project's: docs/project.md. Raises
    BundleError, SiteError and AssetError.
    """
    options = SiteOptions(title=title, service_worker=service_worker)
    return sites.build_site(_bundles(bundles), as_path(out, "A site's folder"), report or _say_nothing, options)


def verify_site(
    site: PathName = DIST,
    bundles: BundleLike | Iterable[BundleLike] | None = None,
    *,
    transports: Sequence[str] = TRANSPORTS,
    browser: str = "chromium",
    images: PathName | None = None,
    provider: str = "wasm",
) -> Verification:
    """Compare a site's page, in a real headless browser, with what Python computes, image by image.

    `bundles` are all those that the site was built from, the one that ships where none is named. `transports` are of
    "file" and "http", `browser` is "chromium", "firefox" or "webkit", `provider` is "wasm" or "webgpu"; `images` is a
    folder of images, a synthetic set by default. Raises SiteError and BrowserError where there is nothing to compare,
    and ValueError for other names.
    """
    for what, given, known in (
        *(("transport", transport, TRANSPORTS) for transport in transports),
        ("browser", browser, tuple(ENGINES)),
        ("provider", provider, PROVIDERS),
    ):
        if given not in known:
            raise ValueError(f"There is no {what} {given!r}. There are {', '.join(map(repr, known))}.")
    folder = None if images is None else as_path(images, "A folder of images")
    place = as_path(site, "A site's folder")
    document = verify.verify_site(place, _bundles(bundles), list(transports), browser, folder, provider)
    return Verification(document["passed"], tuple(document["failures"]), document)


def serve(site: PathName = DIST, *, port: int | None = None) -> Server:
    """Serve a site from this machine, to this machine only, in the background; a `with` ends it.

    `port` is the first free one from 8000 by default, and 0 any free one. Raises SiteError where the folder is no site
    or the port is in use.
    """
    return Server(site, port)


def _say_nothing(stage: str) -> None:
    """Nobody has asked for the stages of a build."""


def _bundles(given: BundleLike | Iterable[BundleLike] | None) -> list[Bundle]:
    if given is None or isinstance(given, Bundle | str | PathLike) or not isinstance(given, Iterable):
        return [as_bundle(given)]
    return [as_bundle(each) for each in given]
