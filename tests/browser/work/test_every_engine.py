"""The way through the page in every engine: images chosen, verdicts read, the list by keys, one removed and back."""

import base64
from pathlib import Path

import pytest

from sitegen.browser.engines import ENGINES
from sitegen.browser.page import SitePage, site_address
from tests.helpers.browser.support import encoded

EVERY_ENGINE = [pytest.param(name, marks=pytest.mark.browser(name)) for name in ENGINES]

# Files as a dialogue gives them and keys as pages get them: drivers differ in both. Returns what was in sight after
# each step, and what had the focus.
JOURNEY = """
const [files, done] = arguments;
const seen = [];
const text = (selector) => document.querySelector(selector)?.textContent ?? "";
async function until(holds, what) {
  for (let tries = 0; tries < 600; tries++) {
    if (holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${what}: ${text(".list-count")}, ${text(".card-name")}`);
}
const counted = (words) => until(() => text(".list-count") === words, words);
function look() {
  const box = document.querySelector(".card .card-status").getBoundingClientRect();
  const inSight = box.height > 0 && box.top >= 0 && box.bottom <= innerHeight;
  const { outcome } = document.querySelector(".card").dataset;
  const focus = document.activeElement === document.body ? "body" : document.activeElement.tagName;
  seen.push({name: text(".card .card-name"), verdict: text(".card .card-status"), outcome, inSight, focus});
}
async function shown(name) {
  await until(() => text(".card .card-name") === name && document.querySelector(".card").ariaBusy === "false", name);
  look();
}
function press(words) {
  const buttons = [...document.querySelectorAll("button")];
  const button = buttons.find((each) => each.offsetParent && each.textContent === words);
  button.focus();
  button.click();
}
function key(name) {
  const event = new KeyboardEvent("keydown", {key: name, bubbles: true, cancelable: true});
  document.getElementById("rows").dispatchEvent(event);
}
(async () => {
  const transfer = new DataTransfer();
  for (const [name, letters] of files)
    transfer.items.add(new File([Uint8Array.from(atob(letters), (letter) => letter.charCodeAt(0))], name));
  const input = document.getElementById("files");
  input.files = transfer.files;
  input.dispatchEvent(new Event("change"));
  await counted("3 of 3 images done");
  await shown("a.png");
  document.getElementById("rows").focus();
  key("ArrowDown");
  await shown("b.png");
  key("End");
  await shown("c.png");
  press("Remove");
  await counted("2 of 2 images done");
  look();
  press("Undo the removal");
  await counted("3 of 3 images done");
  look();
})().then(() => done({seen}), (error) => done({seen, error: String(error)}));
"""


@pytest.mark.parametrize("engine", EVERY_ENGINE)
def test_from_choosing_to_removing(engine: str, site: Path) -> None:
    files = {"a.png": encoded(seed=0, size=200), "b.png": encoded(seed=1, size=200), "c.png": encoded(seed=2)[:200]}
    with ENGINES[engine].start() as driver, site_address(site, "file") as url:
        SitePage(driver, url).wait_until_ready()
        letters = [(name, base64.b64encode(data).decode()) for name, data in files.items()]
        answer = driver.execute_async_script(JOURNEY, letters)
    assert "error" not in answer, answer
    first, second, third, *after = answer["seen"]
    assert [step["name"] for step in (first, second, third)] == list(files)
    assert "threshold" in first["verdict"]
    assert (first["outcome"], third["outcome"]) == ("findings", "failed")
    assert all(step["inSight"] for step in (first, second, third))
    assert [step["focus"] for step in after if step["focus"] == "body"] == []
    assert len(after) == 2
