"""A page that does not run away from its test: its work stands still until the test lets it go on.

What lasts a moment, such as an image that is being analysed, can so be looked at for as long as that takes, on a quick
machine and on a slow one. And what is drawn with the next frame can be waited for.
"""

import contextlib
from collections.abc import Iterator

from sitegen.browser.chromium import Chromium

# Images that people open are Files, and a job begins with reading its own: nothing is sent to the worker before.
_HOLD_IMAGES = """
const {arrayBuffer} = Blob.prototype;
const held = [];
let free = 0;
Blob.prototype.arrayBuffer = function () {
  if (!(this instanceof File) || free > 0) {
    if (this instanceof File) free -= 1;
    return arrayBuffer.call(this);
  }
  return new Promise((resolve, reject) => held.push(() => arrayBuffer.call(this).then(resolve, reject)));
};
window.letOn = (count) => {
  free = Math.max(0, count - held.length);
  held.splice(0, count).forEach((go) => go());
};
window.letAllOn = () => {
  Blob.prototype.arrayBuffer = arrayBuffer;
  held.splice(0).forEach((go) => go());
};
"""
# For pages whose workers can be reached (tests/browser/conftest.py): messages of a kind wait for the test.
_HOLD_MESSAGES = """
const worker = window.caughtWorkers.at(-1);
const {onmessage} = worker;
const held = [];
let free = 0;
const hear = (event) => {
  if (event.data.kind === arguments[0]) free -= 1;
  onmessage.call(worker, event);
};
const goOn = () => { while (held.length && (held[0].data.kind !== arguments[0] || free > 0)) hear(held.shift()); };
worker.onmessage = (event) => { held.push(event); goOn(); };
window.letOn = (count) => { free = count; goOn(); };
window.letAllOn = () => { free = Infinity; goOn(); };
"""
# Transitions come to their ends, letters are there, and observers of sizes have been told. All of it takes less than a
# second: what has not ended in five never will, as where a browser draws no frame because there is nothing new in it.
_WITHIN = """
const [done] = arguments;
const within = (wait) => Promise.race([wait, new Promise((resolve) => setTimeout(resolve, 5000))]);
const frame = () => within(new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
"""
_FRAME = _WITHIN + "frame().then(() => done());"
_REST = f"""{_WITHIN}
const ends = () => document.getAnimations().filter(({{effect}}) => effect?.getComputedTiming().endTime !== Infinity);
frame().then(() => within(Promise.allSettled([document.fonts.ready, ...ends().map(({{finished}}) => finished)])))
  .then(frame).then(() => done());
"""


class Held:
    """Work that stands still."""

    def __init__(self, driver: Chromium) -> None:
        self._driver = driver

    def let_on(self, count: int) -> None:
        """Let so many go on, those that come later included; the next stands still again."""
        self._driver.execute_script("letOn(arguments[0])", count)

    def let_all_on(self) -> None:
        """Hold nothing any more."""
        self._driver.execute_script("letAllOn()")


@contextlib.contextmanager
def held_images(driver: Chromium) -> Iterator[Held]:
    """Hold what is asked of images, analyses and maps: none is begun before the test says so."""
    driver.execute_script(_HOLD_IMAGES)
    held = Held(driver)
    try:
        yield held
    finally:
        held.let_all_on()


@contextlib.contextmanager
def held_messages(driver: Chromium, kind: str) -> Iterator[Held]:
    """Hold what the worker says of a kind, and all that it says afterwards: the page hears nothing of it."""
    driver.execute_script(_HOLD_MESSAGES, kind)
    held = Held(driver)
    try:
        yield held
    finally:
        held.let_all_on()


def next_frame(driver: Chromium) -> None:
    """Wait until all is drawn that was to be drawn with the next frame."""
    driver.execute_async_script(_FRAME)


def at_rest(driver: Chromium) -> None:
    """Wait until letters are there, transitions have ended, and whatever follows the page's size has followed."""
    driver.execute_async_script(_REST)
