"""The collection of odd files outside the repository, where it is there."""

import csv
import os
from pathlib import Path

import pytest

from sitegen_runtime.errors import DamagedImage, ImageError
from sitegen_runtime.formats import decode_png, inspect_image
from tests.helpers.runtime.images import decoded

DATA = Path(os.environ.get("SITEGEN_DATA") or Path(__file__).resolve().parents[3].parent / "shared" / "data")
ODD = DATA / "odd"

pytestmark = pytest.mark.skipif(not ODD.is_dir(), reason="no collection of odd files: set SITEGEN_DATA to its parent")

BEYOND_REPAIR = {
    "png_bad_iCCP.png": "its header's checksum is wrong, and there is no IDAT chunk",
    "jpeg_bad_exif.jpg": "61 of its 63 restart intervals hold impossible codes; libjpeg shows torn stripes",
}
"""Files that the collection expects to decode, while their pixels are missing or torn."""


def rows() -> list[dict[str, str]]:
    """The collection's manifest."""
    if not ODD.is_dir():
        return []
    with (ODD / "manifest.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("row", rows(), ids=[row["file"] for row in rows()])
def test_each_odd_file(row: dict[str, str]) -> None:
    data = (ODD / row["file"]).read_bytes()
    expect = row["expect"]
    if row["file"] in BEYOND_REPAIR:
        with pytest.raises(DamagedImage):
            inspect_image(data)
        return
    try:
        image = inspect_image(data)
    except ImageError as error:
        assert "reject" in expect, f"{row['file']}: {error}"
        return
    assert expect.startswith(("decode", "gate")) or "or decode" in expect
    if image.decoder == "python":
        assert sum(piece.row_count for piece in decode_png(image).pieces()) == image.height
    else:
        assert decoded(image.payload).shape[:2] == (image.height, image.width)


def test_orientations() -> None:
    found = {name: inspect_image((ODD / name).read_bytes()).orientation for name in ORIENTED}
    assert found == ORIENTED


ORIENTED = {"jpeg_exif_orientation2.jpg": 2, "cxr_orientation6.jpg": 6, "jpeg_16bit_qtables.jpg": 1}
