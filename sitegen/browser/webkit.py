"""WebKitGTK in its own small browser, on a screen in memory: WebKit as on Linux, which is not Safari."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator

from selenium.common.exceptions import WebDriverException
from selenium.webdriver.remote.client_config import ClientConfig
from selenium.webdriver.remote.remote_connection import RemoteConnection
from selenium.webdriver.webkitgtk.options import Options
from selenium.webdriver.webkitgtk.service import Service

from sitegen.browser import display as screens
from sitegen.browser.driver import START_SECONDS, leaving_the_page
from sitegen.browser.processes import OWN_SESSION
from sitegen.browser.recording_proxy import RecordingProxy, recording_proxy
from sitegen.browser.selenium_driver import SeleniumDriver, ended, session
from sitegen.errors import BrowserError

_DRIVER = "WebKitWebDriver"


class WebKit(SeleniumDriver):
    """A running WebKitGTK."""

    engine = "webkit"

    def __init__(self, service: Service, proxy: RecordingProxy) -> None:
        """Start a session in a browser that asks a proxy for everything but this machine."""
        self._proxy = proxy
        options = Options()  # without a name of its own, the driver starts WebKit's MiniBrowser
        settings = {"proxyType": "manual", "httpProxy": proxy.address, "sslProxy": proxy.address}
        options.set_capability("proxy", {**settings, "noProxy": ["127.0.0.1"]})
        config = ClientConfig(remote_server_addr=service.service_url, timeout=START_SECONDS)
        super().__init__(command_executor=RemoteConnection(client_config=config), options=options)

    def requests(self) -> list[str]:
        """Return the addresses asked of other machines since the last call: none of this machine, and no files."""
        return leaving_the_page(self._proxy.taken())


def missing() -> str | None:
    """Return what is not on this machine, and where to get it, or None."""
    if shutil.which(_DRIVER):
        return screens.missing()
    return (
        "WebKitGTK and its driver are needed and were not found. On Debian or Ubuntu: apt install webkit2gtk-driver "
        "xvfb (newer releases call it webkitgtk-webdriver). There is no WebKitGTK for Windows and macOS."
    )


@contextlib.contextmanager
def webkit() -> Iterator[WebKit]:
    """Start WebKitGTK, empty-handed; end it with the block.

    Raises BrowserError where it, its driver or Xvfb is missing or does not start.
    """
    if problem := missing():
        raise BrowserError(problem)
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home,
        screens.display() as screen,
        recording_proxy() as proxy,
    ):
        service = Service(shutil.which(_DRIVER), env=_environment(home, screen), popen_kw=dict(OWN_SESSION))
        with ended(service):
            try:
                service.start()
                driver = WebKit(service, proxy)
            except WebDriverException as error:
                raise BrowserError(f"WebKitGTK did not start: {error.msg}") from error
            with session(driver):
                yield driver


def _environment(home: str, screen: str) -> dict[str, str]:
    drawing = {"LIBGL_ALWAYS_SOFTWARE": "1", "WEBKIT_DISABLE_COMPOSITING_MODE": "1"}
    # Neither the desktop's services nor its virtual file systems: where they are missing, it would wait for them.
    lonely = {"GIO_USE_VFS": "local", "NO_AT_BRIDGE": "1"}
    return {**os.environ, "HOME": home, "DISPLAY": screen, **drawing, **lonely}
