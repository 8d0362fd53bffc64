"""Every way out of the page that is tried and works is on the security page: the policy stops the others."""

from pathlib import Path

import pytest

from sitegen.browser.chromium import Chromium
from sitegen.site.inspection.ways_out import ALL, CHROMIUM, TRIED, WAYS_OUT, listed
from tests.helpers.browser.leak_ways import IN_PLACE, LEAVING
from tests.helpers.browser.leaks import ways_out


def test_what_is_listed_is_what_is_tried() -> None:
    tried = {**IN_PLACE, **LEAVING}
    assert len(tried) == TRIED
    named = [name for way in WAYS_OUT for name in way.ways]
    assert len(named) == len(set(named))
    assert set(named) <= set(tried)
    for browser in ALL:  # what reaches another host leads away, or carries nothing
        own, elsewhere = listed(browser)
        assert elsewhere <= own
        assert not elsewhere & {"fetch", "image", "script", "form", "WebSocket", "worker"}


def test_the_security_page_lists_them(site: Path) -> None:
    page = (site / "security.html").read_text("utf-8")
    for way in WAYS_OUT:
        assert way.words.split("`")[0].strip(", ") in page.replace("&quot;", '"')
    assert "88 ways" in page


@pytest.mark.browser
def test_no_other_way_gets_out(driver: Chromium) -> None:
    found = ways_out(driver, seconds=2.0)
    own, elsewhere = listed(CHROMIUM)
    assert found["own"] - own == set()
    assert found["other"] - elsewhere == set()
    assert {"navigation", "script", "worker"} <= found["own"]  # it would have been seen
    assert {"navigation", "refresh"} <= found["other"]
