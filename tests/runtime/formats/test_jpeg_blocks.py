"""The page's way of counting blocks beside the runtime's definition: the same verdicts on whole and damaged files."""

import io
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from PIL import Image

from sitegen_runtime.errors import ImageError
from sitegen_runtime.formats import InspectedImage, inspect_image, jpeg_tables
from tests.helpers.runtime.images import mutations, picture, saved
from tests.helpers.runtime.node_scripts import node_function

COUNT = "(scan, data) => countBlocks({ getBuffer: () => ({ data, release() {} }) }, scan)"
FILES = {
    "grey": saved(picture(90, 70, "L"), "JPEG", quality=92),
    "colour": saved(picture(90, 70), "JPEG", quality=70),
    "restarts": saved(picture(90, 70), "JPEG", quality=92, restart_marker_blocks=7, subsampling=0),
    "progressive": saved(picture(90, 70), "JPEG", progressive=True),
    "smooth": saved(picture(90, 70, "L", colour=0.0).resize((160, 160)), "JPEG", progressive=True, optimize=True),
}
Count = Callable[[bytes, str], str]


@pytest.fixture(scope="module")
def count() -> Iterator[Count]:
    with node_function(COUNT, "jpeg_blocks.js") as function:
        yield lambda data, scan: function(scan, data)


@pytest.fixture(autouse=True)
def nobody_counts_afterwards(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(jpeg_tables, "_LEAST_BYTES", 16)
    yield
    jpeg_tables.count_by(None)


def verdict(data: bytes, count: Count | None) -> InspectedImage | tuple[str, str]:
    jpeg_tables.count_by(count)
    try:
        return inspect_image(data, max_pixels=1_000_000)
    except ImageError as error:
        return error.code, str(error)


@pytest.mark.parametrize("name", FILES)
def test_damaged_files_get_the_same_verdict(name: str, count: Count) -> None:
    asked = []

    def noting(data: bytes, scan: str) -> str:
        asked.append(count(data, scan))
        return asked[-1]

    verdicts = set()
    for broken in [FILES[name], *mutations(FILES[name], 400, seed=len(name))]:
        defined = verdict(broken, None)
        assert verdict(broken, noting) == defined
        verdicts.add(isinstance(defined, InspectedImage))
    assert verdicts == {True, False}
    assert sum(answer != "[0,0]" for answer in asked) > 200


def test_nearly_all_of_a_scan_is_counted(count: Count) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (400, 300), np.uint8)
    out = io.BytesIO()
    Image.fromarray(noise).save(out, "JPEG", quality=90)
    answers = []

    def noting(data: bytes, scan: str) -> str:
        answers.append((len(data), count(data, scan)))
        return answers[-1][1]

    jpeg_tables.count_by(noting)
    assert inspect_image(out.getvalue()).width == 300
    ((size, answer),) = answers
    blocks, bits = map(int, answer.strip("[]").split(","))
    assert 50 * 38 - 3 < blocks < 50 * 38  # the last is the runtime's
    assert 8 * size - 1_000 < bits < 8 * size
