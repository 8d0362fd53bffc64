"""Reloading open pages after a build, without a change to what was built.

The index page gets one more script tag as it is served. Its policy, which forbids connections, stays as it is: a script
from the same place is allowed, and so the page asks by loading scripts, each of which is answered when there is
something to say.
"""

import secrets
import threading
import time
from collections.abc import Callable

SCRIPT = "/.sitegen-reload.js"
ANSWER_SECONDS = 20.0  # then the page asks again
_CLIENT = """(() => {
  const address = document.currentScript.src;
  const ask = () => {
    const script = document.createElement("script");
    script.src = `${address}&asked=${Date.now()}`;
    script.onload = () => { script.remove(); ask(); };
    script.onerror = () => { script.remove(); setTimeout(ask, 1000); };
    document.head.append(script);
  };
  addEventListener("load", ask); // a script that waits would keep the page from being loaded
})();
"""


class Reloader:
    """The version of the site that is served, and those who wait for the next."""

    def __init__(self) -> None:
        self._run = secrets.token_hex(4)  # so that pages of an earlier server reload, too
        self._builds = 0
        self._changed = threading.Condition()

    @property
    def version(self) -> str:
        """The name of the version that is served now."""
        return f"{self._run}-{self._builds}"

    def reload(self) -> None:
        """Let all open pages reload: there is a new version."""
        with self._changed:
            self._builds += 1
            self._changed.notify_all()

    def into(self, index: bytes) -> bytes:
        """Return the index page with the script that asks for the next version."""
        tag = f'<script src="{SCRIPT}?version={self.version}"></script></body>'
        return index.replace(b"</body>", tag.encode(), 1)

    def answer(self, query: dict[str, list[str]], seconds: float = ANSWER_SECONDS) -> str:
        """Return the script for a request: the one that asks, or what to do, as soon as there is a new version."""
        version, is_question = query.get("version", [""])[0], "asked" in query
        if not is_question:
            return _CLIENT
        with self._changed:
            self._changed.wait_for(lambda: self.version != version, seconds)
            return "location.reload();" if self.version != version else ""


def read_while_swapped(read: Callable[[], bytes], attempts: int = 20) -> bytes:
    """Return what `read` gives; where the file is missing for the moment in which a new site takes its place, wait."""
    for _ in range(attempts - 1):
        try:
            return read()
        except FileNotFoundError:
            time.sleep(0.05)
    return read()
