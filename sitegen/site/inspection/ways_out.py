"""What a script in the page could still send somewhere, for all that the policy stops: from a test that tries it.

`tests/helpers/browser/leak_ways.py` has the ways, `tests/browser/engines/test_ways_out.py` tries them in Chromium with
every run, and `python -m tests.helpers.browser.leaks --browser firefox` in the others. The program of a site uses none.
"""

from dataclasses import dataclass

TRIED = 88
"""Ways that the test tries, each to the page's own host and to another."""

CHROMIUM, FIREFOX, WEBKIT = "Chromium", "Firefox", "WebKit"
ALL = (CHROMIUM, FIREFOX, WEBKIT)


@dataclass(frozen=True)
class WayOut:
    """What gets through: by which of the test's ways, and in which browsers to the own host, and elsewhere."""

    words: str
    ways: tuple[str, ...]
    own: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()


WAYS_OUT = (
    WayOut(
        "leaving the page: a link, `location`, a refresh",
        ("navigation", "navigation in place of the page", "link", "refresh"),
        ALL,
        ALL,
    ),
    WayOut(
        "new windows (the others block those that nobody clicked for)",
        ("new window", "link to a new window"),
        (CHROMIUM,),
        (CHROMIUM,),
    ),
    WayOut("a download", ("download",), ALL, ALL),
    WayOut("a contact without content, announced by `preconnect`", ("preconnect",), ALL, ALL),
    WayOut("connections between browsers (WebRTC)", ("WebRTC",), (CHROMIUM,), (CHROMIUM,)),
    WayOut(
        "loading the page again, with another address or a cookie",
        ("address of the page, and a reload", "cookie, and a reload"),
        ALL,
    ),
    WayOut(
        "the address of a script or module, also preloaded, of a worker's, or of a worklet",
        (
            *("script", "script of SVG", "module", "modulepreload", "preload of a script", "import()"),
            *("import() in a worker", "importScripts in a worker", "worklet of sound", "worklet of painting"),
        ),
        ALL,
    ),
    WayOut(
        "the address of a worker, a shared worker or a service worker",
        ("worker", "module worker", "shared worker", "service worker", "worker in a worker"),
        ALL,
    ),
    WayOut(
        "a description for installing, a page that is fetched ahead",
        ("description for installing", "prefetch"),
        (CHROMIUM,),
    ),
    WayOut("a font that a worker asks for", ("font in a worker",), (WEBKIT,)),
)


def rows() -> list[dict[str, str]]:
    """Return the rows of the table for people."""
    return [
        {"way": way.words, "own": ", ".join(way.own) or "no", "elsewhere": ", ".join(way.elsewhere) or "no"}
        for way in WAYS_OUT
    ]


def listed(browser: str) -> tuple[set[str], set[str]]:
    """Return the test's ways that are listed for a browser: to the own host, and elsewhere."""
    own = {name for way in WAYS_OUT if browser in way.own for name in way.ways}
    return own, {name for way in WAYS_OUT if browser in way.elsewhere for name in way.ways}
