"""The way through the page in every engine: images chosen, verdicts read, the list by keys, one removed and back.

In Firefox, whose driver moves pointers and presses keys as a person does, regions are tried as well.
"""

import base64
from pathlib import Path
from typing import Any

import pytest

from sitegen.browser.engines import ENGINES
from sitegen.browser.firefox import Firefox
from sitegen.browser.page import SitePage, site_address
from sitegen.bundle import Bundle
from sitegen.prediction import Predictor
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


# Opens the tool on the first image, or begins another region, by a tool; answers with the middle of the picture.
BEGIN = """
const [tool, done] = arguments;
const find = (selector) => document.querySelector(selector);
const press = (action) => find(`.viewer [data-action="${action}"]`)?.click();
const rest = () => new Promise((resolve) => setTimeout(resolve, 50));
(async () => {
  if (find(".what-if")) press("what-if-next");
  else find("#rows").dispatchEvent(new KeyboardEvent("keydown", {key: "Home", bubbles: true, cancelable: true}));
  for (let tries = 0; tries < 600 && !find(".what-if"); tries++) {
    if (find(".card-name")?.textContent === "a.png" && find(".card").ariaBusy === "false") press("what-if");
    await rest();
  }
  press(`what-if-${tool}`);
  const {x, y, width, height} = find(".viewer-main .stage").getBoundingClientRect();
  find(".viewer-main .stage").focus();
  done([Math.round(x + width / 2), Math.round(y + height / 2)]);
})().catch((error) => done(String(error)));
"""
# Waits for the answer of another region, and answers with those of the result that "Save result" would write.
TRIED = """
const [count, done] = arguments;
const answered = ".what-if[aria-busy=false] .changes-table";
const kept = () => document.querySelectorAll('[data-action^="show-try"]').length || 1;
const isThere = () => document.querySelector(answered) && kept() === count;
const {createObjectURL} = URL;
const {click} = HTMLAnchorElement.prototype;
(async () => {
  for (let tries = 0; tries < 600 && !isThere(); tries++) await new Promise((resolve) => setTimeout(resolve, 100));
  let saved = null;
  URL.createObjectURL = (blob) => createObjectURL.call(URL, (saved = blob));
  HTMLAnchorElement.prototype.click = () => {};
  document.querySelector(".card-actions [data-action=save]").click();
  URL.createObjectURL = createObjectURL;
  HTMLAnchorElement.prototype.click = click;
  done(JSON.parse(await saved.text()).what_if ?? []);
})().catch((error) => done(String(error)));
"""
SHIFT, LEFT, DOWN = "\ue008", "\ue012", "\ue015"


def stroke(kind: str, x: int, y: int) -> dict[str, Any]:
    """A drag of 50 by 40 pixels around a point, by mouse or finger."""
    steps = [
        {"type": "pointerMove", "x": x - 25, "y": y - 20},
        {"type": "pointerDown", "button": 0},
        {"type": "pointerMove", "x": x, "y": y, "duration": 20},
        {"type": "pointerMove", "x": x + 25, "y": y + 20, "duration": 20},
        {"type": "pointerUp", "button": 0},
    ]
    return {"type": "pointer", "id": kind, "parameters": {"pointerType": kind}, "actions": steps}


def keys(*pressed: str) -> dict[str, Any]:
    """Keys, one after the other; of several letters all are down at once."""
    steps = []
    for chord in pressed:
        steps += [{"type": "keyDown", "value": key} for key in chord]
        steps += [{"type": "keyUp", "value": key} for key in reversed(chord)]
    return {"type": "key", "id": "keys", "actions": steps}


def check_what_if(driver: Firefox, data: bytes, bundle: Bundle) -> None:
    """A rectangle by mouse, a brush by finger and cells by keys have Python's numbers."""
    x, y = driver.execute_async_script(BEGIN, "rectangle")
    driver.perform(stroke("mouse", x, y))
    assert len(driver.execute_async_script(TRIED, 1)) == 1
    x, y = driver.execute_async_script(BEGIN, "brush")
    driver.perform(stroke("touch", x, y))
    assert len(driver.execute_async_script(TRIED, 2)) == 2
    driver.execute_async_script(BEGIN, "rectangle")
    driver.perform(keys(LEFT, " ", SHIFT + DOWN))
    entries = driver.execute_async_script(TRIED, 3)
    mouse, finger, walked = [entry["regions"] for entry in entries]
    assert len(mouse) == 1
    assert len(finger) > 1  # a stroke across cells is no rectangle
    assert walked == [[87.5, 100, 12.5, 25]]
    wanted = [{"regions": entry["regions"], "filling": entry["filling"]} for entry in entries]
    expected = Predictor(bundle).what_if(data, wanted).document["what_if"]
    for ours, theirs in zip(entries, expected, strict=True):
        assert ours["cells"] == theirs["cells"]
        after = [[effect["after"] for effect in entry["findings"]] for entry in (ours, theirs)]
        assert after[0] == pytest.approx(after[1], abs=2e-5)


@pytest.mark.parametrize("engine", EVERY_ENGINE)
def test_from_choosing_to_removing(engine: str, site: Path, bundle: Bundle) -> None:
    files = {"a.png": encoded(seed=0, size=200), "b.png": encoded(seed=1, size=200), "c.png": encoded(seed=2)[:200]}
    with ENGINES[engine].start() as driver, site_address(site, "file") as url:
        SitePage(driver, url).wait_until_ready()
        letters = [(name, base64.b64encode(data).decode()) for name, data in files.items()]
        answer = driver.execute_async_script(JOURNEY, letters)
        if isinstance(driver, Firefox):
            check_what_if(driver, files["a.png"], bundle)
    assert "error" not in answer, answer
    first, second, third, *after = answer["seen"]
    assert [step["name"] for step in (first, second, third)] == list(files)
    assert "threshold" in first["verdict"]
    assert (first["outcome"], third["outcome"]) == ("findings", "failed")
    assert all(step["inSight"] for step in (first, second, third))
    assert [step["focus"] for step in after if step["focus"] == "body"] == []
    assert len(after) == 2
