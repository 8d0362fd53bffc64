"""Sums of cells, NumPy's and the page's, beside the runtime's definition of them."""

import io
import json
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from sitegen.prediction import cell_sums
from sitegen.prediction.images import OpenedImage
from sitegen_runtime.requests import COLOURS, FIRST, LUMA, PAIR, CellGrid, SumCells
from tests.helpers.runtime.cell_sums import defined_sums
from tests.helpers.runtime.node_scripts import NodeFunction, node_function

IN_THE_PAGE = """(text, rgba) => {
  const { grids, width, height } = JSON.parse(text);
  const rowsOf = (place) => {
    const rows = new Uint8ClampedArray(4 * place.width * place.height);
    for (let y = 0; y < place.height; y += 1) {
      const start = 4 * ((place.top + y) * width + place.left);
      rows.set(rgba.subarray(start, start + 4 * place.width), 4 * y * place.width);
    }
    return rows;
  };
  return [...new Float64Array(cellSums(grids, rowsOf).buffer)];
}"""
RANDOM = np.random.default_rng(11)


@pytest.fixture(scope="module")
def page() -> Iterator[NodeFunction]:
    with node_function(IN_THE_PAGE, "../shared/memory.js", "cell_sums.js") as function:
        yield function


def drawn() -> tuple[Image.Image, tuple[CellGrid, ...]]:
    """An image of noise, and grids in it, some of one place."""
    mode = str(RANDOM.choice(["L", "RGB"]))
    width, height = map(int, RANDOM.integers(1, 90, 2))
    shape = (height, width) if mode == "L" else (height, width, 3)
    grids = []
    for _ in range(3):
        across, down = int(RANDOM.integers(1, width + 1)), int(RANDOM.integers(1, height + 1))
        left, top = int(RANDOM.integers(0, width - across + 1)), int(RANDOM.integers(0, height - down + 1))
        samples = FIRST if mode == "L" else str(RANDOM.choice([FIRST, LUMA, COLOURS, PAIR]))
        sizes = RANDOM.integers(1, 70, (2, 2)).tolist()
        grids += [CellGrid(left, top, across, down, columns, rows, samples) for columns, rows in sizes]
    return Image.fromarray(RANDOM.integers(0, 256, shape).astype(np.uint8)), tuple(grids)


@pytest.mark.parametrize("strip", [1, 500, 1 << 20])
def test_sums_are_the_runtimes(strip: int, page: NodeFunction, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cell_sums, "_STRIP_PIXELS", strip)
    for _ in range(15):
        image, grids = drawn()
        rgba = np.asarray(image.convert("RGBA"))
        expected = [each for grid in grids for each in defined_sums(rgba, grid)]
        out = io.BytesIO()
        image.save(out, "PNG")
        assert cell_sums.sum_cells(OpenedImage("image/png", out.getvalue()), SumCells(grids)) == expected
        asked = {"grids": [vars(grid) for grid in grids], "width": image.width, "height": image.height}
        assert page(json.dumps(asked), rgba.tobytes()) == expected


def test_the_largest_sums_are_exact(page: NodeFunction) -> None:
    side = 3_001  # more rows than a strip of the page holds, and no multiple of the cells
    white = Image.new("RGB", (side, side), (255, 255, 0))
    out = io.BytesIO()
    white.save(out, "PNG", compress_level=1)
    grid = CellGrid(0, 0, side, side, 7, 7, PAIR)
    expected = [65535 * side**2] * 49
    assert cell_sums.sum_cells(OpenedImage("image/png", out.getvalue()), SumCells((grid,))) == expected
    asked = {"grids": [vars(grid)], "width": side, "height": side}
    assert page(json.dumps(asked), white.convert("RGBA").tobytes()) == expected


def test_colours_of_a_grey_image_are_equal() -> None:
    out = io.BytesIO()
    grey = Image.fromarray(RANDOM.integers(0, 256, (20, 20)).astype(np.uint8))
    grey.save(out, "PNG")
    found = cell_sums.sum_cells(
        OpenedImage("image/png", out.getvalue()), SumCells((CellGrid(0, 0, 20, 20, 6, 6, COLOURS),))
    )
    assert found == defined_sums(np.asarray(grey.convert("RGBA")), CellGrid(0, 0, 20, 20, 6, 6, FIRST)) * 3
