"""The report loads nothing, names nobody, and counts what the rule that it gives would drop."""

import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from sitegen.browser.chromium import chromium
from sitegen.browser.engines import ENGINES
from sitegen.bundle import Bundle
from sitegen.curation.columns import Options
from sitegen.curation.report.counted import drawn, sliders
from sitegen.curation.report.groups import divided
from sitegen.curation.report.page import as_html
from sitegen.curation.report.thumbnails import Thumbnails
from sitegen.curation.rules import passing
from sitegen.curation.store import read_manifest
from sitegen.curation.table import read_table

Curated = Callable[..., Path]


class Loads(HTMLParser):
    """Collects every address that a page would load."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.addresses += [str(value) for name, value in attrs if name in ("src", "href", "action", "srcset", "data")]


def page(small: Bundle, folder: Path, **options: object) -> str:
    manifest = read_manifest(folder)
    assert manifest is not None
    return as_html(read_table(folder), manifest, small, **options)  # type: ignore[arg-type]


def loads(text: str) -> list[str]:
    parser = Loads()
    parser.feed(text)
    return parser.addresses


def test_it_loads_nothing_and_names_nobody(small: Bundle, repository: Path, curated: Curated) -> None:
    (repository / "a").rename(repository / "Jane Doe")
    folder = curated(repository, options=Options(distances=True))
    text = page(small, folder)
    assert loads(text) == []
    assert "Jane" not in text
    assert str(repository) not in text
    assert "default-src 'none'" in text
    for each in read_table(folder).to_pylist():
        assert each["path"].split("/")[-1] not in text
    assert "0: Jane Doe (4)" in page(small, folder, names=True)
    assert page(small, folder) == text


def test_pictures_come_with_their_error_maps_where_asked_for(small: Bundle, repository: Path, curated: Curated) -> None:
    folder = curated(repository)
    addresses = loads(page(small, folder, thumbnails=Thumbnails(small.folder, small.model.sha256)))
    assert len(addresses) == 2 * 2 * 6  # images and maps, of the most and the least unlike, of six that can be read
    assert all(address.startswith("data:image/png;base64,") for address in addresses)


def test_groups_hold_every_row_and_a_sample_is_the_same_each_time(repository: Path, curated: Curated) -> None:
    table = read_table(curated(repository))
    for kind in ("folder", "manufacturer", "view", "year"):
        assert sum(group.images for group in divided(table, kind, False).of_score(table, "gate_ssim")) == 9
    of_views = divided(table, "view", False).of_score(table, "gate_ssim")
    views = {group.name: (group.images, len(group.values)) for group in of_views}
    assert views == {"not said": (8, 5), "PA": (1, 1)}
    few = drawn(table, 4)
    assert few["id"].to_pylist() == [each for each in table["id"].to_pylist() if each in set(few["id"].to_pylist())]
    assert set(few["id"].to_pylist()) == set(sorted(table["id"].to_pylist())[:4])
    low = sliders(table)[0]
    values = table["gate_ssim"].to_numpy(zero_copy_only=False)
    assert (low.name, low.low, low.high) == ("gate_ssim", np.nanmin(values), np.nanmax(values))


@pytest.mark.skipif(bool(ENGINES["chromium"].missing()), reason="needs Chromium")
def test_its_counts_are_those_of_the_rule_that_it_gives(
    small: Bundle, repository: Path, tmp_path: Path, curated: Curated
) -> None:
    folder = curated(repository)
    table = read_table(folder)
    (tmp_path / "report.html").write_text(page(small, folder), "utf-8")
    with chromium() as driver:
        driver.get((tmp_path / "report.html").as_uri())

        def shown() -> tuple[int, int, str]:
            names = ("dropped", "kept", "rule")
            dropped, kept, rule = (
                driver.execute_script(f"return document.getElementById('{name}').value") for name in names
            )
            return int(dropped), int(kept), rule

        assert shown() == (0, 9, "")
        tick = "for (const each of document.querySelectorAll(arguments[0])) each.click()"
        driver.execute_script(tick, "[data-flag='0'] input, [data-flag='3'] input, [data-slider] input[type=checkbox]")
        middle = sorted(value for value in table["gate_ssim"].to_pylist() if value is not None)[3]
        move = (
            "const range = document.querySelector('[data-slider] input[type=range]'); range.value = arguments[0];"
            "range.dispatchEvent(new Event('input', {bubbles: true}))"
        )
        driver.execute_script(move, str(middle - 1e-4))
        dropped, kept, rule = shown()
    assert re.fullmatch(r"not error is there and not copy_of is there and gate_ssim >= 0\.\d+", rule)
    assert kept == int(passing(rule, table).sum())
    assert dropped == 9 - kept
    assert 1 < kept < 4
