"""A served site keeps itself: it starts without its server, and changes from one version to the next as a whole."""

import json
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from sitegen.browser.chromium import Chromium, chromium
from sitegen.browser.page import SitePage, site_address
from sitegen.bundle import Bundle
from sitegen.site import build_site
from sitegen.site.options import SiteOptions
from sitegen_runtime.document_types import ResultDocument
from tests.helpers.browser.patience import be_patient
from tests.helpers.browser.plain_server import PlainServer, plain_server
from tests.helpers.browser.support import encoded
from tests.helpers.bundles import make_bundle

pytestmark = pytest.mark.browser
AT_A_RELOAD = (StaleElementReferenceException, NoSuchElementException)  # between two pages

WHOLE = "This site now works without a network."
# The SHA-256 of every file that the browser keeps, by cache and path; and the names of the caches of versions.
KEPT = """
const done = arguments[0];
const hex = (buffer) => Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");
(async () => {
  const all = {};
  for (const name of await caches.keys()) {
    if (name.endsWith(" state")) continue;
    all[name] = {};
    const cache = await caches.open(name);
    for (const request of await cache.keys()) {
      const bytes = await (await cache.match(request)).arrayBuffer();
      const file = decodeURIComponent(new URL(request.url).pathname.slice(1));
      all[name][file] = hex(await crypto.subtle.digest("SHA-256", bytes));
    }
  }
  done(all);
})();
"""
CHECK = "navigator.serviceWorker.controller.postMessage({kind: 'check'});"
REGISTRATIONS = "const [done] = arguments; navigator.serviceWorker.getRegistrations().then((all) => done(all.length));"


def four_processors(driver: Chromium) -> None:
    """Let this tab be on a machine of four processors."""
    be_patient(driver)
    driver.execute_cdp_cmd("Emulation.setHardwareConcurrencyOverride", {"hardwareConcurrency": 4})


@pytest.fixture(scope="module")
def machine() -> Iterator[Chromium]:
    """A browser on a machine of four processors. Each server is an origin of its own, where nothing is kept yet."""
    with chromium() as driver:
        four_processors(driver)
        yield driver


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another model under another title."""
    bundle = make_bundle(tmp_path_factory.mktemp("second-bundle") / "model", side=48, labels=("Nodule", "Mass"))
    options = SiteOptions(title="The second version")
    return build_site(bundle, tmp_path_factory.mktemp("second") / "dist", options=options).folder


@dataclass(frozen=True)
class Visit:
    """What was seen of a first visit, and of another after the server had died."""

    asked: Counter[str]
    isolated: bool
    document: ResultDocument
    document_offline: ResultDocument
    installability_errors: list[Any]
    console: list[str]


def opened(driver: Chromium, address: str) -> SitePage[Chromium]:
    page = SitePage(driver, address)
    page.wait_until_ready()
    return page


def wait_until_whole(driver: Chromium) -> None:
    WebDriverWait(driver, 60).until(lambda d: d.find_element(By.ID, "offline").text == WHOLE)


def hashes_of(folder: Path) -> dict[str, str]:
    """The SHA-256 of every file that is kept: the manifest and what it lists, cards' build of the engine where used."""
    listed = (path for path in folder.rglob("*") if path.is_file() and path.name != "SHA256SUMS")
    files = (path for path in listed if path.parent.name != "webgpu")
    return {path.relative_to(folder).as_posix(): sha256(path.read_bytes()).hexdigest() for path in files}


def title(driver: Chromium) -> str:
    return str(driver.find_element(By.TAG_NAME, "h1").text)


@pytest.fixture(scope="module")
def visit(machine: Chromium, site: Path) -> Visit:
    with plain_server(site) as server:
        machine.get_log("browser")
        page = opened(machine, server.address)
        document = page.analyse(encoded(), "a.png", force=True)
        wait_until_whole(machine)
        errors = machine.execute_cdp_cmd("Page.getInstallabilityErrors", {})["installabilityErrors"]
        isolated = machine.execute_script("return crossOriginIsolated")
        asked = Counter(server.asked)
        server.die()
        offline = opened(machine, server.address).analyse(encoded(), "a.png", force=True)
        console = [entry["message"] for entry in machine.get_log("browser") if entry["level"] == "SEVERE"]
    return Visit(asked, isolated, document, offline, errors, console)


