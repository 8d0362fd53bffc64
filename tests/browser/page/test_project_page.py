"""What a project adds, in a real browser: logo, colours, examples, texts, wheels; and pages that reload."""

import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from sitegen.browser.chromium import Chromium, chromium
from sitegen.browser.page import SitePage
from sitegen.bundle import Bundle
from sitegen.project.plan import read_plan
from tests.helpers.browser.several import WITH_TOOLS
from tests.helpers.browser.support import cards, encoded, opened, written
from tests.helpers.wheels import make_wheel

pytestmark = pytest.mark.browser

SETTINGS = """
title = "Our page"
bundles = ["{bundle}"]
intro = "For our **course**."
contact = "[Ask us](mailto:us@hospital.example)"
wheels = ["helper-1.0-py3-none-any.whl", "our_package-1.0-py3-none-any.whl"]
[logo]
image = "logo.png"
alt = "Our hospital"
[[examples]]
image = "é example.png"
caption = "Try this one"
[colours.light]
accent = "#004d40"
"""


@pytest.fixture(scope="module")
def project(bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    make_wheel(folder, requires=("helper",), files={"our_package/data.txt": "inside"})
    make_wheel(folder, "helper")
    Image.new("RGB", (120, 40), (10, 90, 160)).save(folder / "logo.png")
    written(folder, "é example.png", encoded(seed=3))
    (folder / "sitegen.toml").write_text(SETTINGS.format(bundle=bundle.folder.as_posix()), "utf-8")
    return folder


@pytest.fixture(scope="module")
def driver() -> Iterator[Chromium]:
    with chromium() as started:
        started.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": WITH_TOOLS})
        yield started


@pytest.fixture(scope="module")
def page(driver: Chromium, project: Path) -> Iterator[SitePage[Chromium]]:
    plan = read_plan(project / "sitegen.toml", strict=True)
    with opened(driver, plan.build(project / "dist").folder) as started:
        yield started


def python(page: SitePage[Chromium], code: str) -> str:
    """What a line of Python says, in the page's worker."""
    script = """
    const [code, done] = arguments;
    caughtWorkers[0].addEventListener("message", ({data}) => { if (data.kind === "said") done(data.answer); });
    caughtWorkers[0].postMessage({kind: "python", code});
    """
    return str(page.driver.execute_async_script(script, code))


def test_wheels_are_importable(page: SitePage[Chromium]) -> None:
    assert python(page, "import our_package, helper; our_package.double(21) + helper.double(1)") == "44"
    assert python(page, "open(our_package.__path__[0] + '/data.txt').read()") == "inside"
    version = "import importlib.metadata; importlib.metadata.version('our-package')"
    assert python(page, version) == "1.0"
    assert page.analyse(encoded(), "a.png")["findings"]


def test_logo_texts_and_colours(page: SitePage[Chromium]) -> None:
    driver = page.driver
    logo = driver.find_element(By.CLASS_NAME, "logo")
    assert driver.execute_script("return [arguments[0].complete, arguments[0].naturalWidth]", logo) == [True, 120]
    assert logo.get_attribute("alt") == "Our hospital"
    assert driver.title == driver.find_element(By.TAG_NAME, "h1").text == "Our page"
    assert driver.find_element(By.CSS_SELECTOR, ".intro strong").text == "course"
    link = driver.find_element(By.LINK_TEXT, "Ask us")
    assert link.value_of_css_property("color") == "rgba(0, 77, 64, 1)"
    assert driver.find_element(By.CLASS_NAME, "warning").is_displayed()


def test_an_example_is_loaded_when_it_is_asked_for(page: SitePage[Chromium]) -> None:
    driver = page.driver
    page.requests()
    (button,) = driver.find_elements(By.CSS_SELECTOR, "button.example")
    assert button.text == "Try this one"
    assert not driver.find_elements(By.ID, "example")  # this bundle has no golden example
    button.click()
    assert "é example.png" in cards(driver, 1)[0].text
    (asked,) = page.requests()
    assert "/assets/examples/1/" in asked


def test_nothing_went_wrong_and_nothing_went_out(page: SitePage[Chromium]) -> None:
    assert [entry["message"] for entry in page.driver.get_log("browser") if entry["level"] == "SEVERE"] == []
    assert [request for request in page.requests() if not request.startswith("file:")] == []


def test_serve_watch_rebuilds_and_reloads(driver: Chromium, project: Path, tmp_path: Path) -> None:
    settings = project / "watched.toml"
    text = (project / "sitegen.toml").read_text("utf-8")
    settings.write_text(text, "utf-8")
    command = [sys.executable, "-u", "-m", "sitegen.cli", "serve", str(tmp_path / "dist"), "--port", "0", "--watch"]
    with subprocess.Popen(
        [*command, "--project", str(settings)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # where tests run in the background
    ) as process:
        said: list[str] = []
        assert process.stdout is not None
        listener = threading.Thread(target=lambda: said.extend(iter(process.stdout.readline, "")))
        listener.start()
        try:
            wait = WebDriverWait(driver, 60)
            wait.until(lambda _: any("Watching." in line for line in said))
            found = re.search(r"http://127\.0\.0\.1:\d+/index\.html", "".join(said))
            assert found
            page = SitePage(driver, found[0])
            page.wait_until_ready()
            policy = "return document.querySelector('meta[http-equiv]').content"
            assert "connect-src 'none'" in driver.execute_script(policy)
            settings.write_text(text.replace("Our page", "Another title"), "utf-8")
            wait.until(lambda _: driver.title == "Another title")
            page.wait_until_ready()
            settings.write_text(text.replace("#004d40", "#ffffff"), "utf-8")
            wait.until(lambda _: any("has a contrast of" in line for line in said))
            assert driver.title == "Another title"
            index = (tmp_path / "dist" / "index.html").read_text("utf-8")
            assert "Another title" in index
            assert ".sitegen-reload" not in index
            assert page.analyse(encoded(), "a.png")["findings"]
        finally:
            driver.get("about:blank")
            process.send_signal(signal.SIGINT)
            try:
                code = process.wait(30)
            finally:
                process.kill()
                listener.join(30)
    assert code == 0
    assert said[-1] == "Stopped.\n"
    assert "Traceback" not in "".join(said)
