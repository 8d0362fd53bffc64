"""Hosts, frames and browsers that refuse something: the page works without it, or says truly what is in its way."""

import contextlib
import time
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By

from sitegen.browser.chromium import Chromium
from sitegen.browser.driver import Driver
from sitegen.browser.engines import ENGINES
from tests.helpers.browser.hosts import Host, serving

pytestmark = pytest.mark.browser

READY = "Ready. Nothing you open leaves this machine."
NOT_RUN = (
    "If this text stays, the page's own program did not run: the copy is damaged, this browser is too old, or who shows"
)
SELF = "script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'; worker-src 'self' blob:"
SANDBOX = '<iframe sandbox="allow-scripts{}" src="{{}}"></iframe>'
SRCDOC = '<iframe sandbox="allow-scripts" srcdoc="<iframe src=\'{}\'></iframe>"></iframe>'


@contextlib.contextmanager
def altered(driver: Chromium, source: str) -> Iterator[None]:
    """Let a script run before those of every page that is opened meanwhile."""
    added = driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": source})
    try:
        yield
    finally:  # what tests delete, no other test shall miss
        driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)
        driver.get("about:blank")


def said(driver: Chromium, seconds: float = 60) -> str:
    """What the page says once it is ready or has failed."""
    end = time.monotonic() + seconds
    while True:
        status = driver.find_element(By.ID, "status").text
        failure = driver.find_element(By.ID, "failure").text
        if status == READY or failure:
            return status if status == READY else failure
        if time.monotonic() > end:
            return status
        time.sleep(0.2)


def enter_frames(driver: Chromium) -> None:
    while frames := driver.find_elements(By.TAG_NAME, "iframe"):
        if driver.find_elements(By.ID, "status"):
            return
        driver.switch_to.frame(frames[0])


WORKS = {
    "frame": Host(),
    "sandboxed frame": Host(frame=SANDBOX.format("")),
    "sandboxed frame of the same origin": Host(frame=SANDBOX.format(" allow-same-origin")),
    "frame in a sandboxed frame": Host(frame=SRCDOC),
    "policy that allows what is needed": Host({"Content-Security-Policy": SELF}),
    "page that a header sandboxes": Host({"Content-Security-Policy": "sandbox allow-scripts"}),
    "policy that reports only": Host({"Content-Security-Policy-Report-Only": "default-src 'none'"}),
    "right types and nosniff": Host({"X-Content-Type-Options": "nosniff"}, {".js": "text/javascript"}),
    "scripts as application/x-javascript": Host(
        {"X-Content-Type-Options": "nosniff"}, {".js": "application/x-javascript"}
    ),
    "scripts as text without nosniff": Host(types={".js": "text/plain"}),
    "no referrer, no frames": Host({"Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY"}),
    "isolation without embedding": Host({"Cross-Origin-Opener-Policy": "same-origin"}),
    "features switched off": Host({"Permissions-Policy": "fullscreen=(), clipboard-write=(), storage-access=()"}),
}


@pytest.mark.parametrize("name", list(WORKS))
def test_the_page_works(name: str, driver: Chromium, gate_site: Path) -> None:
    host = WORKS[name]
    with serving(host, gate_site) as root:
        driver.get(root + ("frame.html" if "frame" in name and "no frames" not in name else "index.html"))
        enter_frames(driver)
        assert said(driver) == READY
        driver.get("about:blank")


BY_POLICY = "A security policy that the host sends with this page, or that the page around it sets, forbids"
REFUSED = {
    "no scripts of files": (
        Host({"Content-Security-Policy": "script-src 'unsafe-inline' 'wasm-unsafe-eval'; worker-src blob:"}),
        [f"{BY_POLICY} the file assets/", "(Content-Security-Policy, script-src"],
    ),
    "no workers": (
        Host({"Content-Security-Policy": "worker-src 'none'"}),
        [f"{BY_POLICY} the worker that does the computing (Content-Security-Policy, worker-src)."],
    ),
    "workers of files only": (
        Host({"Content-Security-Policy": "worker-src 'self'"}),
        [f"{BY_POLICY} the worker that does the computing (Content-Security-Policy, worker-src)."],
    ),
    "no WebAssembly": (
        Host({"Content-Security-Policy": "script-src 'self' 'unsafe-inline'; worker-src blob: 'self'"}),
        [f"{BY_POLICY} WebAssembly, in which all the computing is done"],
    ),
    "no program at all": (Host({"Content-Security-Policy": "default-src 'self'"}), [NOT_RUN]),
    "sandbox without scripts": (Host({"Content-Security-Policy": "sandbox"}), [NOT_RUN]),
    "scripts as text": (
        Host({"X-Content-Type-Options": "nosniff"}, {".js": "text/plain"}),
        [
            "The host has the file assets/",
            "does not send it as JavaScript (Content-Type: text/javascript)",
            "text/plain",
        ],
    ),
    "scripts as JSON": (
        Host({"X-Content-Type-Options": "nosniff"}, {".js": "application/json"}),
        ["The host has the file assets/", "but as application/json"],
    ),
    "scripts as a picture": (Host(types={".js": "image/png"}), ["The host has the file assets/", "but as image/png"]),
    "files behind a password": (
        Host(status=HTTPStatus.FORBIDDEN),
        ["The host does not give the file assets/", "(status 403). Reload the page"],
    ),
    "a broken host": (Host(status=HTTPStatus.BAD_GATEWAY), ["The host does not give the file assets/", "(status 502)"]),
    "files that are not there": (
        Host(status=HTTPStatus.NOT_FOUND),
        ["The file assets/", " is missing. Reload the page"],
    ),
}


