"""What a site needs to be installed: a web manifest that browsers accept, and icons that they can draw."""

import base64
import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sitegen import resources
from sitegen.site.serving.icons import icon
from sitegen.site.serving.offline import web_manifest


def test_the_web_manifest_holds_its_icons(site: Path) -> None:
    fields = json.loads((site / "manifest.webmanifest").read_text("utf-8"))
    assert fields["name"] == "Test model"
    assert fields["display"] == "standalone"
    assert (site / fields["start_url"]).is_file()
    assert [entry["sizes"] for entry in fields["icons"]] == ["192x192"] * 2 + ["512x512"] * 2
    for entry in fields["icons"]:
        start, content = entry["src"].split(",")
        assert start == "data:image/png;base64"  # a file would need a policy that lets images in from the host
        with Image.open(io.BytesIO(base64.b64decode(content))) as image:
            assert f"{image.width}x{image.height}" == entry["sizes"]


@pytest.mark.parametrize(
    ("title", "short"),
    [
        ("Chest", "Chest"),
        ("Chest radiographs of adults", "Chest"),
        ("The lung of a rat", "The lung of"),
        ("Röntgendiagnostikabteilung", "Röntgendiagnostikabteilung"),
        (" ", "sitegen"),
    ],
)
def test_a_short_name_is_made_of_whole_words(title: str, short: str) -> None:
    assert json.loads(web_manifest(title, "en"))["short_name"] == short


def test_icons_keep_what_they_show_away_from_the_edges() -> None:
    """Systems cut icons to a circle of 40 % of the side ("maskable icons"): all around it is ground."""
    pixels = np.asarray(Image.open(io.BytesIO(icon(192))).convert("RGB"))
    rows, columns = np.indices((192, 192))
    outside = np.hypot(rows - 95.5, columns - 95.5) > 0.4 * 192
    assert {tuple(colour) for colour in pixels[outside].tolist()} == {(0x0B, 0x5C, 0xAD)}
    assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 3
    assert icon(192) == icon(192)


def test_the_service_worker_is_the_same_for_every_site(site: Path) -> None:
    assert (site / "service_worker.js").read_bytes() == (resources.templates() / "service_worker.js").read_bytes()
