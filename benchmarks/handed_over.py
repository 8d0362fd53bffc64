"""Files that are handed over to a page as people would: as Blobs, timed in the page itself."""

import base64
from dataclasses import dataclass

from sitegen.browser.driver import Driver
from sitegen_runtime.document_types import ResultDocument

_PIECE = 3_000_000  # characters handed to the browser at once
_TAKE = """
const [text, done] = arguments;
window.file = new Blob([window.file, Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))]);
done();
"""
_ANALYSE = """
const done = arguments[0];
const begin = performance.now();
sitegen.analyse(window.file, { name: "image", force: true }).then(
  (document) => done({ ms: performance.now() - begin, document }), (error) => done({ error: String(error) }));
"""


@dataclass(frozen=True)
class Answer:
    """A result, and the milliseconds from handing the file over to it, as the page's scripts see them."""

    milliseconds: float
    document: ResultDocument


def hand_over(driver: Driver, data: bytes) -> None:
    """Give the page a file, in pieces: a command to a browser may not be that long."""
    text = base64.b64encode(data).decode()
    driver.execute_async_script("window.file = new Blob(); arguments[0]()")
    for start in range(0, len(text), _PIECE):
        driver.execute_async_script(_TAKE, text[start : start + _PIECE])


def analysed(driver: Driver) -> Answer:
    """Have the page analyse the file that it was given; end the program where it cannot."""
    answer = driver.execute_async_script(_ANALYSE)
    if "error" in answer:
        raise SystemExit(f"The page did not analyse the file: {answer['error']}")
    return Answer(float(answer["ms"]), answer["document"])