def test_a_first_visit_asks_for_each_file_once_though_the_page_is_reloaded(visit: Visit, site: Path) -> None:
    asked = dict(visit.asked)
    del asked["service_worker.js"]  # browsers look for a new one when they like
    assert asked.pop("index.html") == 2
    assert asked == dict.fromkeys(hashes_of(site).keys() - {"index.html", "service_worker.js"}, 1)


def test_a_plain_host_gives_an_isolated_page_with_threads(visit: Visit) -> None:
    assert visit.isolated
    assert visit.document["engine"]["threads"] == 2


def test_the_server_may_vanish_after_the_first_visit(visit: Visit) -> None:
    assert visit.document_offline["findings"] == visit.document["findings"]
    assert visit.document_offline["tensors"] == visit.document["tensors"]
    assert visit.document_offline["engine"]["threads"] == 2


def test_the_page_can_be_installed(visit: Visit) -> None:
    assert visit.installability_errors == []
    assert visit.console == []


def visited(driver: Chromium, server: PlainServer) -> None:
    opened(driver, server.address)
    wait_until_whole(driver)


def offered(driver: Chromium) -> str:
    """Have the page look for another version until it offers one; return its words."""
    notice = driver.find_element(By.ID, "update")
    # A look that began before the server changed is not begun again: so look until there is news.
    WebDriverWait(driver, 60).until(lambda d: d.execute_script(CHECK) or notice.is_displayed())
    return str(notice.text)


def test_an_update_is_offered_and_swaps_the_whole_site(machine: Chromium, site: Path, second: Path) -> None:
    with plain_server(site) as server:
        visited(machine, server)
        first_title = title(machine)
        server.folder, before = second, len(server.asked)
        offered(machine)
        assert title(machine) == first_title  # nothing changes under a person's hands
        assert not {name for name in server.asked[before:] if name.startswith("assets/webgpu/")}
        common = hashes_of(site).items() & hashes_of(second).items()
        assert not {name for name, _ in common} & set(server.asked[before:]) - {"service_worker.js"}
        server.die()
        machine.find_element(By.ID, "update-now").click()
        WebDriverWait(machine, 60, ignored_exceptions=AT_A_RELOAD).until(lambda d: title(d) == "The second version")
        SitePage(machine, server.address).wait_until_ready()
        wait_until_whole(machine)
        (kept,) = machine.execute_async_script(KEPT).values()
        assert kept == hashes_of(second)


def test_no_start_takes_an_update_and_a_step_back_is_called_one(machine: Chromium, site: Path, second: Path) -> None:
    with plain_server(site) as server:
        visited(machine, server)
        first_title = title(machine)
        server.folder = second
        assert offered(machine).startswith("A new version of this site is ready.")
        for _ in range(2):
            opened(machine, server.address)
            assert title(machine) == first_title
            assert offered(machine).startswith("A new version of this site is ready.")
        machine.find_element(By.ID, "update-now").click()
        WebDriverWait(machine, 60, ignored_exceptions=AT_A_RELOAD).until(lambda d: title(d) == "The second version")
        SitePage(machine, server.address).wait_until_ready()
        wait_until_whole(machine)
        server.folder = site
        assert offered(machine).startswith(
            "The server has gone back to a version of this site that was in use here before"
        )
        opened(machine, server.address)
        assert title(machine) == "The second version"
        assert offered(machine).startswith("The server has gone back")


