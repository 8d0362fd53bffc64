"""Sites from Python: built from bundles as they may be named, served in the background, and proved in a browser."""

import json
import urllib.request
from pathlib import Path
from typing import Any

import pytest

import sitegen
from sitegen.browser.chromium import missing
from sitegen.browser.parity import CHESTER
from sitegen.bundle import Bundle


@pytest.fixture(scope="module")
def built(bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> sitegen.BuiltSite:
    stages: list[str] = []
    out = tmp_path_factory.mktemp("api") / "site"
    made = sitegen.build_site(str(bundle.folder), str(out), title="A title", service_worker=False, report=stages.append)
    assert stages == ["engines", "snapshot", "packing", "pages"]
    return made


def test_a_site_is_a_path(built: sitegen.BuiltSite) -> None:
    assert Path(built) == built.folder
    assert json.loads((Path(built) / "manifest.json").read_text("utf-8"))["bundle"]["name"] == "test-model"
    assert "<title>A title" in (Path(built) / "index.html").read_text("utf-8")
    assert not (Path(built) / "service-worker.js").exists()


def test_it_is_served_until_the_end(built: sitegen.BuiltSite) -> None:
    with sitegen.serve(built, port=0) as server:
        with urllib.request.urlopen(server.address) as answer:  # noqa: S310 - its own address
            assert b"A title" in answer.read()
        assert server.address in server._repr_html_()
        assert repr(server) == f"<Server {server.address}>"
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(server.address)  # noqa: S310 - its own address
    server.stop()


@pytest.mark.parametrize(
    ("arguments", "kind", "words"),
    [
        ({"browser": "netscape"}, ValueError, "There is no browser 'netscape'. There are 'chromium', 'firefox'"),
        ({"transports": ["ftp"]}, ValueError, "There is no transport 'ftp'"),
        ({"provider": "cuda"}, ValueError, "There is no provider 'cuda'"),
        ({"images": 3}, TypeError, "A folder of images is a path"),
        ({"bundles": 3}, TypeError, "A bundle is what load_bundle gives"),
        ({"bundles": [3]}, TypeError, "A bundle is what load_bundle gives"),
        ({"site": "nowhere"}, sitegen.SiteError, "is not a built site"),
        ({}, sitegen.SiteError, "was built from the bundle test-model 1.0"),
    ],
)
def test_wrong_calls(built: sitegen.BuiltSite, arguments: Any, kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        sitegen.verify_site(**{"site": built} | arguments)


def test_a_report_prints_its_tables_and_what_it_comes_to() -> None:
    document: Any = {
        "browser": {"name": "chromium", "version": "1"},
        "bundles": [],
        "chester": CHESTER,
        "passed": False,
        "failures": ["file: a.png differs"],
    }
    report = sitegen.Verification(False, ("file: a.png differs",), document)
    assert str(report) == "file: a.png differs\nThe page differs from Python."
    assert repr(report) == "<Verification: The page differs from Python.>"


@pytest.mark.browser
@pytest.mark.skipif(missing() is not None, reason=str(missing()))
def test_a_site_is_proved(built: sitegen.BuiltSite, bundle: Bundle, tmp_path: Path) -> None:
    sitegen.phantom.write_phantom(tmp_path / "a.png", 1, 64)
    report = sitegen.verify_site(built, [bundle], transports=["file"], images=tmp_path)
    assert (report.passed, report.failures) == (True, ())
    assert report.document["images"] == 1
    lines = str(report).splitlines()
    assert lines[-1] == "The page computes what Python computes."
    assert any("Differences between page and Python" in line for line in lines)
