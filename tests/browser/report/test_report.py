"""What leaves the page: report and PDF, table, documents, session; and nothing that was not asked for."""

import base64
import contextlib
import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from sitegen.browser.chromium import Chromium
from sitegen.bundle import Bundle
from sitegen.phantom import phantom
from sitegen.prediction import Predictor
from tests.helpers.browser.accessibility import Look, looked_at, violations
from tests.helpers.browser.hearing import hear, heard
from tests.helpers.browser.support import Standing, cards, choose, noise, png, written

pytestmark = pytest.mark.browser

HOSTILE = '<img src=x onerror=alert(1)> & "Müller", =1+1.png'
WIDE = phantom(seed=3, size=400)[60:320]
FILES = {"Erika Mustermann.png": png(phantom(seed=1, size=256)), HOSTILE: png(WIDE), "@noise.png": noise()}
NOTE = '=HYPERLINK("http://x")\n<script>alert(2)</script>'

# Keeps every file that the page saves, and what is printed, in place of the dialogues.
CATCH = """
if (!window.saved) {
  window.saved = [];
  const blobs = new Map(), make = URL.createObjectURL;
  URL.createObjectURL = (blob) => { const address = make.call(URL, blob); blobs.set(address, blob); return address; };
  HTMLAnchorElement.prototype.click = function () {
    blobs.get(this.href).text().then((text) => window.saved.push([this.download, text]));
  };
  window.print = () => { window.printed = document.getElementById("report-print").shadowRoot.textContent; };
}
window.saved.length = 0;
"""


@pytest.fixture
def at(standing: Standing, gate_site: Path, tmp_path: Path) -> Iterator[Chromium]:
    """The page with three images: one is wide, and one is refused."""
    driver = standing(gate_site).driver
    choose(driver, *[written(tmp_path, name, data) for name, data in FILES.items()])
    cards(driver, 3)
    driver.execute_script(CATCH)
    yield driver
    driver.execute_script("document.querySelector('dialog[open]')?.close()")
    standing.clear()


def dialogue(driver: Chromium) -> WebElement:
    found = driver.find_element(By.CSS_SELECTOR, "dialog.report-dialogue")
    if not found.get_attribute("open"):
        driver.find_element(By.ID, "report").click()
    return found


def asked(driver: Chromium, action: str) -> tuple[str, str]:
    """Name and text of the file that a button of the dialogue saves."""
    before = driver.execute_script("return window.saved.length")
    dialogue(driver).find_element(By.CSS_SELECTOR, f"[data-action={action}]").click()
    WebDriverWait(driver, 60).until(lambda _: driver.execute_script("return window.saved.length") > before)
    name, text = driver.execute_script("return window.saved.at(-1)")
    return name, text


def with_names(driver: Chromium) -> None:
    dialogue(driver).find_element(By.XPATH, ".//label[contains(., 'File names')]").click()


@contextlib.contextmanager
def without_network(driver: Chromium, html: str, folder: Path) -> Iterator[None]:
    """Open a report in a tab of its own, with no network."""
    page = driver.current_window_handle
    file = folder / "report.html"
    file.write_text(html, "utf-8")
    driver.switch_to.new_window("tab")
    try:
        driver.execute_cdp_cmd("Network.enable", {})
        offline = {"offline": True, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
        driver.execute_cdp_cmd("Network.emulateNetworkConditions", offline)
        driver.get(file.as_uri())
        yield
    finally:
        driver.close()
        driver.switch_to.window(page)


def pages_of(pdf: bytes) -> int:
    return len(re.findall(rb"/Type\s*/Page\b", pdf))


def noted(driver: Chromium, card: WebElement, text: str) -> None:
    details = card.find_element(By.CSS_SELECTOR, ".own-note")
    details.find_element(By.TAG_NAME, "summary").click()
    field = details.find_element(By.TAG_NAME, "textarea")
    driver.execute_script(
        "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('input'))", field, text
    )


def test_a_report_is_a_file_of_its_own_with_a_page_for_each_image(at: Chromium, tmp_path: Path) -> None:
    noted(at, cards(at, 3)[1], NOTE)
    name, html = asked(at, "save")
    assert re.fullmatch(r"sitegen-[\d-]+T\d+\.html", name)
    with without_network(at, html, tmp_path):
        sheets = at.find_elements(By.CSS_SELECTOR, ".sheet")
        assert len(sheets) == 4
        assert at.execute_script("return [...document.images].every((image) => image.naturalWidth > 100)")
        assert len(at.find_elements(By.CSS_SELECTOR, ".sheet figure > img")) == 3
        assert all("Not for diagnostic use." in sheet.text for sheet in sheets)
        assert at.find_elements(By.CSS_SELECTOR, "script, iframe, link, [onerror]") == []
        body = at.find_element(By.TAG_NAME, "body").text
        assert not any(part in body for part in ("Mustermann", "Müller", "onerror", "@noise"))
        assert "<script>alert(2)</script>" in sheets[2].text
        assert "of the image was not seen by the " in sheets[2].text
        assert "Nobody has measured this here." in sheets[1].text
        assert "Not analysed" in sheets[3].text
        pdf = base64.b64decode(at.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True})["data"])
        assert pages_of(pdf) == 4
        assert pdf.count(b"/Subtype /Image") >= 3
        assert "navigator" not in html
        log = [entry["message"] for entry in at.get_log("browser") if entry["level"] == "SEVERE"]
        assert log == []