def changed(folder: Path, name: str, old: str, new: str) -> None:
    """Change a site's file, and have its manifest agree, as a host could."""
    text = (folder / name).read_text("utf-8")
    assert old in text
    content = text.replace(old, new, 1).encode()
    (folder / name).write_bytes(content)
    manifest = json.loads((folder / "manifest.json").read_bytes())
    if name in manifest["files"]:
        manifest["files"][name] = {"bytes": len(content), "sha256": sha256(content).hexdigest()}
        (folder / "manifest.json").write_text(json.dumps(manifest))


NONE = "&#39;none&#39;"
LOOSER = {
    "index": ("index.html", f"connect-src {NONE}", "connect-src *"),
    "no policy": ("index.html", "<meta http-equiv", "<meta data-equiv"),
    "something before the policy": (
        "index.html",
        '<meta charset="utf-8">',
        '<meta charset="utf-8"><script src="a.js"></script>',
    ),
    "another page": ("help.html", f"default-src {NONE}", "default-src &#39;self&#39;"),
}


def test_no_update_drops_the_policy_or_goes_back_unsaid_and_people_may_stay(
    machine: Chromium, site: Path, second: Path, tmp_path: Path
) -> None:
    with plain_server(site) as server:
        visited(machine, server)
        for name, change in LOOSER.items():
            server.folder = Path(shutil.copytree(second, tmp_path / name))
            changed(server.folder, *change)
            machine.execute_script("document.getElementById('offline').textContent = ''")
            words = lambda d: d.execute_script(CHECK) or d.find_element(By.ID, "offline").text  # noqa: E731
            assert "lacks the security policy" in WebDriverWait(machine, 60).until(words), name
            assert not machine.find_element(By.ID, "update").is_displayed()
        server.folder = Path(shutil.copytree(second, tmp_path / "older"))
        changed(server.folder, "manifest.json", '"version": "1.0"', '"version": "0.9.12"')
        changed(server.folder, "manifest.json", '"version": "1.0"', '"version": "0.9.12"')
        assert offered(machine).startswith("The server offers an older version of this site")
        machine.find_element(By.ID, "update-never").click()
        pinned = lambda d: d.find_element(By.ID, "pinned").is_displayed()  # noqa: E731
        WebDriverWait(machine, 60).until(pinned)
        assert not machine.find_element(By.ID, "update").is_displayed()
        server.folder = second
        opened(machine, server.address)
        WebDriverWait(machine, 60).until(pinned)
        before = len(server.asked)
        machine.execute_script(CHECK)
        visited(machine, server)
        assert "manifest.json" not in server.asked[before:]
        assert not machine.find_element(By.ID, "update").is_displayed()
        machine.find_element(By.ID, "unpin").click()
        assert offered(machine).startswith("A new version of this site is ready.")


def test_a_version_that_is_not_whole_on_the_server_is_not_taken(
    machine: Chromium, site: Path, second: Path, tmp_path: Path
) -> None:
    half = Path(shutil.copytree(second, tmp_path / "half"))
    (half / "index.html").write_bytes((half / "index.html").read_bytes()[:-1])
    with plain_server(site) as server:
        visited(machine, server)
        first_title = title(machine)
        server.folder, before = half, len(server.asked)
        opened(machine, server.address)  # looks for a new version
        WebDriverWait(machine, 60).until(lambda _: "index.html" in server.asked[before:])
        opened(machine, server.address)
        assert title(machine) == first_title
        assert not machine.find_element(By.ID, "update").is_displayed()
        current, *_ = (files for files in machine.execute_async_script(KEPT).values() if files == hashes_of(site))
        assert current
        server.folder = second  # the upload comes to its end
        offered(machine)


LOAD = """
const [file, done] = arguments;
const script = document.createElement("script");
script.src = file;
script.onload = () => done(true);
script.onerror = () => done(false);
document.head.append(script);
"""