@pytest.mark.parametrize("name", list(REFUSED))
def test_what_is_refused_is_told(name: str, driver: Chromium, gate_site: Path) -> None:
    host, expected = REFUSED[name]
    with serving(host, gate_site) as root:
        driver.get(root + "index.html")
        text = said(driver, 0 if expected == [NOT_RUN] else 60)  # a page that is loaded has run
        assert [part for part in expected if part not in text] == [], text
        assert "copy is damaged" not in text or expected == [NOT_RUN]
        driver.get("about:blank")


STATE = """
const [done] = arguments;
done(document.getElementById("failure").textContent || document.getElementById("status").textContent);
"""


def told_by(driver: Driver) -> str:
    """As `said`, in any engine."""
    for _ in range(300):
        text = str(driver.execute_async_script(STATE))
        if not text.endswith("…"):
            break
        time.sleep(0.2)
    return text


@pytest.mark.parametrize("engine", [pytest.param(name, marks=pytest.mark.browser(name)) for name in ENGINES])
def test_every_engine_tells_what_is_refused(engine: str, gate_site: Path) -> None:
    told = ["no scripts of files", "no workers", "workers of files only", "scripts as text"]
    if engine != "webkit":  # which starts Python there, and never says that it may not
        told.append("no WebAssembly")
    with ENGINES[engine].start() as driver:
        driver.set_script_timeout(90)
        for name in told:
            host, expected = REFUSED[name]
            with serving(host, gate_site) as root:
                driver.get(root + "index.html")
                text = told_by(driver)
                unknown = engine == "webkit" and name == "scripts as text"  # it does not tell what it was answered
                expected = ["could not be loaded: the host does not", "as JavaScript"] if unknown else expected[:1]
                assert [part for part in expected if part not in text] == [], (name, text)
        with serving(WORKS["page that a header sandboxes"], gate_site) as root:
            driver.get(root + "index.html")
            text = told_by(driver)
            assert text.startswith("This page stands in a sandboxed frame" if engine == "webkit" else READY)


REFUSING = "{ get() { throw new DOMException('blocked', 'SecurityError'); } }"
NOT_NEEDED = {
    "no crypto.subtle": "delete Crypto.prototype.subtle;",
    "no service worker": "delete Navigator.prototype.serviceWorker;",
    "blocked storage": "for (const name of ['localStorage', 'sessionStorage', 'indexedDB', 'caches'])"
    f"Object.defineProperty(window, name, {REFUSING});",
    "blocked service worker": f"Object.defineProperty(Navigator.prototype, 'serviceWorker', {REFUSING});",
    "no locks, no WebGPU": "for (const name of ['locks', 'userActivation', 'gpu']) delete Navigator.prototype[name];",
    "no shared memory": "delete window.SharedArrayBuffer; delete window.crossOriginIsolated;",
    "no dialogues": "delete HTMLDialogElement.prototype.showModal; delete Element.prototype.requestFullscreen;",
    "nothing about the machine": "for (const name of ['hardwareConcurrency', 'deviceMemory', 'connection'])"
    "delete Navigator.prototype[name];",
    "no fromBase64": "delete Uint8Array.fromBase64; delete Element.prototype.checkVisibility;",
}
NEEDED = {
    "Worker": "delete window.Worker;",
    "DecompressionStream": "delete window.DecompressionStream;",
    "OffscreenCanvas": "delete window.OffscreenCanvas;",
    "createImageBitmap": "delete window.createImageBitmap;",
    "structuredClone": "delete window.structuredClone;",
    "ResizeObserver": "delete window.ResizeObserver;",
    "Object.hasOwn": "delete Object.hasOwn;",
    "Array.at": "delete Array.prototype.at;",
    "Element.replaceChildren": "delete Element.prototype.replaceChildren;",
    "WebAssembly.instantiate": "delete window.WebAssembly;",
    "SIMD of WebAssembly": "WebAssembly.validate = () => false;",
}


@pytest.mark.parametrize("name", list(NOT_NEEDED))
def test_the_page_does_without(name: str, driver: Chromium, gate_site: Path) -> None:
    with serving(Host(), gate_site) as root, altered(driver, NOT_NEEDED[name]):
        driver.get(root + "index.html")
        assert said(driver) == READY


def test_what_a_browser_lacks_is_named(driver: Chromium, gate_site: Path) -> None:
    with serving(Host(), gate_site) as root:
        for name, deletion in NEEDED.items():
            with altered(driver, deletion):
                driver.get(root + "index.html")
                assert f"This browser does not offer what the page needs: {name}." in said(driver)
                assert driver.find_element(By.ID, "status").text == "This page could not start."


def test_what_stops_the_program_is_told_and_not_called_damage(driver: Chromium, gate_site: Path) -> None:
    broken = "Object.defineProperty(document, 'querySelectorAll', { get() { throw new Error('not today'); } });"
    with serving(Host(), gate_site) as root, altered(driver, broken):
        driver.get(root + "index.html")
        assert said(driver).startswith("The page's own program stopped: Uncaught Error: not today. This browser,")


def test_a_site_on_a_disk_works_in_a_frame(driver: Chromium, gate_site: Path, tmp_path: Path) -> None:
    frame = tmp_path / "frame.html"
    frame.write_text(f'<!doctype html><iframe src="{(gate_site / "index.html").as_uri()}"></iframe>', encoding="utf-8")
    driver.get(frame.as_uri())
    enter_frames(driver)
    assert said(driver) == READY
    driver.get("about:blank")