def test_names_are_in_a_report_only_where_they_are_asked_for(at: Chromium, tmp_path: Path) -> None:
    with_names(at)
    html = asked(at, "save")[1]
    with without_network(at, html, tmp_path):
        sheets = at.find_elements(By.CSS_SELECTOR, ".sheet")
        assert "Erika Mustermann.png" in sheets[0].text
        assert HOSTILE in " ".join(sheets[2].text.split())
        assert at.find_elements(By.CSS_SELECTOR, "[onerror]") == []
    with_names(at)


def test_the_frame_is_where_the_model_looked(at: Chromium, tmp_path: Path) -> None:
    html = asked(at, "save")[1]
    address = re.findall(r'<img src="data:image/jpeg;base64,([^"]+)"', html)[1]
    picture = Image.open(io.BytesIO(base64.b64decode(address))).convert("RGB")
    yellow = [
        (x, y)
        for x in range(picture.width)
        for y in (picture.height // 2,)
        if picture.getpixel((x, y))[0] > 180 and picture.getpixel((x, y))[2] < 120
    ]
    height, width = WIDE.shape
    scale = picture.width / width
    left = (width - height) // 2 * scale
    assert min(yellow)[0] == pytest.approx(left, abs=2)
    assert max(yellow)[0] == pytest.approx(left + height * scale, abs=2)


def without(document: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key not in keys}


def test_all_documents_are_those_of_predict(at: Chromium, gate_bundle: Bundle) -> None:
    plain = json.loads(asked(at, "json")[1])
    assert [each["image"]["name"] for each in plain] == ["Image 1", "Image 2", "Image 3"]
    with_names(at)
    named = json.loads(asked(at, "json")[1])
    with_names(at)
    predictor = Predictor(gate_bundle)
    for ours, other, (name, data) in zip(named, plain, FILES.items(), strict=True):
        theirs: Any = predictor.analyse(data, name).document
        assert set(ours) == set(theirs)
        apart = ("engine", "timings", "gate", "findings")
        assert without(ours, *apart) == without(json.loads(json.dumps(theirs)), *apart)
        assert without(ours, "image") == without(other, "image")
        assert ours["gate"]["accepted"] == theirs["gate"]["accepted"]
        assert [each["label"] for each in ours["findings"]] == [each["label"] for each in theirs["findings"]]
        for finding, reference in zip(ours["findings"], theirs["findings"], strict=True):
            assert finding["logit"] == pytest.approx(reference["logit"], abs=1e-5)


def test_the_table_has_the_numbers_of_the_documents(at: Chromium) -> None:
    noted(at, cards(at, 3)[2], NOTE)
    documents = json.loads(asked(at, "json")[1])
    text = asked(at, "csv")[1]
    rows = list(csv.DictReader(io.StringIO(text.lstrip("\ufeff"), newline="")))
    assert [row["number"] for row in rows] == ["1", "2", "3"]
    assert "name" not in rows[0]
    assert rows[0]["note"] == "'" + NOTE
    for row, document in zip(rows, documents, strict=True):
        assert row["image_sha256"] == document["image"]["sha256"]
        assert row["model_sha256"] == document["bundle"]["sha256"]
        assert float(row["seen_share"]) == document["seen"]["share"]
        assert row["gate_accepted"] == str(document["gate"]["accepted"]).lower()
        assert float(row["gate_ssim"]) == document["gate"]["score"]
        for score in document["gate"]["scores"]:
            assert float(row[f"gate_{score['metric']}"]) == score["value"]
        for finding in document["findings"]:
            for key in ("logit", "probability", "operating_point", "calibrated"):
                cell = row[f"{finding['label']}: {key}"]
                assert (float(cell) if cell else None) == finding[key]
    with_names(at)
    named = list(csv.DictReader(io.StringIO(asked(at, "csv")[1].lstrip("\ufeff"), newline="")))
    with_names(at)
    assert [row["name"] for row in named] == ["Erika Mustermann.png", HOSTILE, "'@noise.png"]


def test_a_session_opens_again_and_waits_for_its_images(at: Chromium, standing: Standing, tmp_path: Path) -> None:
    noted(at, cards(at, 3)[2], "look again")
    documents = json.loads(asked(at, "json")[1])
    name, text = asked(at, "session")
    assert "Mustermann" not in text
    at.find_element(By.CSS_SELECTOR, "dialog[open]").send_keys(Keys.ESCAPE)
    standing.clear()
    choose(at, written(tmp_path, name, text.encode()))
    third, second, first = cards(at, 3)
    assert "look again" in (first.find_element(By.TAG_NAME, "textarea").get_attribute("value") or "")
    assert third.get_attribute("data-outcome") == "refused"
    assert not first.find_elements(By.TAG_NAME, "canvas")
    assert "The image is not here." in first.text
    assert not third.find_elements(By.XPATH, ".//button[contains(., 'anyway')]")
    report = asked(at, "save")[1]
    assert "From a saved session" in report
    assert "<figure" not in report
    at.find_element(By.CSS_SELECTOR, "dialog[open]").send_keys(Keys.ESCAPE)
    choose(at, *[written(tmp_path, f"another name {number}.png", data) for number, data in enumerate(FILES.values())])
    cards(at, 3)  # none more: they are told by their content
    drawn = lambda _: all(card.find_elements(By.TAG_NAME, "canvas") for card in cards(at, 3))  # noqa: E731
    WebDriverWait(at, 30).until(drawn)  # one after the other
    again = json.loads(asked(at, "json")[1])
    assert [without(each, "timings") for each in again] == [without(each, "timings") for each in documents]
    assert second.find_elements(By.TAG_NAME, "canvas")


@pytest.mark.parametrize(
    "change",
    [
        lambda session: "no JSON",
        lambda session: json.dumps(session | {"schema": "sitegen.session/9"}),
        lambda session: json.dumps(session | {"images": [None, 1, {"model": None}, {"document": "x"}]}),
        lambda session: json.dumps(session | {"images": [{**session["images"][0], "document": {"bundle": 3}}]}),
        lambda session: json.dumps(session).replace('"logit": ', '"logit": "x", "other": '),
        lambda session: json.dumps(session).replace(session["images"][0]["model"]["sha256"], "0" * 64),
    ],
)
def test_a_damaged_session_opens_nothing_and_breaks_nothing(at: Chromium, tmp_path: Path, change: Any) -> None:
    session = json.loads(asked(at, "session")[1])
    session["images"] = session["images"][:1]
    at.find_element(By.CSS_SELECTOR, "dialog[open]").send_keys(Keys.ESCAPE)
    hear(at)
    choose(at, written(tmp_path, "session.json", change(session).encode()))
    WebDriverWait(at, 30).until(lambda _: heard(at))
    assert any(words in heard(at)[-1] for words in ("no session of this page", "Left out: "))
    assert len(cards(at, 3)) == 3


def test_what_is_printed_from_the_page_is_the_report(at: Chromium) -> None:
    dialogue(at).find_element(By.CSS_SELECTOR, "[data-action=print]").click()
    WebDriverWait(at, 60).until(lambda _: at.execute_script("return window.printed"))
    assert "SHA-256 of the image" in at.execute_script("return window.printed")
    pdf = base64.b64decode(at.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True})["data"])
    assert pages_of(pdf) == 4
    at.execute_script("dispatchEvent(new Event('afterprint'))")
    assert not at.find_elements(By.ID, "report-print")


def test_the_dialogue_keeps_the_focus(at: Chromium) -> None:
    dialogue(at)
    at.find_element(By.CSS_SELECTOR, "dialog[open]").send_keys(Keys.ESCAPE)
    assert at.switch_to.active_element.get_attribute("id") == "report"


def test_axe_finds_nothing_in_the_dialogue_and_in_an_opened_session(at: Chromium, tmp_path: Path) -> None:
    looks = [Look(1280, 720), Look(360, 740, "dark"), Look(320, 256)]
    name, text = asked(at, "session")
    for look in looks:
        with looked_at(at, look):
            assert (str(look), violations(at)) == (str(look), [])
            assert at.execute_script(
                "const d = document.querySelector('dialog'); return d.scrollWidth <= d.clientWidth"
            )
    at.find_element(By.CSS_SELECTOR, "dialog[open]").send_keys(Keys.ESCAPE)
    choose(at, written(tmp_path, name, text.encode()))
    assert "The image is not here." in cards(at, 6)[0].text
    for look in looks:
        with looked_at(at, look):
            assert (str(look), violations(at)) == (str(look), [])