def test_a_tab_that_stays_open_keeps_its_version(machine: Chromium, site: Path, second: Path) -> None:
    ours, theirs = (
        next((folder / "assets/bundles/test-model").glob("classifier.weights.*")) for folder in (site, second)
    )
    assert ours.name != theirs.name
    with plain_server(site) as server:
        visited(machine, server)
        old_tab = machine.current_window_handle
        server.folder = second
        offered(machine)
        machine.switch_to.new_window("tab")
        four_processors(machine)
        visited(machine, server)
        WebDriverWait(machine, 60).until(lambda d: d.find_element(By.ID, "update").is_displayed())
        assert title(machine) != "The second version"  # a start alone takes nothing
        machine.find_element(By.ID, "update-now").click()
        WebDriverWait(machine, 60, ignored_exceptions=AT_A_RELOAD).until(lambda d: title(d) == "The second version")
        SitePage(machine, server.address).wait_until_ready()
        wait_until_whole(machine)
        server.die()
        assert machine.execute_async_script(LOAD, theirs.relative_to(second).as_posix())
        machine.close()
        machine.switch_to.window(old_tab)
        assert machine.execute_async_script(LOAD, ours.relative_to(site).as_posix())
        visited(machine, server)  # the only tab, and a new start: the old version goes
        assert list(machine.execute_async_script(KEPT).values()) == [hashes_of(second)]


def test_a_preview_shows_what_was_just_built(machine: Chromium, site: Path, second: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(site, tmp_path / "dist"))
    with site_address(folder, "http") as address:
        opened(machine, address)
        wait_until_whole(machine)
        shutil.rmtree(folder)
        shutil.copytree(second, folder)
        opened(machine, address)
        assert title(machine) == "The second version"


def test_without_a_manifest_the_page_works_and_keeps_nothing(machine: Chromium, site: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(site, tmp_path / "dist"))
    (folder / "manifest.json").unlink()
    with plain_server(folder) as server:
        page = opened(machine, server.address)
        assert page.analyse(encoded(), "a.png", force=True)["engine"]["threads"] == 1
        assert machine.execute_async_script(REGISTRATIONS) == 0
        assert machine.find_element(By.ID, "offline").text == ""


def test_a_site_built_without_a_service_worker_takes_the_old_one_away(
    machine: Chromium, bundle: Bundle, site: Path, tmp_path: Path
) -> None:
    without = build_site(bundle, tmp_path / "without", options=SiteOptions(service_worker=False)).folder
    names = hashes_of(without).keys()
    assert not names & {"service_worker.js", "manifest.webmanifest"}
    assert "worker-src blob:; connect-src 'none'" in unescape((without / "index.html").read_text("utf-8"))
    with plain_server(site) as server:
        visited(machine, server)
        server.folder = without
        assert offered(machine).startswith("A new version of this site is ready.")
        assert machine.execute_async_script(REGISTRATIONS) == 1
        machine.find_element(By.ID, "update-now").click()
        page = SitePage(machine, server.address)
        WebDriverWait(machine, 60).until(lambda d: d.execute_async_script(REGISTRATIONS) == 0)
        machine.refresh()  # the host says nothing of caching, and so the browser may show the page that it has
        page.wait_until_ready()
        assert machine.execute_async_script(KEPT) == {}
        assert machine.find_elements(By.ID, "offline") == []
        assert page.analyse(encoded(), "a.png", force=True)["findings"]


def test_on_a_disk_nothing_is_kept(machine: Chromium, site: Path) -> None:
    with site_address(site, "file") as address:
        opened(machine, address)
        assert machine.find_elements(By.CSS_SELECTOR, "link[rel=manifest]") == []
        assert machine.find_element(By.ID, "offline").text == ""


def test_a_browser_without_room_shows_the_page_all_the_same(site: Path) -> None:
    with plain_server(site) as server, chromium() as driver:
        room = {"origin": server.address.removesuffix("/index.html"), "quotaSize": 100_000}
        driver.execute_cdp_cmd("Storage.overrideQuotaForOrigin", room)
        be_patient(driver)
        page = opened(driver, server.address)
        assert driver.execute_script("return navigator.serviceWorker.controller !== null")
        assert page.analyse(encoded(), "a.png", force=True)["findings"]
        assert driver.find_element(By.ID, "offline").text != WHOLE
