"""WebDriver BiDi (W3C working draft) over one WebSocket: commands with answers, and the events between them."""

import json
import time
from collections.abc import Callable
from typing import Any

import websocket

from sitegen.browser.driver import no_answer
from sitegen.errors import BrowserError

Message = dict[str, Any]


class Connection:
    """A connection to a browser's remote agent. Every failure raises BrowserError."""

    def __init__(self, url: str, browser: str, seconds: float) -> None:
        """Connect; `browser` is its name in messages, `seconds` how long an answer may take."""
        self.browser, self.seconds = browser, seconds
        self._last = 0
        self._listeners: dict[str, Callable[[Message], None]] = {}
        try:
            # A browser takes an Origin for a web page that tries to control it, and refuses.
            self._socket = websocket.create_connection(url, timeout=seconds, suppress_origin=True)
        except (OSError, websocket.WebSocketException) as error:
            raise BrowserError(f"{browser} cannot be reached at {url}: {error}. Run again.") from error

    def listen(self, event: str, listener: Callable[[Message], None]) -> None:
        """Call a function with the parameters of each event of this name."""
        self._listeners[event] = listener
        self.command("session.subscribe", events=[event])

    def command(self, method: str, **parameters: Any) -> Message:
        """Send a command; return its result. Events that come before it go to their listeners."""
        self._last += 1
        try:
            self._socket.send(json.dumps({"id": self._last, "method": method, "params": parameters}))
            answer = self._answer(self._last, time.monotonic() + self.seconds)
        except (OSError, websocket.WebSocketException) as error:
            raise BrowserError(no_answer(self.browser, str(error) or type(error).__name__)) from error
        if answer["type"] == "error":
            raise BrowserError(f"{self.browser} refused {method}: {answer['message']}")
        result: Message = answer["result"]
        return result

    def close(self) -> None:
        """Close the connection; the browser goes on."""
        self._socket.close()

    def _answer(self, number: int, deadline: float) -> Message:
        while True:
            # The whole wait is limited, not the pause between two messages: events may come for ever.
            self._socket.settimeout(max(0.001, deadline - time.monotonic()))
            message: Message = json.loads(self._socket.recv())
            if message.get("id") == number:
                return message
            if message["type"] == "event" and message["method"] in self._listeners:
                self._listeners[message["method"]](message["params"])
