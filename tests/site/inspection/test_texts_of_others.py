"""What bundles and wheels bring along is text: it forges no row, heading or link, and is no page beside the page."""

import re
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any, cast

import pytest

from sitegen.bundle import Bundle
from sitegen.site.engines.files import install_engines
from sitegen.site.inspection.licences import write_licences
from sitegen.site.inspection.security_page import security_text
from sitegen.site.options import SiteOptions
from sitegen.site.page import render_document
from sitegen.site.prose import plain
from sitegen.site.python.extra_wheels import read_wheel
from tests.helpers.wheels import make_wheel

FORGED = (
    "A model\n\n## Approved\n\n| a | b |\n|---|---|\n<script>x</script> [safe](https://evil.example) ![x](y)"
    "\u2028# End\u202e`"
)
ONE_LINE = "A model ## Approved | a | b | |---|---| <script>x</script> [safe](https://evil.example) ![x](y) # End`"


def forged(bundle: Bundle) -> Bundle:
    """The bundle with that text wherever its description has words that pages show."""
    description: Any = bundle.description
    licence = description.licence.model_copy(update={"weights": FORGED, "data": FORGED})
    fields = {"title": FORGED, "version": FORGED, "licence": licence}
    return replace(bundle, description=description.model_copy(update=fields))


def tags(html: str) -> list[str]:
    return sorted(re.findall(r"<(h\d|a|img|script|tr|td|em|strong|code)\b", html.split("<main", 1)[1]))


def test_a_text_is_one_line_as_it_is() -> None:
    assert plain("a\r\nb\x0bc\u2028d\u2029e\x85f\x00g\x1b[1m") == "a b c d e fg\\[1m"
    assert plain("سلام\u202eevil\u2066") == "سلامevil"


def test_a_bundle_forges_nothing_on_the_security_page(site: Path, bundle: Bundle) -> None:
    honest, other = (render_document("S", security_text(site, [one]), "i") for one in (bundle, forged(bundle)))
    assert tags(other) == tags(honest)
    assert ONE_LINE in unescape(other)


def test_a_bundle_forges_nothing_among_the_licences(bundle: Bundle, tmp_path: Path) -> None:
    pages = []
    for number, one in enumerate((bundle, forged(bundle))):
        write_licences(tmp_path / str(number), install_engines(), [one], SiteOptions())
        pages.append((tmp_path / str(number) / "licences" / "index.html").read_text("utf-8"))
    assert tags(pages[1]) == tags(pages[0])
    assert unescape(pages[1]).count(ONE_LINE) == 3


NOTICES = ["LICENSE.html", "LICENSE.svg", "COPYING.xhtml", "NOTICE.HTM", "LICENSE.txt.xml", "LICENSE.js", "LICENSE.md"]


@pytest.mark.parametrize("name", [*NOTICES, "LICENSE<b>.html", 'LICENSE" onclick="x', "LICENCE)[x](y", "LICENSE\n.txt"])
def test_a_wheels_licence_is_published_as_text(name: str, bundle: Bundle, tmp_path: Path) -> None:
    content = "<script>alert(1)</script>"
    information = "our_package-1.0.dist-info"
    metadata = "Metadata-Version: 2.1\nName: our_package\nVersion: 1.0\nLicense: [x](y) | <b>\nHome-page: https://a.b/)![x](y\n"
    files = {f"{information}/{name}": content, f"{information}/METADATA": metadata}
    wheel = read_wheel(make_wheel(tmp_path / "wheels", files=files))
    write_licences(tmp_path, install_engines(), [bundle], SiteOptions(wheels=(wheel,)))
    folder = tmp_path / "licences"
    written = [path for path in folder.iterdir() if path.name.startswith("our-package.")]
    assert [path.name for path in written if not re.fullmatch(r"our-package\.[A-Za-z0-9._-]+\.txt", path.name)] == []
    assert content in [path.read_text("utf-8") for path in written]
    html = (folder / "index.html").read_text("utf-8")
    row = next(line for line in re.findall(r"<tr>.*?</tr>", html, re.DOTALL) if "our-package" in line)
    assert {cast("str", link) for link in re.findall(r'href="([^"]*)"', row)} == {path.name for path in written}
    assert "[x](y) | <b>" in unescape(row)
    assert "<img" not in row
    assert "<b>" not in row
